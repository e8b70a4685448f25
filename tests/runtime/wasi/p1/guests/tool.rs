//! What Rust's standard library does with files, folders, time and the environment.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn kind<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn main() -> io::Result<()> {
    println!("arguments: {:?}", std::env::args().collect::<Vec<_>>());
    println!("variable: {:?}", std::env::var("NAME"));
    for line in io::stdin().lock().lines() {
        println!("line: {}", line?);
    }

    let root = Path::new("/data");
    fs::create_dir_all(root.join("a/b/c"))?;
    fs::write(root.join("a/b/c/file"), "text")?;
    println!("read: {}", fs::read_to_string("/data/a/b/c/file")?);
    println!("copied: {}", fs::copy("/data/a/b/c/file", "/data/copy")?);
    fs::rename("/data/copy", "/data/moved")?;
    let mut file = OpenOptions::new().read(true).append(true).open("/data/moved")?;
    file.write_all(b" and more")?;
    file.seek(SeekFrom::Start(2))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    println!("from the third byte: {text}");
    file.sync_all()?;
    let metadata = file.metadata()?;
    println!("length {}, file {}, read-only {}", metadata.len(), metadata.is_file(), metadata.permissions().readonly());
    file.set_modified(UNIX_EPOCH + Duration::from_secs(5))?;
    println!("modified: {:?}", fs::metadata("/data/moved")?.modified()?.duration_since(UNIX_EPOCH));

    for index in 0..50 {
        File::create(format!("/data/a/{index}"))?;
    }
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir("/data/a")? {
        let entry = entry?;
        names.push(format!("{} {}", entry.file_name().to_string_lossy(), entry.file_type()?.is_dir()));
    }
    names.sort();
    println!("{} entries: {:?}", names.len(), &names[..3]);
    fs::remove_dir_all("/data/a")?;

    println!("missing: {}", kind(File::open("/data/missing")));
    println!("there: {}", kind(File::create_new("/data/moved")));
    println!("a folder: {}", kind(fs::remove_file("/data")));
    println!("outside: {}", kind(File::open("/data/../../etc/passwd")));
    println!("elsewhere: {}", kind(File::open("/etc/passwd")));
    println!("not empty: {}", kind(fs::remove_dir("/data")));

    let begin = Instant::now();
    std::thread::sleep(Duration::from_millis(2));
    println!("slept: {}", begin.elapsed() >= Duration::from_millis(2));
    println!("now: {}", SystemTime::now() > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let map: HashMap<_, _> = (0..100).map(|number| (number, number * number)).collect();
    println!("map: {}", map.values().sum::<i32>());
    io::stderr().write_all(b"done\n")?;
    std::process::exit(3);
}
