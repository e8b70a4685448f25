//! TCP connections and listeners, like those of `std::net`, with options.

use crate::addresses::Remote;
use crate::bindings::ingen::sdk::tcp;
use crate::bindings::ingen::sdk::types::Error;
use crate::microseconds;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

/// How to connect. What is `None` is left to the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    /// Where to connect from; port 0 takes a free one.
    pub local: Option<SocketAddr>,
    /// How long to try.
    pub timeout: Option<Duration>,
    pub keep_alive: bool,
    /// Take the local address even while an old connection lingers on it.
    pub reuse_address: bool,
    /// Bytes that the host keeps until they are read.
    pub receive_buffer: Option<u32>,
    /// Bytes that the host keeps until they are sent.
    pub send_buffer: Option<u32>,
    /// Return before the connection is made; reading and writing fail with `WouldBlock` until it is.
    pub non_blocking: bool,
}

/// A TCP connection. It is closed when it is dropped; what was written before still arrives.
#[derive(Debug)]
pub struct TcpStream(tcp::Connection);

impl TcpStream {
    /// Connects to an address or a name; where a name has several addresses, to the first that answers.
    pub fn connect(remote: impl Remote) -> io::Result<Self> {
        Self::connect_with(remote, &ConnectOptions::default())
    }

    /// Connects with options.
    pub fn connect_with(remote: impl Remote, options: &ConnectOptions) -> io::Result<Self> {
        let mut failure = Error::NotFound;
        for address in remote.addresses()? {
            let options = tcp::ConnectOptions {
                local: options.local.map(Into::into),
                timeout_us: microseconds(options.timeout),
                keep_alive: options.keep_alive,
                reuse_address: options.reuse_address,
                receive_buffer: options.receive_buffer,
                send_buffer: options.send_buffer,
                non_blocking: options.non_blocking,
            };
            match tcp::Connection::connect(address.into(), Some(options)) {
                Ok(connection) => return Ok(Self(connection)),
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }

    /// Gives up one direction, or both. What was written before still arrives, then the end.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let direction = match how {
            Shutdown::Read => tcp::Direction::Read,
            Shutdown::Write => tcp::Direction::Write,
            Shutdown::Both => tcp::Direction::Both,
        };
        Ok(self.0.shutdown(direction)?)
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

    pub fn nodelay(&self) -> io::Result<bool> {
        Ok(self.0.no_delay()?)
    }

    pub fn set_nodelay(&self, enabled: bool) -> io::Result<()> {
        Ok(self.0.set_no_delay(enabled)?)
    }

    pub fn keepalive(&self) -> io::Result<bool> {
        Ok(self.0.keep_alive()?)
    }

    pub fn set_keepalive(&self, enabled: bool) -> io::Result<()> {
        Ok(self.0.set_keep_alive(enabled)?)
    }

    /// Whether reading and writing fail with `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, enabled: bool) -> io::Result<()> {
        Ok(self.0.set_non_blocking(enabled)?)
    }

    /// How long reading and writing wait before they fail with `TimedOut`; `None` for as long as it takes.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        Ok(self.0.set_timeout(microseconds(timeout))?)
    }
}

impl Read for &TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let data = self.0.read(u32::try_from(buffer.len()).unwrap_or(u32::MAX))?;
        buffer[..data.len()].copy_from_slice(&data);
        Ok(data.len())
    }
}

impl Write for &TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(data)? as usize)
    }

    /// Does nothing: what is written is on its way.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl Write for TcpStream {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        (&*self).write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How to listen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindOptions {
    /// How many connections may wait to be accepted; the host decides if `None`.
    pub backlog: Option<u32>,
    pub reuse_address: bool,
    /// Let `accept` fail with `WouldBlock` where no connection waits.
    pub non_blocking: bool,
}

/// A listener for TCP connections.
#[derive(Debug)]
pub struct TcpListener(tcp::Listener);

impl TcpListener {
    /// Listens at an address of the VM; port 0 takes a free one.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        Self::bind_with(local, &BindOptions::default())
    }

    /// Listens with options.
    pub fn bind_with(local: SocketAddr, options: &BindOptions) -> io::Result<Self> {
        let options = tcp::BindOptions {
            backlog: options.backlog,
            reuse_address: options.reuse_address,
            non_blocking: options.non_blocking,
        };
        Ok(Self(tcp::Listener::bind(local.into(), Some(options))?))
    }

    /// Waits for the next connection, and says who it is with.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let stream = TcpStream(self.0.accept()?);
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    /// The connections, one after the other, without an end.
    pub fn incoming(&self) -> impl Iterator<Item = io::Result<TcpStream>> + '_ {
        std::iter::repeat_with(|| self.accept().map(|(stream, _)| stream))
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_address()?.into())
    }

    /// Whether `accept` fails with `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, enabled: bool) -> io::Result<()> {
        Ok(self.0.set_non_blocking(enabled)?)
    }

    /// How long `accept` waits before it fails with `TimedOut`; `None` for as long as it takes.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        Ok(self.0.set_timeout(microseconds(timeout))?)
    }
}
