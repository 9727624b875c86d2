//! One holder at a time, between handles and between processes, and freed by death alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

/// Set for the copy of this test program that plays the other process.
const ROLE: &str = "STORE_SQLITE_TEST_HOLDS";

#[test]
fn a_second_handle_is_refused_and_told_who_holds_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.lock");
    let held = acquire(&path, Duration::ZERO).expect("free");
    let refused = acquire(&path, Duration::from_millis(120)).expect_err("held");
    assert!(
        refused
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    drop(held);
    acquire(&path, Duration::ZERO).expect("free again");
}

#[test]
fn waiting_is_enough_when_the_holder_goes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.lock");
    let held = acquire(&path, Duration::ZERO).expect("free");
    let waiting = std::thread::spawn({
        let path = path.clone();
        move || acquire(&path, Duration::from_secs(10)).map(drop)
    });
    drop(held);
    waiting.join().expect("no panic").expect("taken over");
}

#[test]
fn a_killed_process_gives_it_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.lock");
    let mut other = other_process(&path);
    let refused = acquire(&path, Duration::ZERO).expect_err("held by the other process");
    assert!(
        refused.to_string().contains(&format!("process {}", other.id())),
        "{refused}"
    );
    other.kill().expect("still running");
    other.wait().expect("ended");
    acquire(&path, Duration::from_secs(10)).expect("freed by the kernel");
}

fn other_process(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "lock::tests::plays_the_other_process", "--nocapture"])
        .env(ROLE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a second process");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let says = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("holding")));
    assert!(says.is_some(), "the other process holds it");
    child
}

/// Does nothing but in the second process, where it holds the lock until it is killed or its input ends.
#[test]
fn plays_the_other_process() {
    let Some(path) = std::env::var_os(ROLE) else {
        return;
    };
    let _held = acquire(Path::new(&path), Duration::ZERO).expect("free");
    println!("holding");
    let _ = std::io::stdin().read_line(&mut String::new());
}
