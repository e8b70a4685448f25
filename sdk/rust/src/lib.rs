//! What a guest process of an emulated VM reaches beyond WASI: pings, sockets with their options, names, and
//! who and where it is.
//!
//! ```no_run
//! use ingen_wasm_sdk::{ping, EgpEnv, TcpStream};
//! use std::io::{Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! let env = EgpEnv::get()?;
//! println!("{} in {}", env.vm_name, env.region);
//!
//! let reply = ping("10.0.0.2".parse().unwrap())?;
//! println!("{} answers within {:?}", reply.source, reply.duration);
//!
//! let mut stream = TcpStream::connect(("database", 5432))?;
//! stream.write_all(b"hello")?;
//! let mut answer = Vec::new();
//! stream.read_to_end(&mut answer)?;
//! # Ok(())
//! # }
//! ```
//!
//! Types and names are those of `std` where it has them, and every error is a [`std::io::Error`]; [`cause`] has
//! the one of the SDK that is behind it. What was generated from the SDK's WIT is in [`bindings`].
//!
//! Build for `wasm32-wasip2`, `wasm32-wasip1` or `wasm32-unknown-unknown`. On other targets everything compiles,
//! so that the rest of a program can be tested, but only [`EgpEnv`] works there: it reads the variables of the
//! process.

pub mod bindings;

mod addresses;
mod dns;
mod environment;
mod errors;
mod icmp;
mod tcp;
mod udp;

pub use bindings::ingen::sdk::types::Error;

pub use addresses::Remote;
pub use dns::lookup;
pub use environment::EgpEnv;
pub use errors::cause;
pub use icmp::{ping, Ping, PingReply};
pub use tcp::{BindOptions, ConnectOptions, TcpListener, TcpStream};
pub use udp::{UdpOptions, UdpSocket};

// Without this nothing refers to the crate, and the linker would not look into it.
extern crate ingen_wasm_realloc as _;

use std::time::Duration;

/// Microseconds, as the host takes them.
fn microseconds(duration: Option<Duration>) -> Option<u64> {
    duration.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
