//! The list of promises is whole: a promise that is written but not listed would never be tested.

use std::collections::BTreeSet;

const FILES: [(&str, &str); 15] = [
    ("calls", include_str!("calls.rs")),
    ("dialling", include_str!("dialling.rs")),
    ("facts", include_str!("facts.rs")),
    ("imports", include_str!("imports.rs")),
    ("keys", include_str!("keys.rs")),
    ("legs", include_str!("legs.rs")),
    ("orphans", include_str!("orphans.rs")),
    ("pages", include_str!("pages.rs")),
    ("pairs", include_str!("pairs.rs")),
    ("permits", include_str!("permits.rs")),
    ("queues", include_str!("queues.rs")),
    ("random", include_str!("random.rs")),
    ("reopen", include_str!("reopen.rs")),
    ("restored", include_str!("restored.rs")),
    ("together", include_str!("together.rs")),
];

#[test]
fn every_promise_is_listed() {
    for (file, text) in FILES {
        let written: BTreeSet<&str> = text
            .split("\npub async fn ")
            .skip(1)
            .filter_map(|rest| rest.split('(').next())
            .collect();
        assert_eq!(listed(file), written, "{file}.rs and the list in lib.rs");
    }
}

fn listed(file: &str) -> BTreeSet<&'static str> {
    let list = include_str!("lib.rs")
        .split_once("$crate::tests! { $factory;")
        .expect("the list is in lib.rs");
    let (_, names) = list
        .1
        .split_once(&format!(" {file} {{"))
        .expect("each file is listed");
    let (names, _) = names.split_once('}').expect("the list of a file ends");
    names.split_whitespace().collect()
}
