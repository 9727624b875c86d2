//! A short run on each store, with every change: long ones are the binary's.

use std::time::Duration;

use torture::run::{Plan, run};
use torture::{Pressure, Store, report};

/// What decides here; any would do.
const SEED: u64 = 20_261_122;

#[track_caller]
fn check(store: Store, nodes: usize) {
    let plan = Plan {
        store,
        nodes,
        seed: SEED,
        lasts: Duration::from_secs(15),
        kills: None,
        most_frozen: Duration::from_secs(4),
        most_gap: Duration::from_millis(800),
        pressure: Pressure {
            clients: 3,
            most_gap: Duration::from_millis(400),
        },
    };
    let outcome = run(&plan).unwrap_or_else(|failure| panic!("{failure}"));
    report::print(&plan, &outcome);
    outcome.is_sound().unwrap_or_else(|failure| panic!("{failure}"));
    assert!(
        outcome.done.len() > 5,
        "faults of several kinds: {:?}",
        outcome.done
    );
}

#[test]
fn one_node_on_a_file_keeps_its_promises_whatever_is_done_to_it() {
    check(Store::Sqlite, 1);
}

#[test]
fn nodes_on_one_server_keep_their_promises_whatever_is_done_to_them() {
    check(Store::Postgres, 3);
}
