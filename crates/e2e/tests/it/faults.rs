//! The scripted numbers 0110 to 0119: every way in which carrier and network can mislead us. Nobody is called twice
//! for one attempt, and the record ends up true.

use e2e::{World, assert_truth};
use serde_json::{Value, json};

use crate::endings::statuses;

/// Asks for one call and lets it run; the call and its attempts must end as named, with so many rings.
#[track_caller]
fn check(to: &str, more: Value, status: &str, attempts: &[&str], rings: usize) -> Value {
    let world = World::start();
    let call = world.ask(to, more);
    let record = world.ended(&call);
    assert_eq!(record["status"], status, "{record}");
    assert_eq!(statuses(&record), attempts, "{record}");
    assert_eq!(world.ledger().len(), rings, "rings: {:?}", world.ledger());
    assert_truth(&world);
    record
}

#[test]
fn a_lost_answer_to_the_dial_is_looked_up_and_not_dialled_again() {
    let record = check("+15550000110", json!({}), "completed", &["completed"], 1);
    assert!(record["attempts"][0]["twilio_sid"].is_string(), "{record}");
}

#[test]
fn a_503_that_hides_a_placed_call_is_looked_up_and_not_dialled_again() {
    check("+15550000111", json!({}), "completed", &["completed"], 1);
}

#[test]
fn a_lost_dial_that_still_waits_in_the_carriers_queue_is_found() {
    // The first call takes the only start for the next five seconds.
    let world = World::builder().carrier_cps("0.2").start();
    let first = world.ask("+15550000100", json!({}));
    let lost = world.ask("+15550000110", json!({}));
    let record = world.wait_until(&lost, "the leg to be found", |it| {
        it["attempts"][0]["twilio_sid"].is_string()
    });
    assert_eq!(
        world.ledger()[1].status,
        "queued",
        "found before it was started: {record}"
    );
    assert_eq!(statuses(&world.ended(&lost)), ["completed"]);
    world.ended(&first);
    assert_truth(&world);
}

#[test]
fn a_503_without_a_call_is_unconfirmed_and_uses_the_attempt() {
    let record = check("+15550000112", json!({}), "unconfirmed", &["unconfirmed"; 3], 0);
    for attempt in record["attempts"].as_array().expect("an array") {
        assert_eq!(attempt["twilio_sid"], Value::Null, "{record}");
    }
}

#[test]
fn an_unconfirmed_attempt_ends_the_call_where_the_operator_says_stop() {
    let world = World::builder().env("REDIAL_ON_UNCONFIRMED", "stop").start();
    let call = world.ask("+15550000112", json!({}));
    let record = world.ended(&call);
    assert_eq!(
        (&record["status"], statuses(&record)),
        (&json!("unconfirmed"), vec!["unconfirmed"]),
        "{record}"
    );
    assert_truth(&world);
}

#[test]
fn while_a_dial_is_in_doubt_it_counts_as_used_and_has_no_sid() {
    let world = World::builder().env("REDIAL_SETTLE_AFTER", "1h").start();
    let (status, answer) = world.create(&json!({"to": "+15550000112", "from": e2e::FROM, "user_id": "u1"}));
    assert_eq!(status, 202, "{answer}");
    let record = world.record(&world.calls()[0]);
    for told in [&answer, &record] {
        assert_eq!(
            (&told["status"], &told["attempt_count"]),
            (&json!("initiated"), &json!(1)),
            "{told}"
        );
        assert_eq!(told["waiting_for"]["reason"], "settling", "{told}");
    }
    assert_eq!(answer["twilio_sid"], Value::Null, "{answer}");
    assert_eq!(record["attempts"][0]["twilio_sid"], Value::Null, "{record}");
    assert_eq!(world.ledger().len(), 0);
}

#[test]
fn a_busy_carrier_is_asked_again_for_the_same_attempt() {
    let record = check("+15550000113", json!({}), "completed", &["completed"], 1);
    assert_eq!(
        record["attempt_count"], 1,
        "a refusal to listen is no attempt: {record}"
    );
}

#[test]
fn without_any_callback_the_end_is_fetched() {
    let more = json!({"max_attempts": 2, "ring_timeout_seconds": 10});
    check("+15550000114", more, "no-answer", &["no-answer", "no-answer"], 2);
}

#[test]
fn callbacks_that_arrive_twice_count_once() {
    let record = check("+15550000115", json!({}), "completed", &["completed"], 1);
    let corrections = record["events"].as_array().expect("an array").iter();
    let corrections = corrections
        .filter(|it| it.to_string().contains("correct"))
        .count();
    assert_eq!(corrections, 0, "a repeat corrects nothing: {record}");
}

#[test]
fn callbacks_in_reverse_order_end_in_the_same_outcome() {
    check("+15550000116", json!({}), "completed", &["completed"], 1);
}

#[test]
fn a_callback_that_overtakes_the_answer_to_the_dial_is_not_lost() {
    check("+15550000117", json!({}), "completed", &["completed"], 1);
}

#[test]
fn a_late_callback_of_the_first_attempt_does_not_touch_the_second() {
    check("+15550000118", json!({}), "completed", &["busy", "completed"], 2);
}

#[test]
fn a_lost_terminal_callback_is_made_up_for_by_asking() {
    check("+15550000119", json!({}), "completed", &["completed"], 1);
}
