//! `POST /users/:userId/calls/:callId/cancel`: from every state, and for good.

use e2e::{Call, World, assert_truth};
use serde_json::{Value, json};

use crate::create::assert_error;
use crate::endings::statuses;

#[test]
fn a_queued_call_is_canceled_at_once_and_stays_so() {
    let mut world = World::start();
    let call = world.ask(
        "+15550000100",
        json!({"scheduled_at": "2099-01-01T00:00:00.000Z"}),
    );
    for _ in 0..2 {
        let (status, record) = world.cancel(&call);
        assert_eq!((status, &record["status"]), (200, &json!("canceled")), "{record}");
        assert!(record["cancel_requested_at"].is_string(), "{record}");
        assert_eq!(record["should_retry"], false, "{record}");
    }
    world.restart();
    let record = world.record(&call);
    assert_eq!(
        (&record["status"], &record["attempts"]),
        (&json!("canceled"), &json!([])),
        "{record}"
    );
    assert_truth(&world);
}

#[test]
fn a_call_that_waits_for_its_retry_is_never_dialled_again() {
    let world = World::builder().env("REDIAL_RETRY_DELAYS", "1h").start();
    let call = world.ask("+15550000101", json!({}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    let (status, record) = world.cancel(&call);
    assert_eq!((status, &record["status"]), (200, &json!("canceled")), "{record}");
    assert_eq!(record["next_retry_at"], Value::Null, "{record}");
    assert_eq!(
        statuses(&record),
        ["busy"],
        "the attempt keeps the carrier's word: {record}"
    );
    assert_truth(&world);
}

#[test]
fn a_ringing_phone_is_hung_up() {
    let world = World::builder().speed(1).start();
    let call = world.ask("+15550000108", json!({}));
    let (status, record) = world.cancel(&call);
    assert_eq!(status, 200, "{record}");
    assert!(record["cancel_requested_at"].is_string(), "{record}");
    let record = world.ended(&call);
    assert_eq!(
        (&record["status"], statuses(&record)),
        (&json!("canceled"), vec!["canceled"]),
        "{record}"
    );
    let (status, record) = world.cancel(&call);
    assert_eq!(
        (status, &record["status"]),
        (200, &json!("canceled")),
        "again: {record}"
    );
    assert_truth(&world);
}

#[test]
fn a_call_that_is_over_cannot_be_canceled() {
    let world = World::start();
    let call = world.ask("+15550000100", json!({}));
    world.ended(&call);
    let (status, answer) = world.cancel(&call);
    assert_eq!(status, 409, "{answer}");
    assert_error(&answer);
    assert_eq!(world.record(&call)["status"], "completed");
}

#[test]
fn nobody_cancels_another_user_s_call() {
    let world = World::start();
    let call = world.ask(
        "+15550000100",
        json!({"scheduled_at": "2099-01-01T00:00:00.000Z"}),
    );
    let stranger = Call {
        user_id: "somebody-else".to_owned(),
        call_id: call.call_id.clone(),
    };
    let (status, answer) = world.cancel(&stranger);
    assert_eq!(
        (status, &answer["error"]),
        (404, &json!("Call not found")),
        "{answer}"
    );
    assert_eq!(world.record(&call)["status"], "queued");
}

#[test]
fn a_dial_in_doubt_that_was_canceled_is_not_dialled_again() {
    let world = World::builder().env("REDIAL_SETTLE_AFTER", "2s").start();
    // While dialling is paused the request is answered at once, so that the doubt itself can be watched.
    world.post("/dialing/pause");
    let call = world.ask("+15550000112", json!({}));
    world.post("/dialing/resume");
    world.wait_until(&call, "the dial to be in doubt", |it| it["attempt_count"] == 1);
    let (status, record) = world.cancel(&call);
    assert_eq!(status, 200, "{record}");
    assert!(record["cancel_requested_at"].is_string(), "{record}");
    let record = world.ended(&call);
    assert_eq!(
        (&record["status"], &record["attempt_count"]),
        (&json!("canceled"), &json!(1)),
        "{record}"
    );
    assert_truth(&world);
}
