//! The scenarios in Rust.

mod scenarios;

use ingen_wasm_sdk::{
    cause, lookup, BindOptions, ConnectOptions, EgpEnv, Error, Ping, TcpListener, TcpStream, UdpSocket,
};
use scenarios::report;
use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

struct Component;

scenarios::export!(Component);

const SHORT: Duration = Duration::from_millis(20);

impl scenarios::Guest for Component {
    fn run(scenario: String, arguments: Vec<String>) -> Result<String, String> {
        run(&scenario, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).map_err(name)
    }
}

fn run(scenario: &str, arguments: &[&str]) -> io::Result<String> {
    match (scenario, arguments) {
        ("address", [text]) => {
            Ok(text.parse::<IpAddr>().map_or("no address".into(), |found| found.to_string()))
        }
        ("endpoint", [text]) => {
            Ok(text.parse::<SocketAddr>().map_or("no endpoint".into(), |found| found.to_string()))
        }
        ("env", []) => env(),
        ("ping", [target, options @ ..]) => ping(address(target), options),
        ("ping-many", [target, count]) => ping_many(address(target), number(count)),
        ("lookup", [name]) => Ok(joined(lookup(name)?)),
        ("connect", [remote]) => connect(remote, None),
        ("connect", [remote, timeout_ms]) => connect(remote, Some(number(timeout_ms))),
        ("connect-name", [name, port]) => {
            TcpStream::connect((*name, number(port) as u16)).map(|_| "connected".into())
        }
        ("connect-from", [local, remote]) => connect_from(local, remote),
        ("listen", [local]) => listen(local),
        ("listen-twice", [local]) => listen_twice(local),
        ("echo-server", [local, count]) => echo_server(local, number(count)),
        ("echo-client", [remote, size]) => echo_client(remote, number(size)),
        ("answer-server", [local]) => answer_server(local),
        ("answer-client", [remote]) => answer_client(remote),
        ("late-server", [local]) => late_server(local),
        ("late-client", [remote]) => late_client(remote),
        ("accept-would-block", [local]) => accept_would_block(local),
        ("accept-timeout", [local]) => accept_timeout(local),
        ("silent-server", [local]) => silent_server(local),
        ("read-timeout", [remote]) => read_timeout(remote),
        ("write-would-block", [remote]) => write_would_block(remote),
        ("reset-server", [local]) => reset_server(local),
        ("reset-client", [remote]) => reset_client(remote),
        ("refused-later", [remote]) => refused_later(remote),
        ("udp-server", [local]) => udp_server(local),
        ("udp-client", [local, remote]) => udp_client(local, remote),
        ("udp-refused", [local, remote]) => udp_refused(local, remote),
        ("udp-waits", [local]) => udp_waits(local),
        ("udp-too-long", [local, remote]) => udp_too_long(local, remote),
        ("sockets", [local, count]) => sockets(local, number(count)),
        ("bulk-send", [remote, size, chunk]) => bulk_send(remote, number(size), number(chunk)),
        ("bulk-receive", [local]) => bulk_receive(local),
        ("round-trips", [remote, count]) => round_trips(remote, number(count)),
        _ => panic!("no scenario {scenario} with {} arguments", arguments.len()),
    }
}

// --- Arguments and results ------------------------------------------------------------------------------

fn name(error: io::Error) -> String {
    match cause(&error) {
        Some(Error::Denied(text)) => format!("denied: {text}"),
        Some(Error::Invalid(text)) => format!("invalid: {text}"),
        Some(Error::Other(text)) => format!("other: {text}"),
        Some(error) => error.to_string(),
        None => format!("not of the SDK: {error}"),
    }
}

