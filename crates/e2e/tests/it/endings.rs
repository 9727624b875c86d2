//! The scripted numbers 0100 to 0109: every way a call can end when nothing else goes wrong.

use e2e::{World, assert_truth};
use serde_json::{Value, json};

/// The statuses of a record's attempts, in order.
pub fn statuses(record: &Value) -> Vec<&str> {
    let attempts = record["attempts"].as_array().expect("`attempts` is an array");
    attempts
        .iter()
        .map(|it| it["status"].as_str().expect("an attempt has a status"))
        .collect()
}

/// Asks for one call to `to` and lets it run; the call and its attempts must end as named.
#[track_caller]
fn check(to: &str, more: Value, status: &str, attempts: &[&str]) -> Value {
    let world = World::start();
    let call = world.ask(to, more);
    let record = world.ended(&call);
    assert_eq!(record["status"], status, "{record}");
    assert_eq!(statuses(&record), attempts, "{record}");
    assert_eq!(record["should_retry"], false, "{record}");
    assert_eq!(record["next_retry_at"], Value::Null, "{record}");
    assert_eq!(world.ledger().len(), attempts.len(), "as many rings as attempts");
    assert_truth(&world);
    record
}

#[test]
fn a_person_answers_and_the_call_is_completed() {
    let record = check("+15550000100", json!({}), "completed", &["completed"]);
    let attempt = &record["attempts"][0];
    assert!(
        attempt["duration_seconds"].as_u64().is_some_and(|it| it > 0),
        "{record}"
    );
    assert!(
        // The carrier tells whole seconds: at this speed the end may fall together with the dial.
        attempt["ended_at"].as_str() >= attempt["timestamp"].as_str(),
        "{record}"
    );
    let events = attempt["events"].as_array().expect("`events` is an array");
    assert!(
        events.len() >= 4,
        "initiated, ringing, in-progress, completed: {record}"
    );
    assert!(
        !record["events"]
            .as_array()
            .expect("the call has events, too")
            .is_empty(),
        "{record}"
    );
    assert_eq!(record["waiting_for"], Value::Null, "{record}");
}

#[test]
fn a_busy_line_is_dialled_three_times_and_no_more() {
    let record = check("+15550000101", json!({}), "busy", &["busy", "busy", "busy"]);
    assert_eq!(record["max_attempts"], 3, "{record}");
}

#[test]
fn a_call_gets_as_many_attempts_as_it_asks_for() {
    check("+15550000101", json!({"max_attempts": 1}), "busy", &["busy"]);
    check("+15550000101", json!({"max_attempts": 5}), "busy", &["busy"; 5]);
}

#[test]
fn a_phone_that_nobody_picks_up_is_dialled_three_times() {
    check(
        "+15550000102",
        json!({"ring_timeout_seconds": 10}),
        "no-answer",
        &["no-answer"; 3],
    );
}

#[test]
fn a_call_that_cannot_be_put_through_is_dialled_three_times() {
    let record = check("+15550000103", json!({}), "failed", &["failed"; 3]);
    let code = record["attempts"][0]["sip_response_code"].to_string();
    assert_eq!(code.trim_matches('"'), "503", "{record}");
}

#[test]
fn twice_busy_then_answered_is_completed_at_the_third_attempt() {
    check(
        "+15550000104",
        json!({}),
        "completed",
        &["busy", "busy", "completed"],
    );
}

#[test]
fn no_answer_then_answered_is_completed_at_the_second_attempt() {
    check(
        "+15550000105",
        json!({"ring_timeout_seconds": 10}),
        "completed",
        &["no-answer", "completed"],
    );
}

#[test]
fn a_machine_is_named_when_detection_was_asked_for_and_only_then() {
    let detected = check(
        "+15550000106",
        json!({"machine_detection": "enable"}),
        "completed",
        &["completed"],
    );
    let answered_by = detected["attempts"][0]["answered_by"]
        .as_str()
        .unwrap_or_default();
    assert!(answered_by.starts_with("machine"), "{detected}");
    let blind = check("+15550000106", json!({}), "completed", &["completed"]);
    assert_eq!(blind["attempts"][0]["answered_by"], Value::Null, "{blind}");
}

#[test]
fn a_call_that_the_carrier_cancels_is_not_dialled_again() {
    check("+15550000107", json!({}), "canceled", &["canceled"]);
}

#[test]
fn a_call_that_rings_long_is_completed_when_somebody_answers() {
    check("+15550000108", json!({}), "completed", &["completed"]);
}

#[test]
fn a_call_that_drops_after_a_second_is_completed_and_lasted_a_second() {
    let record = check("+15550000109", json!({}), "completed", &["completed"]);
    assert_eq!(record["attempts"][0]["duration_seconds"], 1, "{record}");
}

#[test]
fn a_status_that_the_call_does_not_retry_on_ends_it() {
    check(
        "+15550000101",
        json!({"retry_on": ["no-answer"]}),
        "busy",
        &["busy"],
    );
}

#[test]
fn between_two_attempts_the_record_says_when_the_next_is_due() {
    let world = World::builder().env("REDIAL_RETRY_DELAYS", "2m,5m,10m").start();
    let call = world.ask("+15550000101", json!({}));
    let record = world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    assert_eq!(record["should_retry"], true, "{record}");
    assert_eq!(record["attempt_count"], 1, "{record}");
    assert_eq!(record["waiting_for"]["reason"], "retry", "{record}");
    let (ended, due) = (
        millis(&record["attempts"][0]["ended_at"]),
        millis(&record["next_retry_at"]),
    );
    // Two minutes after the word was heard, which is some moments after the line was busy.
    assert!(
        (115_000..=130_000).contains(&(due - ended)),
        "two minutes after its end: {record}"
    );
    assert_eq!(world.ledger().len(), 1, "nobody is called before it is time");
}

fn millis(time: &Value) -> i64 {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    text.parse::<jiff::Timestamp>()
        .expect("an ISO 8601 time")
        .as_millisecond()
}
