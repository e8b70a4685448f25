//! UDP sockets, like those of `std::net`, with options.

use crate::addresses::Remote;
use crate::bindings::ingen::sdk::types::Error;
use crate::bindings::ingen::sdk::udp;
use crate::microseconds;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How to make a UDP socket. What is `None` is left to the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UdpOptions {
    pub reuse_address: bool,
    pub receive_buffer: Option<u32>,
    pub send_buffer: Option<u32>,
    /// Fail with `WouldBlock` instead of waiting.
    pub non_blocking: bool,
}

/// A UDP socket.
#[derive(Debug)]
pub struct UdpSocket(udp::Socket);

impl UdpSocket {
    /// A socket at an address of the VM; port 0 takes a free one.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        Self::bind_with(local, &UdpOptions::default())
    }

    /// A socket with options.
    pub fn bind_with(local: SocketAddr, options: &UdpOptions) -> io::Result<Self> {
        let options = udp::BindOptions {
            reuse_address: options.reuse_address,
            receive_buffer: options.receive_buffer,
            send_buffer: options.send_buffer,
            non_blocking: options.non_blocking,
        };
        Ok(Self(udp::Socket::bind(local.into(), Some(options))?))
    }

    /// Sends to and receives from this peer alone, from now on.
    pub fn connect(&self, remote: impl Remote) -> io::Result<()> {
        Ok(self.0.connect(Some(first(remote)?.into()))?)
    }

    /// Undoes `connect`.
    pub fn disconnect(&self) -> io::Result<()> {
        Ok(self.0.connect(None)?)
    }

    /// Waits for the next datagram: how many bytes of it are in the buffer now, and who sent it. What does not
    /// fit is lost.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let limit = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let udp::Datagram { data, remote } = self.0.receive(limit)?;
        buffer[..data.len()].copy_from_slice(&data);
        Ok((data.len(), remote.into()))
    }

    /// The same, from the peer that the socket is connected to.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv_from(buffer)?.0)
    }

    /// Sends a datagram.
    pub fn send_to(&self, data: &[u8], remote: impl Remote) -> io::Result<()> {
        Ok(self.0.send(data, Some(first(remote)?.into()))?)
    }

    /// Sends a datagram to the peer that the socket is connected to.
    pub fn send(&self, data: &[u8]) -> io::Result<()> {
        Ok(self.0.send(data, None)?)
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_address()?.into())
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.peer_address()?.into())
    }

    pub fn ttl(&self) -> io::Result<u8> {
        Ok(self.0.ttl()?)
    }

    pub fn set_ttl(&self, ttl: u8) -> io::Result<()> {
        Ok(self.0.set_ttl(ttl)?)
    }

    /// Whether sending and receiving fail with `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, enabled: bool) -> io::Result<()> {
        Ok(self.0.set_non_blocking(enabled)?)
    }

    /// How long sending and receiving wait before they fail with `TimedOut`; `None` for as long as it takes.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        Ok(self.0.set_timeout(microseconds(timeout))?)
    }
}

fn first(remote: impl Remote) -> io::Result<SocketAddr> {
    Ok(*remote.addresses()?.first().ok_or(Error::NotFound)?)
}
