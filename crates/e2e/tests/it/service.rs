//! Under a service manager: the server says when it serves, that it lives, and when it stops.

use std::os::unix::net::UnixDatagram;

use e2e::{World, wait_for};

/// The next word that the manager hears.
fn heard(socket: &UnixDatagram) -> String {
    wait_for("a word to the manager", || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    })
}

#[test]
fn it_says_that_it_serves_that_it_lives_and_that_it_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a free path");
    socket.set_nonblocking(true).expect("a socket");
    let mut world = World::builder()
        .env("NOTIFY_SOCKET", &path.display().to_string())
        .env("WATCHDOG_USEC", "90000")
        .start();

    let first = heard(&socket);
    assert!(first.starts_with("READY=1\n"), "{first}");
    assert!(
        first.contains(world.base()),
        "people see where it listens: {first}"
    );
    assert_eq!(world.get("/healthz").0, 200, "ready means that it answers");
    for _ in 0..3 {
        assert_eq!(heard(&socket), "WATCHDOG=1");
    }

    assert!(world.stop().success());
    let last = wait_for("the word that it stops", || match heard(&socket) {
        sign if sign == "WATCHDOG=1" => Err(sign),
        last => Ok(last),
    });
    assert!(last.starts_with("STOPPING=1\n"), "{last}");
}
