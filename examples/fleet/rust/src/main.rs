//! A member of the fleet in Rust: `member PORT MISSING PEER...`. It says who it is, looks for its peers and for
//! an address that nobody has, and has the first peer echo what it sends, while it echoes for another one.

mod bindings;

use bindings::ingen::fleet::report;
use ingen_wasm_sdk::{lookup, ping, ConnectOptions, EgpEnv, TcpListener, TcpStream};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, missing, peers @ ..] = arguments.as_slice() else {
        return Err(invalid("usage: member PORT MISSING PEER..."));
    };
    let port = port.parse().map_err(invalid)?;
    let missing: IpAddr = missing.parse().map_err(invalid)?;

    let env = EgpEnv::get()?;
    let address = env.ipv4.map(|ip| ip.to_string()).unwrap_or_default();
    println!("{} ({}) in {}, in Rust", env.vm_name, address, env.region);
    let identity = format!("{}, {} in {}", address, env.role, env.region);
    report::outcome("who am I", &env.vm_name, Ok(&identity));

    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port).into())?;
    listener.set_timeout(Some(PATIENCE))?;
    for peer in peers {
        tell("name", peer, lookup(peer).map(|found| found[0].to_string()));
        tell("ping", peer, lookup(peer).and_then(|found| answer_of(found[0])));
    }
    tell("nobody", &missing.to_string(), silence_of(missing));
    if let Some(peer) = peers.first() {
        tell("echo", peer, echo(&listener, &env.vm_name, peer, port));
    }
    Ok(())
}

fn tell(check: &str, target: &str, seen: io::Result<String>) {
    match seen {
        Ok(text) => report::outcome(check, target, Ok(&text)),
        Err(error) => report::outcome(check, target, Err(&error.to_string())),
    }
}

/// A ping that is answered.
fn answer_of(target: IpAddr) -> io::Result<String> {
    let reply = ping(target)?;
    if reply.is_echo_reply() {
        Ok(format!("{} us, TTL {}", reply.duration.as_micros(), reply.ttl))
    } else {
        Err(io::Error::other(format!("ICMP type {} from {}", reply.icmp_type, reply.source)))
    }
}

/// A ping that nobody answers.
fn silence_of(target: IpAddr) -> io::Result<String> {
    match ping(target) {
        Ok(reply) if reply.is_unreachable() => Ok("unreachable".into()),
        Ok(reply) => Err(io::Error::other(format!("{} answers", reply.source))),
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok("no answer".into()),
        Err(error) if error.kind() == ErrorKind::HostUnreachable => Ok("unreachable".into()),
        Err(error) => Err(error),
    }
}

/// Send a greeting to the peer, echo what another one sends, and see the greeting come back.
fn echo(listener: &TcpListener, name: &str, peer: &str, port: u16) -> io::Result<String> {
    let mut outgoing = connect(peer, port)?;
    outgoing.set_nodelay(true)?;
    outgoing.set_ttl(32)?;
    let greeting = format!("{name} greets {peer}. ").repeat(100);
    outgoing.write_all(greeting.as_bytes())?;
    outgoing.shutdown(Shutdown::Write)?;

    let (mut incoming, _) = listener.accept()?;
    let mut heard = Vec::new();
    incoming.read_to_end(&mut heard)?;
    incoming.write_all(&heard)?;
    drop(incoming);

    let mut back = String::new();
    outgoing.read_to_string(&mut back)?;
    if back != greeting {
        return Err(io::Error::other(format!("{} bytes came back changed", back.len())));
    }
    let (nodelay, keepalive) = (outgoing.nodelay()?, outgoing.keepalive()?);
    Ok(format!("{} bytes, no-delay {nodelay}, keep-alive {keepalive}, TTL {}", back.len(), outgoing.ttl()?))
}

/// A connection, once the peer listens.
fn connect(peer: &str, port: u16) -> io::Result<TcpStream> {
    let options = ConnectOptions { timeout: Some(PATIENCE), keep_alive: true, ..Default::default() };
    for _ in 0..PATIENCE.as_millis() / BETWEEN_TRIES.as_millis() {
        match TcpStream::connect_with((peer, port), &options) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::thread::sleep(BETWEEN_TRIES),
            other => return other,
        }
    }
    Err(ErrorKind::ConnectionRefused.into())
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, error.to_string())
}
