//! What `benchmarks.wasi --preview 2` times: the first argument says what, the second how often.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Instant;
use std::{env, process};

const CHUNK: usize = 64 << 10;
const FILE: &str = "/bench.dat";

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    let times: usize = arguments[2].parse().unwrap();
    let mut buffer = vec![0; CHUNK];
    match arguments[1].as_str() {
        "write" => write(&buffer, times),
        "read" => read(&mut buffer, times),
        "read-1" => read(&mut buffer[..1], times),
        "write-1" => write(&buffer[..1], times),
        "clock" => {
            for _ in 0..times {
                black_box(Instant::now());
            }
            Ok(())
        }
        "stat" => (0..times).try_for_each(|_| fs::metadata(FILE).map(|found| drop(black_box(found)))),
        "open" => (0..times).try_for_each(|_| File::open(FILE).map(drop)),
        "print" => {
            let mut out = io::stdout().lock();
            (0..times).try_for_each(|_| out.write_all(b"a line of text, as programs print them\n"))
        }
        _ => process::exit(2),
    }
}

/// Write into a file of 16 MiB at most.
fn write(data: &[u8], times: usize) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(false).open(FILE)?;
    for number in 0..times {
        if number % 256 == 0 {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(data)?;
    }
    Ok(())
}

fn read(buffer: &mut [u8], times: usize) -> io::Result<()> {
    let mut file = File::open(FILE)?;
    for _ in 0..times {
        if file.read(buffer)? == 0 {
            file.seek(SeekFrom::Start(0))?;
        }
    }
    Ok(())
}
