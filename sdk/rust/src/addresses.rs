//! Addresses of `std::net` and of the bindings, in both directions.

use crate::bindings::ingen::sdk::types::{Endpoint, Error, IpAddress, Ipv4Address, Ipv6Address};
use crate::lookup;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub(crate) fn ipv4(address: Ipv4Address) -> Ipv4Addr {
    let (a, b, c, d) = address;
    Ipv4Addr::new(a, b, c, d)
}

pub(crate) fn ipv6(address: Ipv6Address) -> Ipv6Addr {
    let (a, b, c, d, e, f, g, h) = address;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

impl From<IpAddress> for IpAddr {
    fn from(address: IpAddress) -> Self {
        match address {
            IpAddress::Ipv4(address) => ipv4(address).into(),
            IpAddress::Ipv6(address) => ipv6(address).into(),
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                IpAddress::Ipv4((a, b, c, d))
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h] = address.segments();
                IpAddress::Ipv6((a, b, c, d, e, f, g, h))
            }
        }
    }
}

impl From<Endpoint> for SocketAddr {
    fn from(endpoint: Endpoint) -> Self {
        SocketAddr::new(endpoint.address.into(), endpoint.port)
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Endpoint { address: address.ip().into(), port: address.port() }
    }
}

/// What one can connect to: an address with a port, or a name with a port, which is looked up.
///
/// ```
/// use ingen_wasm_sdk::Remote;
/// use std::net::{Ipv4Addr, SocketAddr};
///
/// # fn main() -> std::io::Result<()> {
/// let expected: SocketAddr = "10.0.0.2:80".parse().unwrap();
/// assert_eq!(expected.addresses()?, [expected]);
/// assert_eq!((Ipv4Addr::new(10, 0, 0, 2), 80).addresses()?, [expected]);
/// assert_eq!(("10.0.0.2", 80).addresses()?, [expected]);
/// assert_eq!("10.0.0.2:80".addresses()?, [expected]);
/// # Ok(())
/// # }
/// ```
pub trait Remote {
    /// The addresses, in the order in which they are to be tried: at least one.
    fn addresses(&self) -> io::Result<Vec<SocketAddr>>;
}

impl Remote for SocketAddr {
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![*self])
    }
}

impl Remote for (IpAddr, u16) {
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::new(self.0, self.1)])
    }
}

impl Remote for (Ipv4Addr, u16) {
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        (IpAddr::from(self.0), self.1).addresses()
    }
}

impl Remote for (Ipv6Addr, u16) {
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        (IpAddr::from(self.0), self.1).addresses()
    }
}

impl Remote for (&str, u16) {
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        let (name, port) = *self;
        let found = match name.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => lookup(name)?,
        };
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}

impl Remote for &str {
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Ok(vec![address]);
        }
        let parts = self.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
        let Some((name, port)) = parts else {
            return Err(Error::Invalid(format!("{self:?} is not NAME:PORT")).into());
        };
        (name, port).addresses()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_both_ways() {
        for text in ["0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "fd00::1:2", "1:2:3:4:5:6:7:8"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(IpAddr::from(IpAddress::from(address)), address);
            let endpoint = SocketAddr::new(address, 65535);
            assert_eq!(SocketAddr::from(Endpoint::from(endpoint)), endpoint);
        }
    }

    #[test]
    fn a_text_without_a_port_is_refused() {
        for text in ["10.0.0.1", "name", "name:", "name:http", "name:65536"] {
            assert_eq!(text.addresses().unwrap_err().kind(), io::ErrorKind::InvalidInput, "{text}");
        }
    }
}
