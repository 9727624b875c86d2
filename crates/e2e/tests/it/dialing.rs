//! `POST /dialing/pause` and `/dialing/resume`: the brake that holds across restarts.

use e2e::World;
use serde_json::{Value, json};

#[test]
fn while_dialling_is_paused_calls_are_taken_and_nobody_is_called() {
    let mut world = World::start();
    let (status, answer) = world.post("/dialing/pause");
    assert_eq!(status, 200, "{answer}");
    world.restart();

    let (status, answer) = world.create(&json!({"to": "+15550000100", "from": e2e::FROM, "user_id": "u1"}));
    assert_eq!(status, 202, "{answer}");
    assert_eq!(
        (&answer["status"], &answer["attempt_count"]),
        (&json!("queued"), &json!(0)),
        "{answer}"
    );
    assert_eq!(answer["twilio_sid"], Value::Null, "{answer}");
    assert_eq!(answer["waiting_for"]["reason"], "paused", "{answer}");
    let ready = world.send("GET", "/readyz", &[], b"");
    assert!(ready.text.contains("pause"), "{ready:?}");
    assert!(world.ledger().is_empty(), "nobody is called while paused");

    let (status, answer) = world.post("/dialing/resume");
    assert_eq!(status, 200, "{answer}");
    let record = world.ended(&world.calls()[0]);
    assert_eq!(record["status"], "completed", "{record}");
    e2e::assert_truth(&world);
}

#[test]
fn callbacks_are_taken_while_dialling_is_paused() {
    let world = World::start();
    let call = world.ask("+15550000108", json!({}));
    world.post("/dialing/pause");
    let record = world.ended(&call);
    assert_eq!(record["status"], "completed", "{record}");
    let (status, _) = world.post("/dialing/pause");
    assert_eq!(status, 200, "to pause twice is no error");
}