/// The name of the case that a call has failed with.
fn failure<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "success".into(),
        Err(error) => name(error),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn endpoint(text: &str) -> SocketAddr {
    text.parse().expect("an address with a port")
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

fn or_none<T: Display>(value: Option<T>) -> String {
    value.map_or("-".into(), |value| value.to_string())
}

fn listening(local: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(endpoint(local))?;
    report(&format!("listening {}", listener.local_addr()?));
    Ok(listener)
}

fn pattern(size: u32) -> Vec<u8> {
    (0..size).map(|i| (i % 251) as u8).collect()
}

// --- Environment, ICMP, DNS -----------------------------------------------------------------------------

fn env() -> io::Result<String> {
    let env = EgpEnv::get()?;
    Ok(format!(
        "folders={} process={} region={} dc={} cluster={} host={} name={} owner={} role={} ipv4={} ipv6={}",
        joined(env.vm_data_folders.iter().map(|path| path.display())),
        joined(env.process_data_folders.iter().map(|path| path.display())),
        env.region,
        env.data_center,
        env.cluster,
        env.host,
        env.vm_name,
        env.owner,
        env.role,
        or_none(env.ipv4),
        or_none(env.ipv6),
    ))
}

fn ping(target: IpAddr, options: &[&str]) -> io::Result<String> {
    let mut ping = Ping::default();
    for option in options {
        let (key, value) = option.split_once('=').expect("KEY=VALUE");
        match key {
            "source" => ping.source = Some(address(value)),
            "identifier" => ping.identifier = Some(number(value) as u16),
            "sequence" => ping.sequence = Some(number(value) as u16),
            "ttl" => ping.ttl = Some(number(value) as u8),
            "size" => ping.size = Some(number(value) as u16),
            "timeout-ms" => ping.timeout = Some(Duration::from_millis(number(value).into())),
            _ => panic!("no option {key}"),
        }
    }
    let reply = ping.send(target)?;
    let what = if reply.is_echo_reply() {
        "echo reply"
    } else if reply.is_unreachable() {
        "unreachable"
    } else if reply.is_time_exceeded() {
        "time exceeded"
    } else {
        "something else"
    };
    Ok(format!(
        "{what} from {} to {} type={} code={} identifier={} sequence={} ttl={} size={} in-time={}",
        reply.source,
        reply.destination,
        reply.icmp_type,
        reply.icmp_code,
        reply.identifier,
        reply.sequence,
        reply.ttl,
        reply.packet_size,
        reply.duration < Duration::from_secs(1),
    ))
}

fn ping_many(target: IpAddr, count: u32) -> io::Result<String> {
    let mut answers = 0;
    for _ in 0..count {
        answers += u32::from(ingen_wasm_sdk::ping(target)?.is_echo_reply());
    }
    Ok(format!("{answers} answers"))
}

// --- TCP ------------------------------------------------------------------------------------------------

fn connect(remote: &str, timeout_ms: Option<u32>) -> io::Result<String> {
    let timeout = timeout_ms.map(|time| Duration::from_millis(time.into()));
    let options = ConnectOptions { timeout, ..Default::default() };
    let stream = TcpStream::connect_with(endpoint(remote), &options)?;
    Ok(format!("connected to {}", stream.peer_addr()?))
}

fn connect_from(local: &str, remote: &str) -> io::Result<String> {
    let options = ConnectOptions { local: Some(endpoint(local)), reuse_address: true, ..Default::default() };
    let stream = TcpStream::connect_with(endpoint(remote), &options)?;
    Ok(format!("connected from {}", stream.local_addr()?.ip()))
}

fn listen(local: &str) -> io::Result<String> {
    Ok(format!("listening {}", TcpListener::bind(endpoint(local))?.local_addr()?.ip()))
}

fn listen_twice(local: &str) -> io::Result<String> {
    let first = TcpListener::bind(endpoint(local))?;
    let taken = first.local_addr()?;
    let again = failure(TcpListener::bind(taken));
    drop(first);
    let options = BindOptions { backlog: Some(1), reuse_address: true, non_blocking: false };
    Ok(format!("{again}, then {}", failure(TcpListener::bind_with(taken, &options))))
}

/// Sends what comes back, for `count` connections, one after the other.
fn echo_server(local: &str, count: u32) -> io::Result<String> {
    let listener = listening(local)?;
    let mut total = 0;
    for stream in listener.incoming().take(count as usize) {
        let mut stream = stream?;
        let mut buffer = vec![0; 65536];
        loop {
            let length = stream.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            stream.write_all(&buffer[..length])?;
            total += length;
        }
    }
    Ok(format!("{total} bytes"))
}

fn echo_client(remote: &str, size: u32) -> io::Result<String> {
    let options = ConnectOptions {
        timeout: Some(Duration::from_secs(10)),
        keep_alive: true,
        receive_buffer: Some(65536),
        send_buffer: Some(65536),
        ..Default::default()
    };
    let mut stream = TcpStream::connect_with(remote, &options)?;
    let keep_alive = stream.keepalive()?;
    stream.set_keepalive(false)?;
    stream.set_nodelay(true)?;
    stream.set_ttl(42)?;
    stream.set_timeout(Some(Duration::from_secs(10)))?;
    let peer = stream.peer_addr()?;
    let sent = pattern(size);
    let mut received = Vec::new();
    for chunk in sent.chunks(16384) {
        stream.write_all(chunk)?;
        let start = received.len();
        received.resize(start + chunk.len(), 0);
        stream.read_exact(&mut received[start..])?;
    }
    stream.shutdown(Shutdown::Write)?;
    stream.read_to_end(&mut received)?;
    Ok(format!(
        "{} bytes, same={} keep-alive={keep_alive},{} no-delay={} ttl={} peer={peer}",
        received.len(),
        received == sent,
        stream.keepalive()?,
        stream.nodelay()?,
        stream.ttl()?,
    ))
}

/// Answers once the client has said all that it has to say.
fn answer_server(local: &str) -> io::Result<String> {
    let (mut stream, _) = listening(local)?.accept()?;
    let mut question = String::new();
    stream.read_to_string(&mut question)?;
    write!(stream, "answer to {question}")?;
    Ok(question)
}

fn answer_client(remote: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(remote)?;
    stream.write_all(b"question")?;
    stream.shutdown(Shutdown::Write)?;
    let written = failure(stream.write(b"more"));
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(format!("{answer}, {written}"))
}

/// Writes when it is told to: after a byte has come.
fn late_server(local: &str) -> io::Result<String> {
    let (mut stream, _) = listening(local)?.accept()?;
    stream.read_exact(&mut [0])?;
    stream.write_all(b"late")?;
    stream.read_to_end(&mut Vec::new())?;
    Ok("done".into())
}

fn late_client(remote: &str) -> io::Result<String> {
    let options = ConnectOptions { non_blocking: true, ..Default::default() };
    let mut stream = TcpStream::connect_with(endpoint(remote), &options)?;
    let early = failure(stream.read(&mut [0; 16]));
    stream.set_nonblocking(false)?;
    stream.write_all(b"!")?;
    let mut word = [0; 4];
    stream.read_exact(&mut word)?;
    Ok(format!("{early}, then {}", String::from_utf8_lossy(&word)))
}

fn accept_would_block(local: &str) -> io::Result<String> {
    let options = BindOptions { non_blocking: true, ..Default::default() };
    let listener = TcpListener::bind_with(endpoint(local), &options)?;
    let first = failure(listener.accept());
    listener.set_nonblocking(false)?;
    listener.set_timeout(Some(SHORT))?;
    Ok(format!("{first}, then {}", failure(listener.accept())))
}

fn accept_timeout(local: &str) -> io::Result<String> {
    let listener = TcpListener::bind(endpoint(local))?;
    listener.set_timeout(Some(SHORT))?;
    listener.accept()?;
    Ok("accepted".into())
}

/// Says and reads nothing until the client has gone.
fn silent_server(local: &str) -> io::Result<String> {
    let listener = listening(local)?;
    let (_stream, _) = listener.accept()?;
    listener.accept()?;
    Ok("done".into())
}

fn read_timeout(remote: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(remote)?;
    stream.set_timeout(Some(SHORT))?;
    let result = failure(stream.read(&mut [0; 16]));
    TcpStream::connect(remote)?;
    Ok(result)
}

fn write_would_block(remote: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(remote)?;
    stream.set_nonblocking(true)?;
    let data = vec![0; 65536];
    let mut taken = 0;
    let first = loop {
        match stream.write(&data) {
            Ok(length) => taken += length,
            Err(error) => break name(error),
        }
    };
    stream.set_nonblocking(false)?;
    stream.set_timeout(Some(SHORT))?;
    // There may be room for some of it by now, so the timeout may come with the second call.
    let second = failure(stream.write_all(&data.repeat(64)));
    TcpStream::connect(remote)?;
    Ok(format!("{first}, then {second}, some={}", taken > 0))
}

/// Goes while something is unread, which resets the connection.
fn reset_server(local: &str) -> io::Result<String> {
    let (mut stream, _) = listening(local)?.accept()?;
    stream.read_exact(&mut [0])?;
    Ok("gone".into())
}

fn reset_client(remote: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(remote)?;
    stream.write_all(&[0; 4096])?;
    let length = stream.read(&mut [0; 16])?;
    Ok(format!("not reset, but {length} bytes"))
}

/// A connection that cannot be made says so when it is used.
fn refused_later(remote: &str) -> io::Result<String> {
    let options = ConnectOptions { non_blocking: true, ..Default::default() };
    let mut stream = TcpStream::connect_with(endpoint(remote), &options)?;
    stream.set_nonblocking(false)?;
    let read = failure(stream.read(&mut [0; 16]));
    Ok(format!("{read}, {}", failure(stream.write(b"x"))))
}

// --- UDP ------------------------------------------------------------------------------------------------

/// Sends datagrams back until an empty one has come.
fn udp_server(local: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(endpoint(local))?;
    report(&format!("listening {}", socket.local_addr()?));
    let mut buffer = vec![0; 65536];
    let mut count = 0;
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        if length == 0 {
            return Ok(format!("{count} datagrams"));
        }
        socket.send_to(&buffer[..length], from)?;
        count += 1;
    }
}

