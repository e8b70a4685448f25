//! A TCP echo server on tokio: it takes as many connections as its argument says, and ends after the last.

use std::env;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

mod nonblocking;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let expected: usize = env::args().nth(1).unwrap().parse().unwrap();
    let listener = TcpListener::bind("0.0.0.0:7").await?;
    let mut connections = JoinSet::new();
    for _ in 0..expected {
        let (stream, _) = listener.accept().await?;
        connections.spawn(timeout(Duration::from_secs(60), echo(stream)));
    }
    println!("{expected} connections are open");
    let mut total = 0;
    while let Some(ended) = connections.join_next().await {
        total += ended???;
    }
    println!("{total} bytes");
    Ok(())
}

async fn echo(mut stream: TcpStream) -> std::io::Result<usize> {
    let mut buffer = [0; 4096];
    let mut total = 0;
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(total);
        }
        stream.write_all(&buffer[..count]).await?;
        total += count;
    }
}
