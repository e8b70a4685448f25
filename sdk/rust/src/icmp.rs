//! Pings.

use crate::bindings::ingen::sdk::icmp;
use crate::microseconds;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// Sends one echo request to `target` and waits a second for the answer. [`Ping`] has more to choose.
pub fn ping(target: IpAddr) -> io::Result<PingReply> {
    Ping::default().send(target)
}

/// How to ping. What is `None` is left to the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ping {
    /// One of the VM's own addresses.
    pub source: Option<IpAddr>,
    /// Tells concurrent pings apart.
    pub identifier: Option<u16>,
    /// 1 if `None`.
    pub sequence: Option<u16>,
    /// How many routers the request may pass, from 1 on; 64 if `None`.
    pub ttl: Option<u8>,
    /// Bytes of payload after the ICMP header; 56 if `None`.
    pub size: Option<u16>,
    /// A second if `None`.
    pub timeout: Option<Duration>,
}

impl Ping {
    /// Sends one echo request and waits for the answer, which may be an ICMP error.
    ///
    /// Fails with `TimedOut` without an answer, and with `HostUnreachable` where there is no route.
    pub fn send(&self, target: IpAddr) -> io::Result<PingReply> {
        let options = icmp::PingOptions {
            source: self.source.map(Into::into),
            identifier: self.identifier,
            sequence: self.sequence,
            ttl: self.ttl,
            size: self.size,
            timeout_us: microseconds(self.timeout),
        };
        Ok(icmp::ping(target.into(), Some(options))?.into())
    }
}

/// What came back: an echo reply, or an ICMP error about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingReply {
    /// Who answered: the target, or the router that gave up.
    pub source: IpAddr,
    pub destination: IpAddr,
    pub icmp_type: u8,
    pub icmp_code: u8,
    pub identifier: u16,
    pub sequence: u16,
    /// What was left of the answer's TTL when it arrived.
    pub ttl: u8,
    /// Bytes of the ICMP packet that came back, its header included.
    pub packet_size: u32,
    /// From request to answer.
    pub duration: Duration,
}

impl PingReply {
    /// Whether the target has answered.
    pub fn is_echo_reply(&self) -> bool {
        self.icmp_type == if self.source.is_ipv4() { 0 } else { 129 }
    }

    /// Whether somebody said that the target cannot be reached.
    pub fn is_unreachable(&self) -> bool {
        self.icmp_type == if self.source.is_ipv4() { 3 } else { 1 }
    }

    /// Whether a router said that the request's TTL has run out.
    pub fn is_time_exceeded(&self) -> bool {
        self.icmp_type == if self.source.is_ipv4() { 11 } else { 3 }
    }
}

impl From<icmp::PingReply> for PingReply {
    fn from(reply: icmp::PingReply) -> Self {
        Self {
            source: reply.source.into(),
            destination: reply.destination.into(),
            icmp_type: reply.icmp_type,
            icmp_code: reply.icmp_code,
            identifier: reply.identifier,
            sequence: reply.sequence,
            ttl: reply.ttl,
            packet_size: reply.packet_size,
            duration: Duration::from_micros(reply.duration_us),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_meaning_by_family() {
        let reply = |source: &str, icmp_type| PingReply {
            source: source.parse().unwrap(),
            destination: source.parse().unwrap(),
            icmp_type,
            icmp_code: 0,
            identifier: 1,
            sequence: 1,
            ttl: 64,
            packet_size: 64,
            duration: Duration::ZERO,
        };
        let meaning =
            |reply: PingReply| (reply.is_echo_reply(), reply.is_unreachable(), reply.is_time_exceeded());
        assert_eq!(meaning(reply("10.0.0.1", 0)), (true, false, false));
        assert_eq!(meaning(reply("10.0.0.1", 3)), (false, true, false));
        assert_eq!(meaning(reply("10.0.0.1", 11)), (false, false, true));
        assert_eq!(meaning(reply("fd00::1", 129)), (true, false, false));
        assert_eq!(meaning(reply("fd00::1", 1)), (false, true, false));
        assert_eq!(meaning(reply("fd00::1", 3)), (false, false, true));
    }
}
