//! `GET /users/:userId/calls`: order, pages, filters, and questions that make no sense.

use e2e::World;
use serde_json::{Value, json};

use crate::create::assert_error;

/// A time that no test lives to see: such calls are stored and ring nobody.
const LATER: &str = "2099-01-01T00:00:00.000Z";

fn ids(page: &Value) -> Vec<String> {
    let calls = page["calls"]
        .as_array()
        .unwrap_or_else(|| panic!("`calls` is an array: {page}"));
    calls
        .iter()
        .map(|it| it["call_id"].as_str().expect("an id").to_owned())
        .collect()
}

/// A world with `count` queued calls of u1, and their ids, newest first.
fn world_of(count: usize) -> (World, Vec<String>) {
    let world = World::start();
    let mut ids: Vec<String> = (0..count)
        .map(|_| world.ask("+15550000100", json!({"scheduled_at": LATER})).call_id)
        .collect();
    ids.reverse();
    (world, ids)
}

#[test]
fn calls_come_newest_first_with_the_promised_fields() {
    let (world, expected) = world_of(5);
    let (status, page) = world.get("/users/u1/calls");
    assert_eq!(status, 200, "{page}");
    assert_eq!(
        (&page["user_id"], &page["total"]),
        (&json!("u1"), &json!(5)),
        "{page}"
    );
    assert_eq!(
        (&page["limit"], &page["offset"]),
        (&json!(50), &json!(0)),
        "{page}"
    );
    let rows = page["calls"].as_array().expect("an array");
    let mut sorted = rows.clone();
    sorted.sort_by_key(|it| (it["created_at"].to_string(), it["call_id"].to_string()));
    sorted.reverse();
    assert_eq!(*rows, sorted, "created_at, then id, both descending");
    let mut found = ids(&page);
    found.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(found, expected);
    for field in [
        "call_id",
        "to",
        "status",
        "attempt_count",
        "should_retry",
        "created_at",
    ] {
        assert!(rows[0].get(field).is_some(), "`{field}` is missing: {page}");
    }
}

#[test]
fn pages_by_offset_show_each_call_once() {
    let (world, _) = world_of(5);
    let (_, all) = world.get("/users/u1/calls");
    let mut found = Vec::new();
    for offset in [0, 2, 4, 6] {
        let (status, page) = world.get(&format!("/users/u1/calls?limit=2&offset={offset}"));
        assert_eq!(status, 200, "{page}");
        assert_eq!(
            (&page["limit"], &page["offset"], &page["total"]),
            (&json!(2), &json!(offset), &json!(5)),
            "{page}"
        );
        found.extend(ids(&page));
    }
    assert_eq!(found, ids(&all));
}

#[test]
fn pages_by_cursor_show_each_call_once() {
    let (world, _) = world_of(5);
    let (_, all) = world.get("/users/u1/calls");
    let mut found = Vec::new();
    let mut path = "/users/u1/calls?limit=2".to_owned();
    loop {
        let (status, page) = world.get(&path);
        assert_eq!(status, 200, "{page}");
        found.extend(ids(&page));
        assert!(found.len() <= 5, "a cursor must not go round: {page}");
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/users/u1/calls?limit=2&cursor={cursor}");
    }
    assert_eq!(found, ids(&all));
}

#[test]
fn a_status_picks_the_calls_that_have_it() {
    let (world, _) = world_of(2);
    let refused = json!({"to": "+15005550001", "from": e2e::FROM, "user_id": "u1"});
    world.create(&refused);
    let total = |query: &str| {
        let (status, page) = world.get(&format!("/users/u1/calls?{query}"));
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["total"], ids(&page).len(), "{page}");
        ids(&page).len()
    };
    assert_eq!(total("status=queued"), 2);
    assert_eq!(total("status=failed"), 1);
    assert_eq!(total("status=completed"), 0);
    assert_eq!(total("to=%2B15005550001"), 1);
    assert_eq!(total("created_before=2020-01-01T00:00:00.000Z"), 0);
    assert_eq!(total("created_after=2020-01-01T00:00:00.000Z"), 3);
}

#[test]
fn the_total_follows_a_call_from_status_to_status() {
    let world = World::start();
    let call = world.ask("+15550000100", json!({}));
    world.ended(&call);
    for (status, expected) in [
        ("completed", 1),
        ("initiated", 0),
        ("ringing", 0),
        ("in-progress", 0),
        ("queued", 0),
    ] {
        let (_, page) = world.get(&format!("/users/u1/calls?status={status}"));
        assert_eq!(page["total"], expected, "{status}: {page}");
    }
}

#[test]
fn a_user_without_calls_has_an_empty_list() {
    let (world, _) = world_of(1);
    let (status, page) = world.get("/users/nobody/calls");
    assert_eq!(
        (status, &page["total"], &page["calls"]),
        (200, &json!(0), &json!([])),
        "{page}"
    );
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let (world, _) = world_of(1);
    let queries = [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=many",
        "limit=",
        "offset=-1",
        "offset=x",
        "status=nonsense",
        "status=",
        "cursor=%00",
        "created_after=yesterday",
        "to=nobody",
    ];
    for query in queries {
        let (status, answer) = world.get(&format!("/users/u1/calls?{query}"));
        assert_eq!(status, 400, "{query}: {answer}");
        assert_error(&answer);
    }
    for query in ["limit=1", "limit=500", "offset=1000000"] {
        let (status, answer) = world.get(&format!("/users/u1/calls?{query}"));
        assert_eq!(status, 200, "{query}: {answer}");
    }
}
