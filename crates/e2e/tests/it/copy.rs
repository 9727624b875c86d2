//! `redial copy`: from a file to PostgreSQL and back, with calls that go on where they were, and never in both places.

use e2e::{Call, FROM, World, assert_truth, run_to_end};
use serde_json::{Value, json};

use crate::endings::statuses;
use e2e::database::Database;

/// Where the world's calls are at first.
fn file(world: &World) -> String {
    format!("sqlite:{}", world.folder().join("redial.db").display())
}

/// Copies; its exit code, its data and what it said.
fn copy(world: &World, from: &str, to: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let mut args = vec!["copy", "--from", from, "--to", to];
    args.extend(more);
    run_to_end(&args, world.environment(), world.folder())
}

/// Everything that users are shown.
fn shown(world: &World, calls: &[Call]) -> Vec<Value> {
    let records = calls.iter().map(|call| world.record(call));
    let lists = ["", "?status=completed", "?status=busy", "?to=%2B15550000100"].map(|query| {
        let (status, list) = world.get(&format!("/users/u1/calls{query}"));
        assert_eq!(status, 200, "{list}");
        list
    });
    records.chain(lists).collect()
}

/// A world with calls of many kinds, and those of them whose retry is an hour away.
fn with_calls() -> (World, Vec<Call>) {
    let world = World::on_a_file();
    let mut calls = Vec::new();
    for number in ["0100", "0101", "0105", "0110", "0108"] {
        let call = world.ask(
            &format!("+1555000{number}"),
            json!({"retry_delays": ["200ms"], "max_attempts": 2}),
        );
        world.ended(&call);
        calls.push(call);
    }
    let body =
        json!({"to": "+15550000100", "from": FROM, "user_id": "u1", "scheduled_at": "2099-01-01T00:00:00Z"});
    let (status, answer) = world.create_with(&[("Idempotency-Key", "order-7")], &body);
    assert_eq!(status, 202, "{answer}");
    calls.push(world.calls().last().expect("a call").clone());
    let waits = world.ask("+15550000104", json!({"retry_delays": ["1h", "200ms"]}));
    world.wait_until(&waits, "the first attempt's end", |it| it["status"] == "busy");
    calls.push(waits);
    (world, calls)
}

/// What must hold of a copy that was made: counted, and the source closed.
#[track_caller]
fn assert_moved(world: &World, from: &str, to: &str) {
    let (code, data, log) = copy(world, from, to, &["--json"]);
    assert_eq!(code, Some(0), "{log}");
    let told: Value = serde_json::from_str(&data).expect("JSON");
    let rows = |kind: &str| {
        let kinds = told["kinds"].as_array().expect("kinds");
        let found = kinds.iter().find(|it| it["kind"] == kind).expect("a kind");
        found["rows"].as_u64().expect("a number")
    };
    let calls = u64::try_from(world.calls().len()).expect("few");
    assert_eq!(
        (rows("calls"), rows("dialling"), rows("keys")),
        (calls, 1, 1),
        "{told}"
    );
    assert!(rows("events") > calls && rows("permits") > 5, "{told}");
    assert!(log.contains("is closed"), "{log}");

    let mut environment = world.environment().to_vec();
    environment.push(("DATABASE_URL".to_owned(), from.to_owned()));
    environment.push(("REDIAL_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    let (code, _, log) = run_to_end(&["serve"], &environment, world.folder());
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("was moved to another database"), "{log}");
    let (code, _, log) = copy(world, from, "sqlite:elsewhere.db", &[]);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("was moved to another database"), "{log}");
    assert!(!world.folder().join("elsewhere.db").exists());
}

/// A call that is busy, and is tried once more in a few seconds.
#[track_caller]
fn busy(world: &World) -> Call {
    let call = world.ask("+15550000101", json!({"retry_delays": ["4s"], "max_attempts": 2}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    call
}

#[track_caller]
fn assert_goes_on(world: &World, call: &Call) {
    let record = world.ended(call);
    assert_eq!(statuses(&record), ["busy", "busy"], "{record}");
}

/// Ends what would wait for an hour or a century, and compares everything with the carrier's ledger.
#[track_caller]
fn assert_truth_now(world: &World, calls: &[Call]) {
    for call in &calls[5..7] {
        assert_eq!(world.cancel(call).0, 200);
    }
    assert_truth(world);
}

#[test]
fn calls_go_on_where_they_were_on_postgres_and_back_in_a_file() {
    let (mut world, mut calls) = with_calls();
    let soon = busy(&world);
    calls.push(soon.clone());
    let database = Database::fresh();
    let (file, server) = (file(&world), database.url());

    let (code, _, log) = copy(&world, &file, &server, &[]);
    assert_eq!(code, Some(1), "a server runs: {log}");
    assert!(log.contains(&format!("process {}", world.pid())), "{log}");
    let before = shown(&world, &calls[..7]);
    assert!(world.stop().success());
    assert_moved(&world, &file, &server);

    world.restart_with(&[("DATABASE_URL", &server)]);
    assert_eq!(shown(&world, &calls[..7])[..7], before[..7]);
    assert_goes_on(&world, &soon);
    let body =
        json!({"to": "+15550000100", "from": FROM, "user_id": "u1", "scheduled_at": "2099-01-01T00:00:00Z"});
    let (status, again) = world.create_with(&[("Idempotency-Key", "order-7")], &body);
    assert_eq!(
        (status, &again["call_id"]),
        (202, &json!(calls[5].call_id)),
        "{again}"
    );

    let later = busy(&world);
    let back = format!("sqlite:{}", world.folder().join("back.db").display());
    let (code, _, log) = copy(&world, &server, &back, &[]);
    assert_eq!(code, Some(1), "a server runs: {log}");
    assert!(log.contains("uses the database"), "{log}");
    let before = shown(&world, &calls);
    assert!(world.stop().success());
    assert_moved(&world, &server, &back);

    world.restart_with(&[("DATABASE_URL", &back)]);
    assert_eq!(
        world.get("/readyz").0,
        200,
        "a copy that was moved is no copy that was put back"
    );
    assert_eq!(shown(&world, &calls)[..8], before[..8]);
    assert_goes_on(&world, &later);
    assert_truth_now(&world, &calls);
}

#[test]
fn what_is_there_already_is_not_written_over() {
    let (mut world, calls) = with_calls();
    assert!(world.stop().success());
    let (database, file) = (Database::fresh(), file(&world));
    let (code, _, log) = copy(&world, &file, &file, &[]);
    assert_eq!(code, Some(1), "{log}");
    std::fs::write(world.folder().join("there.db"), "x").expect("written");
    let (code, _, log) = copy(&world, &file, "sqlite:there.db", &[]);
    assert_eq!(code, Some(1), "{log}");
    let (code, _, log) = copy(&world, "sqlite:nowhere.db", &database.url(), &[]);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("there is no database at nowhere.db"), "{log}");
    let (code, _, log) = copy(&world, "redial.db", &database.url(), &[]);
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("--from redial.db: must be sqlite:FILE"), "{log}");

    let second = World::builder().env("DATABASE_URL", &database.url()).start();
    second.ended(&second.ask("+15550000100", json!({})));
    drop(second);
    let (code, _, log) = copy(&world, &file, &database.url(), &[]);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("there are calls in the database already"), "{log}");
    world.restart();
    assert_truth_now(&world, &calls);
}