fn udp_client(local: &str, remote: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(endpoint(local))?;
    socket.set_timeout(Some(Duration::from_secs(10)))?;
    socket.set_ttl(33)?;
    let mut buffer = [0; 64];
    socket.send_to(b"first", remote)?;
    let (length, from) = socket.recv_from(&mut buffer)?;
    let first = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let unconnected = failure(socket.send(b"nobody"));
    socket.connect(remote)?;
    socket.send(b"second")?;
    let length = socket.recv(&mut buffer[..3])?;
    let second = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let peer = socket.peer_addr()?;
    socket.disconnect()?;
    socket.send_to(b"", remote)?;
    let without = if unconnected.starts_with("invalid: ") { "invalid" } else { &unconnected };
    Ok(format!(
        "{first} {second} ttl={} same={} without-peer={without}",
        socket.ttl()?,
        from == endpoint(remote) && peer == from,
    ))
}

fn udp_refused(local: &str, remote: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(endpoint(local))?;
    socket.set_timeout(Some(Duration::from_secs(10)))?;
    socket.connect(remote)?;
    socket.send(b"anybody?")?;
    socket.recv(&mut [0; 16])?;
    Ok("answered".into())
}

fn udp_waits(local: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(endpoint(local))?;
    socket.set_nonblocking(true)?;
    let first = failure(socket.recv(&mut [0; 16]));
    socket.set_nonblocking(false)?;
    socket.set_timeout(Some(SHORT))?;
    Ok(format!("{first}, then {}", failure(socket.recv(&mut [0; 16]))))
}

