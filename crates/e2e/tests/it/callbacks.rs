//! `POST /twilio/status`: what is believed, what is refused, and what is kept for later.

use e2e::{Call, World, assert_truth};
use serde_json::{Value, json};

use crate::create::assert_error;

/// A carrier's name that it never gave to a call of ours.
const FOREIGN_SID: &str = "CAffffffffffffffffffffffffffffffff";

/// A world with one call that has ended, answered by a person.
fn completed() -> (World, Call, Value) {
    let world = World::start();
    let call = world.ask("+15550000100", json!({}));
    let record = world.ended(&call);
    (world, call, record)
}

/// The form fields of a callback.
fn fields<'a>(sid: &'a str, status: &'a str, sequence: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("CallSid", sid),
        ("CallStatus", status),
        ("SequenceNumber", sequence),
        ("CallbackSource", "call-progress-events"),
    ]
}

fn sid(record: &Value) -> String {
    record["attempts"][0]["twilio_sid"]
        .as_str()
        .expect("a placed attempt has a SID")
        .to_owned()
}

/// The outcome of a record, without the history that a callback may add to.
fn outcome(record: &Value) -> Value {
    let attempts: Vec<Value> = record["attempts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            json!([
                it["attempt_number"],
                it["twilio_sid"],
                it["status"],
                it["ended_at"]
            ])
        })
        .collect();
    json!([
        record["status"],
        record["attempt_count"],
        record["should_retry"],
        record["next_retry_at"],
        attempts
    ])
}

#[test]
fn a_signed_callback_is_answered_ok() {
    let (world, call, record) = completed();
    let query = format!("call={}&attempt=1", call.call_id);
    let answer = world.callback(&query, &fields(&sid(&record), "completed", "3"));
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"status": "ok"})),
        "{answer:?}"
    );
    assert_truth(&world);
}

#[test]
fn a_signed_json_callback_is_taken_too() {
    let (world, call, record) = completed();
    let body = json!({"CallSid": sid(&record), "CallStatus": "completed", "SequenceNumber": "3"});
    let answer = world.json_callback(&format!("call={}&attempt=1", call.call_id), &body);
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"status": "ok"})),
        "{answer:?}"
    );
}

#[test]
fn a_callback_without_a_true_signature_is_refused_and_changes_nothing() {
    let world = World::builder().speed(1).start();
    let call = world.ask("+15550000108", json!({}));
    let record = world.record(&call);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let path = format!("/twilio/status?call={}&attempt=1", call.call_id);
    let body = format!("CallSid={}&CallStatus=completed&SequenceNumber=9", sid(&record));
    let url = format!("{}{path}", world.base());
    let params = fields(FOREIGN_SID, "completed", "9");
    let signatures = [
        None,
        Some(String::new()),
        Some("bm90IGEgc2lnbmF0dXJl".to_owned()),
        // True, but of another body; and of another secret.
        Some(e2e::sign("an-invented-token", &url, &params)),
        Some(e2e::sign(
            "another-token",
            &url,
            &[
                ("CallSid", &sid(&record)),
                ("CallStatus", "completed"),
                ("SequenceNumber", "9"),
            ],
        )),
    ];
    for signature in signatures {
        let mut headers = vec![form];
        headers.extend(signature.as_ref().map(|it| ("X-Twilio-Signature", it.as_str())));
        let answer = world.send_as_is("POST", &path, &headers, body.as_bytes());
        assert_eq!(answer.status, 403, "{signature:?}: {answer:?}");
    }
    let record = world.record(&call);
    assert_ne!(record["status"], "completed", "{record}");
    assert_eq!(record["attempts"][0]["ended_at"], Value::Null, "{record}");
}

#[test]
fn a_callback_without_sid_or_status_is_refused() {
    let (world, call, record) = completed();
    let query = format!("call={}&attempt=1", call.call_id);
    let sid = sid(&record);
    for params in [
        vec![("CallSid", sid.as_str())],
        vec![("CallStatus", "completed")],
        vec![("AccountSid", "AC1")],
    ] {
        let answer = world.callback(&query, &params);
        assert_eq!(answer.status, 400, "{params:?}: {answer:?}");
        assert_error(&answer.json());
    }
}

#[test]
fn a_callback_of_no_call_of_ours_is_taken_all_the_same() {
    let (world, call, before) = completed();
    for query in ["", "call=none&attempt=1", "call=&attempt=x"] {
        let answer = world.callback(query, &fields(FOREIGN_SID, "completed", "0"));
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"status": "ok"})),
            "{query}: {answer:?}"
        );
    }
    assert_eq!(outcome(&world.record(&call)), outcome(&before));
    assert_truth(&world);
}

#[test]
fn a_callback_that_names_another_attempt_than_its_sid_changes_nothing() {
    let (world, call, before) = completed();
    let other = world.ask("+15550000100", json!({"user_id": "u2"}));
    world.ended(&other);
    for query in [
        format!("call={}&attempt=2", call.call_id),
        format!("call={}&attempt=1", other.call_id),
    ] {
        let answer = world.callback(&query, &fields(&sid(&before), "busy", "99"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert_eq!(outcome(&world.record(&call)), outcome(&before));
    assert_truth(&world);
}

#[test]
fn a_late_or_unknown_word_moves_nothing_backwards() {
    let (world, call, before) = completed();
    let query = format!("call={}&attempt=1", call.call_id);
    let words = [
        ("queued", "0"),
        ("initiated", "0"),
        ("ringing", "1"),
        ("in-progress", "2"),
        ("on-hold", "7"),
        ("", "8"),
    ];
    for (status, sequence) in words {
        let answer = world.callback(&query, &fields(&sid(&before), status, sequence));
        let taken = if status.is_empty() { 400 } else { 200 };
        assert_eq!(answer.status, taken, "{status}: {answer:?}");
    }
    for sequence in ["1", "-1", "many", ""] {
        let answer = world.callback(&query, &fields(&sid(&before), "ringing", sequence));
        assert_eq!(answer.status, 200, "sequence {sequence}: {answer:?}");
    }
    assert_eq!(outcome(&world.record(&call)), outcome(&before));
    assert_truth(&world);
}

#[test]
fn an_answered_callback_survives_a_kill() {
    let mut world = World::builder().speed(1).start();
    let call = world.ask("+15550000108", json!({}));
    let record = world.record(&call);
    let query = format!("call={}&attempt=1", call.call_id);
    let answer = world.callback(&query, &fields(&sid(&record), "in-progress", "2"));
    assert_eq!(answer.status, 200, "{answer:?}");
    world.restart();
    let record = world.record(&call);
    assert_eq!(record["status"], "in-progress", "{record}");
    assert_eq!(record["attempts"][0]["status"], "in-progress", "{record}");
}

#[test]
fn parameters_that_nobody_announced_do_no_harm() {
    let (world, call, before) = completed();
    let sid = sid(&before);
    let mut params = fields(&sid, "completed", "3");
    params.extend([
        ("FromCity", ""),
        ("Brand New", "ünïcode & more"),
        ("CallDuration", "not a number"),
    ]);
    let answer = world.callback(&format!("call={}&attempt=1", call.call_id), &params);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(outcome(&world.record(&call)), outcome(&before));
}
