//! `redial backup`, a database put back from one, and `redial prune`: nobody is phoned twice for what the copy does
//! not know, and what ended long ago can go while the server serves.

use std::os::unix::fs::PermissionsExt as _;

use e2e::{Call, World, assert_truth, run_to_end, wait_for};
use serde_json::{Value, json};

use crate::endings::statuses;

/// Runs a command on the world's database; its exit code, its data and what it said.
fn run(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    run_to_end(args, world.environment(), world.folder())
}

#[track_caller]
fn back_up(world: &World) {
    let (code, data, log) = run(world, &["backup", "copy.db", "--force", "--json"]);
    assert_eq!(code, Some(0), "{log}");
    let told: Value = serde_json::from_str(&data).expect("JSON");
    assert!(
        told["bytes"].as_u64() > Some(0) && told["calls"].as_u64() > Some(0),
        "{told}"
    );
}

/// Puts the copy back as the manual says. The server must be stopped.
#[track_caller]
fn put_back(world: &World) {
    let file = |name: &str| world.folder().join(name);
    for neighbour in ["redial.db-wal", "redial.db-shm"] {
        // A server that stopped in good order leaves neither.
        let _ = std::fs::remove_file(file(neighbour));
    }
    std::fs::copy(file("copy.db"), file("redial.db")).expect("copied");
}

fn reasons(world: &World) -> String {
    let (status, ready) = world.get("/readyz");
    match status {
        200 => String::new(),
        _ => ready["reasons"].to_string(),
    }
}

#[track_caller]
fn wait_until_ready(world: &World) {
    wait_for("a server that dials", || match reasons(world) {
        none if none.is_empty() => Ok(()),
        reasons => Err(reasons),
    });
}

/// Both endings that the record and the carrier's ledger give for a call with one attempt before the copy.
#[track_caller]
fn assert_dialled_on(world: &World, call: &Call, expected: &[&str]) {
    let record = world.ended(call);
    assert_eq!(statuses(&record), expected, "{record}");
    let other = world.ask("+15550000100", json!({}));
    assert_eq!(world.ended(&other)["status"], "completed");
    assert_truth(world);
}

#[test]
fn a_retry_that_the_copy_does_not_know_of_is_not_made_again() {
    let mut world = World::on_a_file();
    // Busy, then busy, then answered.
    let call = world.ask("+15550000104", json!({"retry_delays": ["3s", "1h"]}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    back_up(&world);
    world.wait_until(&call, "the second attempt's end", |it| {
        statuses(it) == ["busy", "busy"] && it["should_retry"] == true
    });
    assert!(world.stop().success());
    put_back(&world);
    world.restart();
    let log = world.log();
    assert!(log.contains("put back from a copy"), "it says so: {log}");
    let waits = reasons(&world);
    assert!(
        waits.contains("settling") && waits.contains("put back from a copy"),
        "{waits}"
    );
    let record = world.wait_until(&call, "the forgotten attempt", |it| it["attempt_count"] == 2);
    assert_eq!(statuses(&record), ["busy", "busy"], "{record}");
    let sids: Vec<String> = world.ledger().into_iter().map(|ring| ring.sid).collect();
    assert_eq!(record["attempts"][1]["twilio_sid"], sids[1].as_str(), "{record}");
    wait_until_ready(&world);
    assert_eq!(world.ledger().len(), 2, "no phone rang for it again");
    // Nothing is forgotten of it a second time, and the third attempt is made by the policy.
    assert!(world.cancel(&call).0 == 200);
    assert_dialled_on(&world, &call, &["busy", "busy"]);
}

#[test]
fn a_call_that_was_completed_since_the_copy_is_not_dialled_from_it() {
    let mut world = World::on_a_file();
    let call = world.ask("+15550000104", json!({"retry_delays": ["2s", "200ms"]}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    back_up(&world);
    assert_eq!(world.ended(&call)["status"], "completed");
    // Killed: its log and its neighbours stay behind.
    world.kill_dash_nine();
    put_back(&world);
    world.restart();
    wait_until_ready(&world);
    assert_eq!(world.ledger().len(), 3);
    assert_dialled_on(&world, &call, &["busy", "busy", "completed"]);
}

#[test]
fn a_carrier_that_cannot_be_asked_keeps_a_copy_from_dialling() {
    let mut world = World::on_a_file();
    let call = world.ask("+15550000105", json!({"retry_delays": ["1s"]}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "no-answer");
    back_up(&world);
    assert!(world.stop().success());
    put_back(&world);
    world.faults(&json!({"suspended": true}));
    let before = world.ledger().len();
    world.restart();
    wait_for("it to say why", || match reasons(&world) {
        reasons if reasons.contains("could not be read") => Ok(()),
        reasons => Err(reasons),
    });
    let record = world.wait_until(&call, "the retry to wait for it", |it| {
        it["waiting_for"]["reason"] == "settling"
    });
    assert!(
        record["waiting_for"]["message"].to_string().contains("copy"),
        "{record}"
    );
    let (code, _, log) = run(&world, &["retry-due"]);
    assert_eq!(code, Some(0), "the server has the right to dial: {log}");
    assert_eq!(world.ledger().len(), before);
    world.faults(&json!({"suspended": false}));
    wait_until_ready(&world);
    assert_dialled_on(&world, &call, &["no-answer", "completed"]);
}

#[test]
fn a_backup_is_private_and_replaces_nothing_unasked() {
    let world = World::on_a_file();
    let call = world.ask("+15550000100", json!({}));
    world.ended(&call);
    let (code, data, log) = run(&world, &["backup", "copy.db"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(data.starts_with("copy.db: 1 calls, "), "{data}");
    let file = std::fs::metadata(world.folder().join("copy.db")).expect("there");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    let (code, _, log) = run(&world, &["backup", "copy.db"]);
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("--force"), "{log}");
    for (file, why) in [
        ("redial.db", "the database itself"),
        ("no/copy.db", "cannot be made"),
    ] {
        let (code, _, log) = run(&world, &["backup", file, "--force"]);
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains(why), "{log}");
    }
    assert_eq!(
        world.ended(&call)["status"],
        "completed",
        "the database is as it was"
    );
}

#[test]
fn prune_says_what_it_did_and_keeps_what_is_young() {
    let world = World::on_a_file();
    let call = world.ask("+15550000100", json!({}));
    world.ended(&call);
    let (code, data, log) = run(&world, &["prune", "--older-than", "0s"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(
        data.starts_with("0 calls that ended before"),
        "a call lives a day: {data}"
    );
    assert!(log.contains("does not get smaller"), "{log}");
    let (code, data, log) = run(&world, &["prune", "--older-than", "90d", "--dry-run", "--json"]);
    assert_eq!(code, Some(0), "{log}");
    let told: Value = serde_json::from_str(&data).expect("JSON");
    assert_eq!(
        (&told["calls"], &told["calls_left"]),
        (&json!(0), &json!(1)),
        "{told}"
    );
    let (code, _, log) = run(&world, &["prune", "--older-than", "soon"]);
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("--older-than soon"), "{log}");
}
