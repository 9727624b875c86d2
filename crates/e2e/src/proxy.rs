//! A proxy such as stands in front of many servers: it takes requests at an address of its own, and hands them on with
//! another `Host`. Started by tests; ends with their process.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Longest head of a request that is handed on.
const MOST_HEAD_BYTES: usize = 16 * 1024;

/// Hands on what comes to a new address to the server at `to` (`http://127.0.0.1:PORT`), as if it had been asked for
/// by the name `host`; gives back the new address.
///
/// # Panics
/// When no port can be had.
pub fn renaming_proxy(to: &str, host: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let (to, host) = (to.trim_start_matches("http://").to_owned(), host.to_owned());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (to, host) = (to.clone(), host.clone());
            // A connection that breaks is its client's to notice.
            thread::spawn(move || hand_on(stream, &to, &host));
        }
    });
    format!("http://{address}")
}

fn hand_on(mut client: TcpStream, to: &str, host: &str) -> io::Result<()> {
    let mut seen = Vec::new();
    let end = loop {
        if let Some(end) = seen.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        let mut piece = [0; 1024];
        match client.read(&mut piece)? {
            0 => return Ok(()),
            _ if seen.len() > MOST_HEAD_BYTES => return Ok(()),
            length => seen.extend_from_slice(&piece[..length]),
        }
    };
    let head = String::from_utf8_lossy(&seen[..end]);
    let renamed: Vec<String> = head
        .split("\r\n")
        .map(|line| match line.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("host") => format!("Host: {host}"),
            _ => line.to_owned(),
        })
        .collect();
    let mut server = TcpStream::connect(to)?;
    server.write_all(renamed.join("\r\n").as_bytes())?;
    server.write_all(&seen[end..])?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || io::copy(&mut from_client, &mut to_server).map(drop));
    io::copy(&mut server, &mut client)?;
    // The client may still be open; nothing more is awaited from it.
    client.shutdown(Shutdown::Both)?;
    up.join().unwrap_or(Ok(()))
}
