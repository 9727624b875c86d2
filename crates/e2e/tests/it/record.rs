//! `GET /users/:userId/calls/:callId`: whose record it is, and that it never falls behind itself.

use e2e::World;
use serde_json::{Value, json};

use crate::create::assert_error;

#[track_caller]
fn not_found(world: &World, user_id: &str, call_id: &str) {
    let (status, answer) = world.get(&format!("/users/{user_id}/calls/{call_id}"));
    assert_eq!(status, 404, "{answer}");
    assert_eq!(answer["error"], "Call not found", "{answer}");
    let message = format!("No call found with id {call_id} for user {user_id}");
    assert_eq!(answer["message"], message.as_str(), "{answer}");
    assert_error(&answer);
}

#[test]
fn a_call_of_another_user_is_as_unknown_as_none() {
    let world = World::start();
    let call = world.ask(
        "+15550000100",
        json!({"scheduled_at": "2099-01-01T00:00:00.000Z"}),
    );
    not_found(&world, "somebody-else", &call.call_id);
    not_found(&world, "u1", "01890000-0000-7000-8000-000000000000");
    not_found(&world, "u1", "no-id-at-all");
}

#[test]
fn a_user_id_of_any_letters_finds_its_way_through_the_path() {
    let world = World::start();
    let options = json!({"scheduled_at": "2099-01-01T00:00:00.000Z", "user_id": "a b/ü?#%"});
    let call = world.ask("+15550000100", options);
    let path = format!("/users/a%20b%2F%C3%BC%3F%23%25/calls/{}", call.call_id);
    let (status, record) = world.get(&path);
    assert_eq!(
        (status, &record["user_id"]),
        (200, &json!("a b/ü?#%")),
        "{record}"
    );
}

#[test]
fn a_record_has_every_promised_field_and_the_options_as_given() {
    let world = World::start();
    let options = json!({
        "max_attempts": 2, "retry_delays": ["1s", "2m"], "retry_on": ["busy"], "ring_timeout_seconds": 30,
        "time_limit_seconds": 600, "machine_detection": "detect_message_end", "message": "Hello", "language": "en-GB",
        "metadata": {"a": 1}, "scheduled_at": "2099-01-01T00:00:00.000Z",
    });
    let call = world.ask("+15550000100", options.clone());
    let record = world.record(&call);
    let promised = [
        "call_id",
        "user_id",
        "to",
        "from",
        "status",
        "attempt_count",
        "max_attempts",
        "should_retry",
        "next_retry_at",
        "attempts",
        "created_at",
        "updated_at",
        "waiting_for",
        "events",
    ];
    for field in promised {
        assert!(record.get(field).is_some(), "`{field}` is missing: {record}");
    }
    for field in [
        "max_attempts",
        "ring_timeout_seconds",
        "time_limit_seconds",
        "machine_detection",
        "message",
        "metadata",
    ] {
        assert_eq!(record[field], options[field], "`{field}`: {record}");
    }
    for field in ["reason", "since", "until", "message"] {
        assert!(
            record["waiting_for"].get(field).is_some(),
            "`waiting_for.{field}`: {record}"
        );
    }
}

#[test]
fn neither_the_count_nor_the_attempts_ever_fall() {
    let world = World::start();
    let call = world.ask("+15550000104", json!({}));
    let seen = std::cell::Cell::new(0);
    let record = world.wait_until(&call, "the end, counting", |record| {
        let attempts = record["attempts"].as_array().map_or(0, Vec::len);
        assert_eq!(record["attempt_count"], attempts, "{record}");
        assert!(attempts >= seen.get(), "an attempt went away: {record}");
        seen.set(attempts);
        let sids: Vec<&Value> = record["attempts"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| &it["twilio_sid"])
            .collect();
        assert!(
            sids.iter().all(|it| it.is_string()),
            "every dial here was answered: {record}"
        );
        e2e::is_over(record)
    });
    assert_eq!(
        (&record["status"], seen.get()),
        (&json!("completed"), 3),
        "{record}"
    );
}
