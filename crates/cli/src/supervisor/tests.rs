//! What arrives at the manager's socket, and what does not.

use std::cell::Cell;

use super::*;

fn manager() -> (tempfile::TempDir, UnixDatagram, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a free path");
    let bound = Some(Duration::from_secs(5));
    socket.set_read_timeout(bound).expect("a time above zero");
    (folder, socket, path.display().to_string())
}

fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let length = socket.recv(&mut bytes).expect("a datagram");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

#[test]
fn a_socket_with_a_path_hears_the_beginning_and_the_end() {
    let (_folder, socket, path) = manager();
    let it = Supervisor::find(|name| (name == SOCKET).then(|| path.clone()));
    it.ready("listening");
    assert_eq!(heard(&socket), "READY=1\nSTATUS=listening");
    it.stopping();
    assert_eq!(heard(&socket), "STOPPING=1\nSTATUS=stopping");
}

#[test]
fn a_socket_with_an_abstract_name_hears_too() {
    let name = format!("redial-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a short name");
    let socket = UnixDatagram::bind_addr(&address).expect("a free name");
    let it = Supervisor::find(|variable| (variable == SOCKET).then(|| format!("@{name}")));
    it.ready("listening");
    assert_eq!(heard(&socket), "READY=1\nSTATUS=listening");
}

#[test]
fn without_a_manager_nothing_is_told_and_nothing_fails() {
    Supervisor::find(|_| None).ready("listening");
    Supervisor::find(|_| Some("/nowhere/at/all".to_owned())).stopping();
}

#[test]
fn signs_are_given_thrice_in_the_time_that_is_set_and_only_by_the_process_that_is_meant() {
    let every = |micros: &str, pid: &str| {
        let all = [(WATCHDOG, micros.to_owned()), (WATCHDOG_PID, pid.to_owned())];
        let value = |name: &str| all.iter().find(|it| it.0 == name).map(|it| it.1.clone());
        Supervisor::find(value).sign_every
    };
    let own = std::process::id().to_string();
    assert_eq!(every("30000000", &own), Some(Duration::from_secs(10)));
    for (micros, pid) in [("30000000", "1"), ("0", &own), ("soon", &own)] {
        assert_eq!(every(micros, pid), None, "{micros} {pid}");
    }
}

#[tokio::test]
async fn no_sign_is_given_while_something_is_wrong() {
    let (_folder, socket, path) = manager();
    let it = Supervisor::find(|name| match name {
        SOCKET => Some(path.clone()),
        WATCHDOG => Some("3000".to_owned()),
        _ => None,
    });
    let turns = Cell::new(0);
    let health = || {
        turns.set(turns.get() + 1);
        match turns.get() {
            1 | 4 => Ok(()),
            _ => Err("the test says so".to_owned()),
        }
    };
    let enough = async {
        while turns.get() < 6 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        never = it.watch(health) => match never {},
        () = enough => {}
    }
    assert_eq!(
        (heard(&socket), heard(&socket)),
        ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned())
    );
    socket.set_nonblocking(true).expect("a socket");
    assert!(socket.recv(&mut [0; 16]).is_err(), "two of six");
}
