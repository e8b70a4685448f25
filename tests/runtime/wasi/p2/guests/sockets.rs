//! A program that uses the sockets of Rust's standard library. The first argument says what to do.

use std::env;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let peer = arguments.get(2).cloned().unwrap_or_default();
    match arguments[1].as_str() {
        "serve" => serve(&peer),
        "fetch" => fetch(&peer),
        "answer" => answer(&peer),
        "ask" => ask(&peer),
        "errors" => errors(&peer),
        "options" => options(&peer),
        "lookup" => arguments[2..].iter().for_each(|name| lookup(name)),
        "hoard" => hoard(),
        _ => panic!("what?"),
    }
}

/// Take one connection, and answer with how much came, and then as much.
fn serve(local: &str) {
    let listener = TcpListener::bind(local).unwrap();
    println!("serving at {}", listener.local_addr().unwrap());
    let (mut connection, peer) = listener.accept().unwrap();
    assert_eq!(peer, connection.peer_addr().unwrap());
    let mut found = Vec::new();
    connection.read_to_end(&mut found).unwrap();
    println!("{} bytes from {}", found.len(), peer.ip());
    connection.write_all(format!("{}\n", found.len()).as_bytes()).unwrap();
    connection.write_all(&found).unwrap();
}

fn fetch(remote: &str) {
    let mut connection = connect(remote);
    let sent: Vec<u8> = (0..1_000_000).map(|number: u32| (number % 251) as u8).collect();
    connection.write_all(&sent).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    assert_eq!(connection.write(b"x").map_err(|error| error.kind()), Err(ErrorKind::BrokenPipe));
    let mut found = Vec::new();
    connection.read_to_end(&mut found).unwrap();
    let (line, rest) = found.split_at(8);
    println!("{:?} {}", String::from_utf8_lossy(line), rest == sent);
}

/// A connection; the server may need some time to begin.
fn connect(remote: &str) -> TcpStream {
    loop {
        match TcpStream::connect(remote) {
            Ok(connection) => return connection,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn answer(local: &str) {
    let socket = UdpSocket::bind(local).unwrap();
    println!("answering at {}", socket.local_addr().unwrap());
    let mut buffer = [0; 2000];
    loop {
        let (count, peer) = socket.recv_from(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        buffer[..count].reverse();
        socket.send_to(&buffer[..count], peer).unwrap();
    }
    println!("answered");
}

fn ask(remote: &str) {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    socket.connect(remote).unwrap();
    println!("{}", socket.peer_addr().unwrap());
    let mut buffer = [0; 2000];
    // The first ones may come before the other side listens: then they are lost, or refused.
    socket.set_nonblocking(true).unwrap();
    loop {
        let _ = socket.send(b"ready?");
        std::thread::sleep(std::time::Duration::from_millis(5));
        if socket.recv(&mut buffer).is_ok() {
            break;
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(5));
    while socket.recv(&mut buffer).is_ok() {}
    socket.set_nonblocking(false).unwrap();
    for number in 0..100 {
        socket.send(format!("question {number}").as_bytes()).unwrap();
        let count = socket.recv(&mut buffer).unwrap();
        buffer[..count].reverse();
        assert_eq!(&buffer[..count], format!("question {number}").as_bytes());
    }
    socket.send(b"").unwrap();
    println!("asked");
}

fn errors(peer: &str) {
    let kind = |result: std::io::Result<TcpStream>| result.map(|_| ()).map_err(|error| error.kind());
    println!("refused {:?}", kind(TcpStream::connect((peer, 9))));
    println!("unreachable {:?}", kind(TcpStream::connect(("192.0.2.1", 9))));
    println!("nowhere {:?}", kind(TcpStream::connect(("0.0.0.0", 9))));
    let bind = |address: &str| TcpListener::bind(address).map_err(|error| error.kind());
    let first = bind("0.0.0.0:80");
    println!("in use {:?}", bind("0.0.0.0:80").map(|_| ()));
    println!("not mine {:?}", bind("10.9.9.9:80").map(|_| ()));
    println!("multicast {:?}", bind("224.0.0.1:80").map(|_| ()));
    println!("first {:?}", first.unwrap().local_addr());
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    println!("large {}", socket.send_to(&[0; 65_508], (peer, 9)).is_err());
    println!("no peer {}", socket.send(b"x").is_err());
}

fn options(peer: &str) {
    let connection = connect(peer);
    connection.set_nodelay(true).unwrap();
    connection.set_ttl(17).unwrap();
    println!("{} {}", connection.nodelay().unwrap(), connection.ttl().unwrap());
    println!("{:?}", connection.take_error());
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    listener.set_ttl(5).unwrap();
    println!("{} {}", listener.ttl().unwrap(), listener.local_addr().unwrap().port() > 0);
}

fn lookup(name: &str) {
    let found = (name, 80).to_socket_addrs().map(|found| {
        let mut found: Vec<SocketAddr> = found.collect();
        found.sort();
        found
    });
    println!("{name}: {:?}", found.map_err(|error| error.kind()));
}

/// Make sockets until there are no more.
fn hoard() {
    let mut held = Vec::new();
    let error = loop {
        match UdpSocket::bind("0.0.0.0:0") {
            Ok(socket) => held.push(socket),
            Err(error) => break error,
        }
    };
    println!("{} {:?}", held.len(), error.kind());
}
