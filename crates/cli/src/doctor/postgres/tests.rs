//! Each thing that may be wrong with a server, and what is said of it.

use super::*;
use crate::doctor::Level;

fn sound() -> Server {
    Server {
        version: "15.8".to_owned(),
        is_local: false,
        encryption: Some("TLSv1.3".to_owned()),
        is_checked: true,
        is_pooled: false,
        is_read_only: false,
        unsafe_settings: Vec::new(),
        synchronous_commit: "on".to_owned(),
        has_synchronous_standbys: true,
        standbys: Some((1, 1)),
    }
}

/// How bad each check is, and what the one that is not well says.
fn check(server: &Server, levels: [Level; 3], words: &str) {
    let found = judge(server);
    assert_eq!(found.iter().map(|it| it.level).collect::<Vec<_>>(), levels);
    let text: String = found.iter().map(|it| format!("{}\n", it.says)).collect();
    assert!(text.contains(words), "{text}");
}

#[test]
fn a_server_is_judged_by_who_can_read_along_and_what_it_may_lose() {
    use Level::{Ok, Problem, Skipped, Warning};
    check(
        &sound(),
        [Ok, Ok, Ok],
        "PostgreSQL 15.8, encrypted (TLSv1.3), and its certificate is checked",
    );
    let plain = Server {
        encryption: None,
        ..sound()
    };
    check(&plain, [Warning, Ok, Ok], "not encrypted");
    let local = Server {
        is_local: true,
        ..plain
    };
    check(&local, [Ok, Ok, Ok], "on this machine");
    let anybody = Server {
        is_checked: false,
        ..sound()
    };
    check(&anybody, [Warning, Ok, Ok], "not looked at");
    let standby = Server {
        is_read_only: true,
        ..sound()
    };
    check(&standby, [Ok, Problem, Ok], "takes none");
    let careless = Server {
        unsafe_settings: vec!["fsync".to_owned(), "full_page_writes".to_owned()],
        ..sound()
    };
    check(&careless, [Ok, Problem, Ok], "fsync and full_page_writes off");
    let asynchronous = Server {
        has_synchronous_standbys: false,
        standbys: Some((0, 2)),
        ..sound()
    };
    check(&asynchronous, [Ok, Ok, Warning], "none of them synchronous");
    let alone = Server {
        has_synchronous_standbys: true,
        standbys: Some((0, 1)),
        ..sound()
    };
    check(&alone, [Ok, Ok, Warning], "no such standby streams");
    let hidden = Server {
        has_synchronous_standbys: false,
        standbys: None,
        ..sound()
    };
    check(&hidden, [Ok, Ok, Skipped], "may not see");
}
