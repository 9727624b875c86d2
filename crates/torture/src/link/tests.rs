//! Each thing that can be wrong with a link, seen from both of its ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use super::*;

/// Both ends of one connection over a link, and the link.
struct Line {
    link: Link,
    client: TcpStream,
    server: TcpStream,
    _runtime: tokio::runtime::Runtime,
}

fn trouble(how: How, within_bytes: u64) -> Trouble {
    Trouble {
        how,
        share: 2.0,
        within_bytes,
        most_delay: Duration::from_millis(1),
    }
}

fn line() -> Line {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = listener.local_addr().expect("an address");
    let link = Link::open(runtime.handle(), target, Dice::new(1, 1)).expect("a link");
    let client = TcpStream::connect(link.address).expect("somebody listens");
    let (server, _) = listener.accept().expect("it is handed on");
    for end in [&client, &server] {
        end.set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a bound");
    }
    Line {
        link,
        client,
        server,
        _runtime: runtime,
    }
}

/// What came at one end until its connection was over, and how it was over.
fn rest(mut end: &TcpStream) -> (usize, Option<ErrorKind>) {
    let (mut bytes, mut piece) = (0, [0; 1_024]);
    loop {
        match end.read(&mut piece) {
            Ok(0) => return (bytes, None),
            Ok(more) => bytes += more,
            Err(error) => return (bytes, Some(error.kind())),
        }
    }
}

#[test]
fn a_sound_link_hands_on_both_ways_and_each_way_ends_by_itself() {
    let mut line = line();
    line.client.write_all(b"GET / HTTP/1.1").expect("it is open");
    line.client.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(rest(&line.server), (14, None));
    line.server.write_all(b"200").expect("it is open");
    drop(line.server);
    assert_eq!(rest(&line.client), (3, None));
    assert!(line.link.dials().is_empty(), "a question is no dial");
}

#[test]
fn a_connection_is_cut_before_the_drawn_byte_is_past() {
    let mut line = line();
    line.link.trouble(trouble(How::Cut, 100));
    // The other end may be closed in the middle of it.
    let _ = line.client.write_all(&[b'P'; 500]);
    let (bytes, _) = rest(&line.server);
    assert!(bytes < 100, "{bytes}");
    assert_eq!(line.link.dials().len(), 1, "it may have been a dial");
}

#[test]
fn a_reset_reaches_the_other_end_as_one() {
    let mut line = line();
    line.link.trouble(trouble(How::Reset, 1));
    let _ = line.client.write_all(b"POST");
    assert_eq!(rest(&line.server), (0, Some(ErrorKind::ConnectionReset)));
}

#[test]
fn what_is_stalled_comes_when_the_trouble_is_over() {
    let mut line = line();
    line.link.trouble(trouble(How::Stall, 1));
    line.client.write_all(b"POST").expect("it is open");
    line.server
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("a bound");
    assert_eq!(rest(&line.server), (0, Some(ErrorKind::WouldBlock)));
    line.link.heal();
    line.client.shutdown(Shutdown::Write).expect("it is open");
    line.server
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a bound");
    assert_eq!(rest(&line.server), (4, None));
}

#[test]
fn what_falls_into_a_black_hole_never_comes() {
    let mut line = line();
    line.link.trouble(trouble(How::BlackHole, 1));
    line.client.write_all(b"POST").expect("it is open");
    line.server
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("a bound");
    assert_eq!(rest(&line.server), (0, Some(ErrorKind::WouldBlock)));
    line.link.heal();
    assert_eq!(rest(&line.server), (0, Some(ErrorKind::ConnectionReset)));
}

#[test]
fn a_link_that_refuses_lets_nobody_in_until_it_is_healed() {
    let line = line();
    let is_open = || TcpStream::connect(line.link.address).is_ok();
    line.link.trouble(trouble(How::Refuse, 1));
    assert_eq!(
        rest(&line.client).1,
        Some(ErrorKind::ConnectionReset),
        "those that there are end, too"
    );
    e2e::wait_for("the door to be shut", || {
        if is_open() { Err("open".to_owned()) } else { Ok(()) }
    });
    line.link.heal();
    e2e::wait_for("the door to be open", || {
        if is_open() { Ok(()) } else { Err("shut".to_owned()) }
    });
}
