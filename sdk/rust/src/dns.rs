//! Names.

use crate::bindings::ingen::sdk::dns;
use std::io;
use std::net::IpAddr;

/// The addresses of a name, at least one; an address as text has itself.
///
/// Fails with `NotFound` where there is no such name.
pub fn lookup(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok(dns::lookup(name)?.into_iter().map(IpAddr::from).collect())
}
