//! A program that uses Rust's standard library, and prints what it finds. The first argument says what to do.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime};
use std::{env, process, thread};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("environment") => environment(&arguments),
        Some("files") => files(&arguments[2]).unwrap(),
        Some("read-only") => read_only(&arguments[2]).unwrap(),
        Some("time") => time(),
        Some("stdin") => stdin().unwrap(),
        Some("output") => output(arguments[2].parse().unwrap()),
        Some("hold") => hold(&arguments[2]),
        Some("exit") => process::exit(arguments[2].parse().unwrap()),
        Some("panic") => panic!("as it was told"),
        Some("grow") => grow(),
        _ => println!("nothing to do"),
    }
}

fn environment(arguments: &[String]) {
    println!("{:?}", &arguments[1..]);
    let mut variables: Vec<_> = env::vars().collect();
    variables.sort();
    println!("{variables:?} {:?}", env::var("MISSING"));
    println!("{:?}", env::current_dir());
    let numbers: HashMap<u32, u32> = (0..1000).map(|number| (number, number * number)).collect();
    println!("{}", numbers[&31]);
}

fn files(folder: &str) -> io::Result<()> {
    let path = |name: &str| format!("{folder}/{name}");
    fs::create_dir_all(path("deep/deeper"))?;
    fs::write(path("deep/one.txt"), "first line\n")?;
    let mut file = OpenOptions::new().append(true).open(path("deep/one.txt"))?;
    file.write_all("second line\n".as_bytes())?;
    file.sync_all()?;
    print!("{}", fs::read_to_string(path("deep/one.txt"))?);

    let mut file = OpenOptions::new().read(true).write(true).create(true).open(path("two.bin"))?;
    file.write_all(&[7; 100_000])?;
    println!("{}", file.seek(SeekFrom::Start(50_000))?);
    file.write_all(b"middle")?;
    file.set_len(60_000)?;
    println!("{} {}", file.seek(SeekFrom::End(-10_000))?, file.stream_position()?);
    let mut found = Vec::new();
    println!("{} {:?}", file.read_to_end(&mut found)?, &found[..8]);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 5_000);
    file.set_times(fs::FileTimes::new().set_modified(long_ago).set_accessed(long_ago))?;
    let metadata = file.metadata()?;
    println!("{} {:?} {}", metadata.len(), metadata.modified()? == long_ago, metadata.is_file());

    fs::rename(path("two.bin"), path("deep/three.bin"))?;
    fs::hard_link(path("deep/three.bin"), path("four.bin"))?;
    fs::copy(path("deep/one.txt"), path("five.txt"))?;
    let mut names: Vec<_> = fs::read_dir(path("deep"))?
        .map(|entry| entry.map(|entry| (entry.file_name(), entry.file_type().unwrap().is_dir())))
        .collect::<io::Result<_>>()?;
    names.sort();
    println!("{names:?}");

    for name in ["missing", "five.txt/below", "../outside", "deep/../../outside", "/etc/passwd"] {
        println!("{name}: {:?}", File::open(path(name)).map(|_| ()).map_err(|error| error.kind()));
    }
    println!("{:?}", fs::read_link(path("link")));
    println!("{:?}", fs::read_to_string(path("link")));
    println!("{:?}", fs::read_to_string(path("escape")).map_err(|error| error.kind()));
    println!("{:?}", fs::symlink_metadata(path("link"))?.file_type().is_symlink());
    println!("{:?}", File::create_new(path("five.txt")).map(|_| ()).map_err(|error| error.kind()));
    println!("{:?}", fs::create_dir(path("deep")).map_err(|error| error.kind()));
    println!("{:?}", fs::remove_dir(path("deep")).map_err(|error| error.kind()));
    println!("{:?}", fs::remove_file(path("deep")).map_err(|error| error.kind() != ErrorKind::NotFound));
    println!("{:?}", fs::read(path("deep")).map_err(|error| error.kind()));
    fs::remove_file(path("four.bin"))?;
    fs::remove_dir_all(path("deep"))?;
    println!("{:?}", fs::metadata(path("deep")).map(|_| ()).map_err(|error| error.kind()));
    Ok(())
}

fn read_only(folder: &str) -> io::Result<()> {
    let path = |name: &str| format!("{folder}/{name}");
    println!("{:?}", fs::read_to_string(path("given.txt")));
    println!("{:?}", fs::read_dir(folder)?.count());
    println!("{}", fs::write(path("given.txt"), "changed").is_err());
    println!("{}", fs::write(path("new.txt"), "new").is_err());
    println!("{}", fs::create_dir(path("new")).is_err());
    println!("{}", fs::remove_file(path("given.txt")).is_err());
    println!("{}", fs::rename(path("given.txt"), path("moved.txt")).is_err());
    Ok(())
}

fn time() {
    let (start, wall) = (Instant::now(), SystemTime::now());
    thread::sleep(Duration::from_millis(30));
    let elapsed = start.elapsed();
    println!("{}", elapsed >= Duration::from_millis(30) && elapsed < Duration::from_secs(30));
    println!("{}", wall.elapsed().is_ok());
    println!("{}", wall.duration_since(SystemTime::UNIX_EPOCH).unwrap() > Duration::from_secs(1_700_000_000));
}

fn stdin() -> io::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    println!("line {line:?}");
    let mut rest = Vec::new();
    io::stdin().read_to_end(&mut rest)?;
    println!("{} {}", rest.len(), rest.iter().map(|byte| u64::from(*byte)).sum::<u64>());
    Ok(())
}

fn output(count: usize) {
    let line = [b'x'; 79];
    let mut out = io::stdout().lock();
    for _ in 0..count {
        if out.write_all(&line).and_then(|()| out.write_all(b"\n")).is_err() {
            process::exit(1);
        }
    }
}

/// Open a file again and again, and keep it open.
fn hold(name: &str) {
    let mut held = Vec::new();
    let error = loop {
        match File::open(name) {
            Ok(file) => held.push(file),
            Err(error) => break error,
        }
    };
    println!("{} {:?}", held.len(), error.kind());
}

fn grow() {
    let mut held: Vec<Vec<u8>> = Vec::new();
    let mut next = Vec::new();
    while next.try_reserve_exact(1 << 20).is_ok() {
        held.push(std::mem::take(&mut next));
    }
    println!("{} MiB", held.len());
}
