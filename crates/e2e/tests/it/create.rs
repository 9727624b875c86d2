//! `POST /calls/outbound`: what is accepted, what is refused, and that the refused leaves nothing behind.

use e2e::{FROM, World, assert_truth};
use serde_json::{Value, json};

/// A body that would be accepted, with one field replaced.
fn body_with(field: &str, value: Value) -> Value {
    let mut body = json!({"to": "+15550000100", "from": FROM, "user_id": "u1"});
    body[field] = value;
    body
}

#[track_caller]
fn nothing_happened(world: &World) {
    assert!(
        world.ledger().is_empty(),
        "a refused request must not ring: {:?}",
        world.ledger()
    );
    let (status, page) = world.get("/users/u1/calls");
    assert_eq!(
        (status, &page["total"]),
        (200, &json!(0)),
        "a refused request must not be stored: {page}"
    );
}

/// Every error has the same four fields, whatever it says.
#[track_caller]
pub fn assert_error(body: &Value) {
    for field in ["error", "message", "code", "request_id"] {
        assert!(
            body[field].as_str().is_some_and(|it| !it.is_empty()),
            "an error has `{field}`: {body}"
        );
    }
}

#[test]
fn a_placed_call_is_answered_with_its_sid() {
    let world = World::start();
    let (status, answer) = world.create(&body_with("user_id", json!("user-7")));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["user_id"], "user-7", "{answer}");
    assert_eq!(answer["status"], "initiated", "{answer}");
    assert_eq!(answer["attempt_count"], 1, "{answer}");
    assert_eq!(
        (&answer["to"], &answer["from"]),
        (&json!("+15550000100"), &json!(FROM)),
        "{answer}"
    );
    let ledger = world.ledger();
    assert_eq!(answer["twilio_sid"], ledger[0].sid.as_str(), "{answer}");
    let call = &world.calls()[0];
    assert_eq!(ledger[0].names(), (call.call_id.clone(), 1));
    world.ended(call);
    assert_truth(&world);
}

#[test]
fn a_missing_null_or_empty_field_is_named_among_the_required() {
    let world = World::start();
    for field in ["to", "from", "user_id"] {
        for value in [Value::Null, json!("")] {
            let (status, answer) = world.create(&body_with(field, value));
            assert_eq!(status, 400, "{answer}");
            assert_eq!(answer["error"], "Missing required fields", "{answer}");
            assert_eq!(answer["required"], json!(["to", "from", "user_id"]), "{answer}");
            assert_error(&answer);
        }
    }
    let (status, answer) = world.create(&json!({}));
    assert_eq!(
        (status, &answer["error"]),
        (400, &json!("Missing required fields")),
        "{answer}"
    );
    nothing_happened(&world);
}

#[test]
fn a_number_that_is_no_number_is_refused_by_name() {
    let world = World::start();
    let wrong = [
        "15550000100",
        "+05550000100",
        "+1555000",
        "+1555000010000000",
        "+1 555 000 0100",
        "+1555000010O",
        "+١٢٣٤٥٦٧٨٩",
    ];
    for field in ["to", "from"] {
        for number in wrong {
            let (status, answer) = world.create(&body_with(field, json!(number)));
            assert!(
                (400..500).contains(&status),
                "{field} {number}: {status} {answer}"
            );
            assert_error(&answer);
            let text = answer["message"].as_str().unwrap_or_default();
            assert!(text.contains(field), "the message names `{field}`: {answer}");
        }
    }
    nothing_happened(&world);
}

#[test]
fn the_shortest_and_the_longest_number_are_taken() {
    let world = World::start();
    for to in ["+15550100", "+155500000000100"] {
        world.ask(to, json!({"scheduled_at": "2099-01-01T00:00:00.000Z"}));
    }
}

#[test]
fn a_body_that_is_not_json_or_of_the_wrong_type_is_refused() {
    let world = World::start();
    let json_type = [("Content-Type", "application/json")];
    for body in [
        "",
        "{",
        "[]",
        "\"text\"",
        "to=%2B15550000100",
        "{\"to\":\"+15550000100\"} trailing",
    ] {
        let answer = world.send("POST", "/calls/outbound", &json_type, body.as_bytes());
        assert!((400..500).contains(&answer.status), "{body}: {answer:?}");
        assert_error(&answer.json());
    }
    for field in ["to", "from", "user_id"] {
        let (status, answer) = world.create(&body_with(field, json!(15_550_000_100_i64)));
        assert!((400..500).contains(&status), "{status} {answer}");
        assert!(
            answer["message"].as_str().unwrap_or_default().contains(field),
            "{answer}"
        );
    }
    nothing_happened(&world);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let world = World::start();
    let (status, answer) = world.create(&body_with("message", json!("x".repeat(4 << 20))));
    assert!((400..500).contains(&status), "{status} {answer}");
    assert_error(&answer);
    nothing_happened(&world);
}

