//! The header `Idempotency-Key`: a repeated request is the same call.

use e2e::{FROM, World, assert_truth};
use serde_json::{Value, json};

const KEY: &str = "Idempotency-Key";

fn body(to: &str) -> Value {
    json!({"to": to, "from": FROM, "user_id": "u1"})
}

#[test]
fn a_repeat_is_answered_from_the_same_call_also_after_a_crash() {
    let mut world = World::start();
    let (status, first) = world.create_with(&[(KEY, "order-7")], &body("+15550000100"));
    assert_eq!(status, 200, "{first}");
    for crash in [false, true] {
        if crash {
            world.restart();
        }
        let (status, again) = world.create_with(&[(KEY, "order-7")], &body("+15550000100"));
        assert_eq!(
            (status, &again["call_id"], &again["twilio_sid"]),
            (200, &first["call_id"], &first["twilio_sid"]),
            "{again}"
        );
    }
    world.ended(&world.calls()[0]);
    assert_eq!(world.ledger().len(), 1);
    assert_truth(&world);
}

#[test]
fn the_same_json_written_otherwise_is_the_same_body_and_another_is_a_conflict() {
    let world = World::start();
    let send = |text: &str| {
        let headers = [(KEY, "order-8"), ("Content-Type", "application/json")];
        let answer = world.send("POST", "/calls/outbound", &headers, text.as_bytes());
        (answer.status, answer.json())
    };
    let later = "2099-01-01T00:00:00.000Z";
    let (status, first) = send(&format!(
        r#"{{"to":"+15550000100","from":"{FROM}","user_id":"u1","scheduled_at":"{later}"}}"#
    ));
    assert_eq!(status, 202, "{first}");
    let (status, again) = send(&format!(
        r#"{{ "scheduled_at":"{later}", "user_id" : "u1", "from":"{FROM}","to":"+15550000100" }}"#
    ));
    assert_eq!((status, &again["call_id"]), (202, &first["call_id"]), "{again}");
    let (status, other) = send(&format!(
        r#"{{"to":"+15550000101","from":"{FROM}","user_id":"u1","scheduled_at":"{later}"}}"#
    ));
    assert_eq!(status, 409, "{other}");
    let (_, page) = world.get("/users/u1/calls");
    assert_eq!(page["total"], 1, "{page}");
}

#[test]
fn a_refused_number_is_refused_again_without_asking_the_carrier() {
    let world = World::start();
    let (status, first) = world.create_with(&[(KEY, "order-9")], &body("+15005550001"));
    assert_eq!(status, 500, "{first}");
    let (status, again) = world.create_with(&[(KEY, "order-9")], &body("+15005550001"));
    assert_eq!(
        (status, &again["call_id"], &again["message"]),
        (500, &first["call_id"], &first["message"]),
        "{again}"
    );
}

#[test]
fn a_request_answered_4xx_claims_no_key() {
    let world = World::start();
    let (status, answer) = world.create_with(&[(KEY, "order-10")], &body("nobody"));
    assert!((400..500).contains(&status), "{answer}");
    let (status, answer) = world.create_with(&[(KEY, "order-10")], &body("+15550000100"));
    assert_eq!(status, 200, "{answer}");
    world.ended(&world.calls()[0]);
    assert_truth(&world);
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    let world = World::start();
    for key in ["", "with space", &"x".repeat(256)] {
        let (status, answer) = world.create_with(&[(KEY, key)], &body("+15550000100"));
        assert!((400..500).contains(&status), "{key}: {answer}");
    }
    assert!(world.ledger().is_empty());
}

#[test]
fn many_at_once_with_one_key_are_one_call() {
    let world = World::start();
    let ids: Vec<String> = std::thread::scope(|scope| {
        let ask = || world.create_with(&[(KEY, "order-11")], &body("+15550000108"));
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asked
            .into_iter()
            .map(|it| it.join().expect("answered"))
            .map(|it| it.1["call_id"].to_string())
            .collect()
    });
    assert!(ids.iter().all(|it| *it == ids[0] && it != "null"), "{ids:?}");
    world.ended(&world.calls()[0]);
    assert_eq!(world.ledger().len(), 1);
    assert_truth(&world);
}