fn udp_too_long(local: &str, remote: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(endpoint(local))?;
    socket.send_to(&vec![0; 70000], remote)?;
    Ok("sent".into())
}

/// Opens sockets until there is an error.
fn sockets(local: &str, count: u32) -> io::Result<String> {
    let opened: Vec<_> = (0..count).map(|_| UdpSocket::bind(endpoint(local))).collect::<Result<_, _>>()?;
    Ok(format!("{} sockets", opened.len()))
}

// --- For measurements -----------------------------------------------------------------------------------

fn bulk_send(remote: &str, size: u32, chunk: u32) -> io::Result<String> {
    let mut stream = TcpStream::connect(remote)?;
    let data = vec![7; chunk as usize];
    let mut left = size as usize;
    while left > 0 {
        let length = left.min(data.len());
        stream.write_all(&data[..length])?;
        left -= length;
    }
    stream.shutdown(Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(format!("{size} bytes"))
}

fn bulk_receive(local: &str) -> io::Result<String> {
    let (mut stream, _) = listening(local)?.accept()?;
    let mut buffer = vec![0; 1 << 18];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(format!("{total} bytes")),
            Ok(length) => total += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn round_trips(remote: &str, count: u32) -> io::Result<String> {
    let mut stream = TcpStream::connect(remote)?;
    stream.set_nodelay(true)?;
    let mut byte = [1];
    for _ in 0..count {
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
    }
    Ok(format!("{count} round trips"))
}