#[test]
fn an_option_outside_its_bounds_is_refused_by_name() {
    let world = World::start();
    let wrong = [
        ("max_attempts", json!(0)),
        ("max_attempts", json!(21)),
        ("ring_timeout_seconds", json!(4)),
        ("ring_timeout_seconds", json!(601)),
        ("time_limit_seconds", json!(59)),
        ("time_limit_seconds", json!(14_401)),
        ("machine_detection", json!("sometimes")),
        ("retry_on", json!(["completed-ish"])),
        ("retry_delays", json!(["soon"])),
        ("scheduled_at", json!("tomorrow")),
        ("metadata", json!("text")),
        ("metadata", json!({"long": "x".repeat(5000)})),
        ("url", json!("not a url")),
        ("twiml", json!("<Response><Dial>+15550000100</Dial></Response>")),
        ("twiml", json!("<Response>")),
        ("twiml", json!("<Say>no root</Say>")),
        (
            "twiml",
            json!("<!DOCTYPE x [<!ENTITY e 'e'>]><Response><Say>&e;</Say></Response>"),
        ),
    ];
    for (field, value) in wrong {
        let (status, answer) = world.create(&body_with(field, value.clone()));
        assert!((400..500).contains(&status), "{field} {value}: {status} {answer}");
        assert_error(&answer);
        assert!(
            answer["message"].as_str().unwrap_or_default().contains(field),
            "names `{field}`: {answer}"
        );
    }
    let mut two = body_with("message", json!("Hello"));
    two["twiml"] = json!("<Response><Say>Hello</Say></Response>");
    let (status, answer) = world.create(&two);
    assert_eq!(status, 400, "one document only: {answer}");
    nothing_happened(&world);
}

#[test]
fn an_unknown_field_is_taken_and_named() {
    let world = World::start();
    let mut body = body_with("max_atempts", json!(9));
    body["scheduled_at"] = json!("2099-01-01T00:00:00.000Z");
    let (status, answer) = world.create(&body);
    assert_eq!(status, 202, "{answer}");
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("max_atempts"), "{answer}");
}

#[test]
fn a_call_for_later_is_queued_and_rings_nobody() {
    let world = World::start();
    let mut body = body_with("scheduled_at", json!("2099-01-01T00:00:00.000Z"));
    body["metadata"] = json!({"order": 7, "nested": {"a": [1, 2]}});
    let (status, answer) = world.create(&body);
    assert_eq!(status, 202, "{answer}");
    assert_eq!(answer["status"], "queued", "{answer}");
    assert_eq!(answer["attempt_count"], 0, "{answer}");
    assert_eq!(answer["twilio_sid"], Value::Null, "{answer}");
    assert_eq!(answer["waiting_for"]["reason"], "schedule", "{answer}");
    let record = world.record(&world.calls()[0]);
    assert_eq!(record["attempts"], json!([]), "{record}");
    assert_eq!(record["metadata"], body["metadata"], "{record}");
    assert_eq!(record["scheduled_at"], "2099-01-01T00:00:00.000Z", "{record}");
    assert!(world.ledger().is_empty());
}

#[test]
fn a_number_that_the_carrier_refuses_is_kept_as_failed_and_not_retried() {
    // The carrier's own numbers for its own refusals.
    let refused = [
        ("to", "+15005550001", 21217),
        ("to", "+15005550002", 21214),
        ("to", "+15005550003", 21215),
        ("to", "+15005550004", 21216),
        ("from", "+15005550001", 21212),
    ];
    let world = World::start();
    for (field, number, code) in refused {
        let (status, answer) = world.create(&body_with(field, json!(number)));
        assert_eq!(status, 500, "{field} {number}: {answer}");
        assert_eq!(answer["error"], "Failed to create call", "{answer}");
        assert_eq!(answer["carrier_code"], code, "{answer}");
        assert_eq!(answer["code"], "carrier_refused", "{answer}");
        assert_eq!(answer["retryable"], false, "{answer}");
        assert_error(&answer);
        let call = world.calls().pop().expect("a refused call is kept");
        assert_eq!(answer["call_id"], call.call_id.as_str(), "{answer}");
        let record = world.record(&call);
        assert_eq!(
            (&record["status"], &record["should_retry"]),
            (&json!("failed"), &json!(false)),
            "{record}"
        );
        assert_eq!(record["attempt_count"], 1, "{record}");
        let attempt = &record["attempts"][0];
        assert_eq!(
            (&attempt["status"], &attempt["twilio_sid"]),
            (&json!("failed"), &Value::Null),
            "{record}"
        );
        assert_eq!(
            attempt["error_message"], answer["message"],
            "the carrier's words stand in both: {record}"
        );
    }
    assert_truth(&world);
}

#[test]
fn a_client_that_hangs_up_changes_nothing() {
    use std::io::Write as _;
    let world = World::start();
    let body = body_with("to", json!("+15550000113")).to_string();
    let host = world.base().trim_start_matches("http://");
    let head = format!(
        "POST /calls/outbound HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = std::net::TcpStream::connect(host).expect("the server listens");
    socket
        .write_all(format!("{head}{body}").as_bytes())
        .expect("sent");
    // The carrier turns the first dials away, so the request is still waiting once its call can be listed.
    let page = e2e::wait_for("the call to be stored", || {
        let (_, page) = world.get("/users/u1/calls");
        if page["total"] == 1 {
            Ok(page)
        } else {
            Err(page.to_string())
        }
    });
    drop(socket);
    let call_id = page["calls"][0]["call_id"]
        .as_str()
        .expect("a listed call has an id")
        .to_owned();
    let record = world.ended(&e2e::Call {
        user_id: "u1".to_owned(),
        call_id,
    });
    assert_eq!(
        (&record["status"], &record["attempt_count"]),
        (&json!("completed"), &json!(1)),
        "{record}"
    );
    assert_eq!(world.ledger().len(), 1);
}
