//! `POST /calls/outbound`: what is taken, what is refused in which words, and what is answered.

use std::pin::pin;
use std::time::Duration;

use carrier::Placement;
use domain::{MachineDetection, Script};
use engine::clock::Clock;
use serde_json::{Value, json};
use server::Options;

use crate::carrier::sid;
use crate::world::{Answer, World, body, later, settings};

/// Sends a body that must be refused with this code, leave nothing behind, and be explained by a
/// message that begins so.
async fn refused(sent: Value, status: u16, code: &str, begins: &str) {
    let world = World::new().await;
    let answer = world.create(&sent).await;
    let message = answer.error(status, code);
    assert!(message.starts_with(begins), "{sent} was refused with `{message}`");
    assert!(world.carrier.dials().is_empty(), "{sent} rang");
    assert_eq!(
        world.get("/users/u1/calls").await.json()["total"],
        0,
        "{sent} was stored"
    );
}

#[tokio::test]
async fn a_placed_call_is_answered_with_exactly_the_promised_fields() {
    let world = World::new().await;
    let answer = world.create(&body(json!({}))).await;
    let mut json = answer.json();
    let id = json["call_id"].take();
    assert!(id.as_str().is_some_and(|id| id.len() == 36), "{answer:?}");
    let expected = json!({
        "call_id": null, "user_id": "u1", "twilio_sid": sid(1), "status": "initiated", "attempt_count": 1,
        "to": "+15550000100", "from": "+15550009999",
    });
    assert_eq!((answer.status, json), (200, expected));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_missing_null_or_empty_field_is_answered_in_the_promised_words() {
    for (field, value) in [
        ("to", json!(null)),
        ("from", json!("")),
        ("user_id", json!(null)),
        ("to", json!("")),
    ] {
        let world = World::new().await;
        let answer = world.create(&body(json!({ field: value }))).await;
        let message = answer.error(400, "missing_fields");
        assert!(message.starts_with(field), "{message}");
        assert_eq!(answer.json()["error"], "Missing required fields");
        assert_eq!(answer.json()["required"], json!(["to", "from", "user_id"]));
    }
    refused(json!({}), 400, "missing_fields", "to, from, user_id: ").await;
}

#[tokio::test]
async fn wrong_numbers_and_users_are_refused_by_name() {
    let cases = [
        (json!({"to": 15_550_000_100_i64}), "to: must be a string"),
        (json!({"user_id": ["u1"]}), "user_id: must be a string"),
        (json!({"user_id": "a\u{7}b"}), "user_id: "),
        (json!({"user_id": "u".repeat(256)}), "user_id: "),
        (json!({"to": "15550000100"}), "to: must be + and 8 to 15 digits"),
        (
            json!({"from": "+1 555 000 0100"}),
            "from: must be + and 8 to 15 digits",
        ),
    ];
    for (more, begins) in cases {
        refused(body(more), 400, "invalid_field", begins).await;
    }
}

#[tokio::test]
async fn a_wrong_policy_is_refused_by_name() {
    let cases = [
        (
            json!({"max_attempts": 0}),
            "max_attempts: must be a whole number from 1 to 20",
        ),
        (json!({"max_attempts": 21}), "max_attempts: "),
        (json!({"max_attempts": 1.5}), "max_attempts: "),
        (json!({"max_attempts": "3"}), "max_attempts: "),
        (json!({"retry_delays": []}), "retry_delays: must list 1 to 20"),
        (json!({"retry_delays": "2m"}), "retry_delays: must be a list"),
        (
            json!({"retry_delays": ["soon"]}),
            "retry_delays: must be a number with",
        ),
        (json!({"retry_delays": [1.5]}), "retry_delays: "),
        (json!({"retry_delays": [-1]}), "retry_delays: "),
        (json!({"retry_delays": [null]}), "retry_delays: "),
        (
            json!({"retry_delays": ["31d"]}),
            "retry_delays: must be at most 30d",
        ),
        (json!({"retry_delays": vec!["1s"; 21]}), "retry_delays: "),
        (json!({"retry_on": ["completed"]}), "retry_on: must list some of"),
        (json!({"retry_on": "busy"}), "retry_on: must be a list"),
        (
            json!({"ring_timeout_seconds": 4}),
            "ring_timeout_seconds: must be a whole number from 5 to 600",
        ),
        (json!({"ring_timeout_seconds": 601}), "ring_timeout_seconds: "),
        (
            json!({"time_limit_seconds": 59}),
            "time_limit_seconds: must be a whole number from 60 to 14400",
        ),
        (json!({"time_limit_seconds": 14_401}), "time_limit_seconds: "),
        (
            json!({"machine_detection": "sometimes"}),
            "machine_detection: must be off",
        ),
        (json!({"machine_detection": true}), "machine_detection: "),
        (
            json!({"scheduled_at": "tomorrow"}),
            "scheduled_at: must be a moment",
        ),
        (
            json!({"scheduled_at": "2026-12-24T18:00:00"}),
            "scheduled_at: must be a moment",
        ),
        (json!({"scheduled_at": 1_795_341_600}), "scheduled_at: "),
        (json!({"give_up_after": 0}), "give_up_after: must be above zero"),
        (
            json!({"give_up_after": "367d"}),
            "give_up_after: must be at most 366d",
        ),
    ];
    for (more, begins) in cases {
        refused(body(more), 400, "invalid_field", begins).await;
    }
}

#[tokio::test]
async fn wrong_words_are_refused_by_name() {
    let long = "x".repeat(5_000);
    let cases = [
        (json!({"metadata": "text"}), "metadata: must be an object"),
        (
            json!({"metadata": {"long": long}}),
            "metadata: must be at most 4096 bytes",
        ),
        (
            json!({"message": long}),
            "message: must have 1 to 4000 characters",
        ),
        (json!({"message": ""}), "message: "),
        (json!({"message": 7}), "message: must be a string"),
        (
            json!({"message": "bell \u{7}"}),
            "message: holds the control character U+0007",
        ),
        (json!({"message": "\u{FFFF}"}), "message: "),
        (json!({"language": "en-GB"}), "language: goes with a message only"),
        (
            json!({"voice": "Polly.Amy", "url": "https://example.com/"}),
            "voice: goes with a message only",
        ),
        (json!({"url": "not a url"}), "url: must be an absolute"),
        (json!({"url": "/voice"}), "url: "),
        (json!({"url": "ftp://example.com/voice"}), "url: "),
        (
            json!({"twiml": "<Say>no root</Say>"}),
            "twiml: must begin with <Response>",
        ),
        (
            json!({"message": "Hello", "url": "https://example.com/"}),
            "message, twiml, url: only one",
        ),
    ];
    for (more, begins) in cases {
        refused(body(more), 400, "invalid_field", begins).await;
    }
}

#[tokio::test]
async fn a_schedule_beyond_every_bound_is_refused() {
    refused(
        body(json!({"scheduled_at": "9999-01-01T00:00:00Z"})),
        400,
        "invalid_field",
        "scheduled_at: must be within",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let cases = [
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        ("{", "the body cannot be read as JSON"),
        ("[]", "the body must be a JSON object"),
        ("\"text\"", "the body must be"),
        ("to=%2B15550000100", "the body cannot be read as JSON"),
        ("{} {}", "the body cannot be read as JSON: trailing"),
        (
            r#"{"to": "+15550000100", "to": "+15550000101"}"#,
            "the body cannot be read as JSON: `to` stands there twice",
        ),
        (
            r#"{"metadata": {"a": 1, "a": 2}}"#,
            "the body cannot be read as JSON: `a` stands there twice",
        ),
        (r#"{"to": "\ud800"}"#, "the body cannot be read as JSON"),
    ];
    for (text, begins) in cases {
        let world = World::new().await;
        let message = world
            .send("POST", "/calls/outbound", &[], text)
            .await
            .error(400, "invalid_json");
        assert!(
            message.starts_with(begins),
            "{text:?} was refused with `{message}`"
        );
    }
    let deep = format!("{}{}", "{\"a\":".repeat(200), "1");
    let world = World::new().await;
    world
        .send("POST", "/calls/outbound", &[], deep)
        .await
        .error(400, "invalid_json");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let world = World::new().await;
    let text = body(json!({"message": "x".repeat(300 * 1024)})).to_string();
    world
        .send("POST", "/calls/outbound", &[], text)
        .await
        .error(413, "body_too_large");
}

#[tokio::test]
async fn unknown_fields_are_taken_and_named() {
    let world = World::new().await;
    let mut sent = later();
    sent["max_atempts"] = json!(9);
    let answer = world.create(&sent).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(
        answer.json()["warnings"],
        json!(["max_atempts: no such field; it was ignored"])
    );
    assert!(world.create(&later()).await.json().get("warnings").is_none());
}

#[tokio::test]
async fn options_reach_the_carrier_and_stand_in_the_record_as_given() {
    let world = World::new().await;
    let options = json!({
        "message": "Hello\n\tthere", "language": "en-GB", "voice": "Polly.Amy", "max_attempts": 2,
        "retry_delays": [90, "2m"], "retry_on": ["busy"], "ring_timeout_seconds": 30, "time_limit_seconds": 600,
        "machine_detection": "detect_message_end", "give_up_after": "1h", "scheduled_at": "2020-01-01T00:00:00Z",
        "metadata": {"b": 0.1, "a": [1, {"c": null}]},
    });
    let created = world.create(&body(options.clone())).await;
    assert_eq!(created.status, 200, "{created:?}");
    let dial = &world.carrier.dials()[0];
    assert_eq!(
        (dial.ring_timeout, dial.time_limit),
        (Duration::from_secs(30), Duration::from_secs(600))
    );
    assert_eq!(dial.machine_detection, MachineDetection::DetectMessageEnd);
    let script = Script::Say {
        message: "Hello\n\tthere".to_owned(),
        language: Some("en-GB".to_owned()),
        voice: Some("Polly.Amy".to_owned()),
    };
    assert_eq!(dial.script, script);
    let record = world.record(&created).await;
    for (name, value) in options.as_object().expect("an object") {
        assert_eq!(record[name], *value, "`{name}`: {record}");
    }
}

#[tokio::test]
async fn an_option_that_is_null_is_as_good_as_absent() {
    let world = World::new().await;
    let created = world
        .create(&body(
            json!({"message": null, "max_attempts": null, "retry_on": null}),
        ))
        .await;
    assert_eq!(created.status, 200, "{created:?}");
    let record = world.record(&created).await;
    assert!(record.get("message").is_none(), "{record}");
    assert_eq!(record["max_attempts"], 3, "{record}");
}

#[tokio::test]
async fn a_message_without_a_voice_is_spoken_in_the_operator_s() {
    let options = Options {
        say_language: Some("de-DE".to_owned()),
        say_voice: Some("v".to_owned()),
        ..Options::default()
    };
    let world = World::with(options).await;
    world
        .create(&body(json!({"message": "Hallo", "voice": "w"})))
        .await;
    let script = Script::Say {
        message: "Hallo".to_owned(),
        language: Some("de-DE".to_owned()),
        voice: Some("w".to_owned()),
    };
    assert_eq!(world.carrier.dials()[0].script, script);
}

#[tokio::test]
async fn a_refused_call_is_answered_in_the_carrier_s_words_and_kept() {
    let world = World::new().await;
    world.carrier.next(Placement::Refused {
        code: Some(21_217),
        message: "No such number.".to_owned(),
    });
    let answer = world.create(&body(json!({}))).await;
    assert_eq!(answer.error(500, "carrier_refused"), "No such number.");
    let json = answer.json();
    assert_eq!(
        (&json["error"], &json["carrier_code"], &json["retryable"]),
        (&json!("Failed to create call"), &json!(21_217), &json!(false)),
        "{json}"
    );
    let record = world.record(&answer).await;
    assert_eq!(
        (&record["status"], &record["should_retry"]),
        (&json!("failed"), &json!(false)),
        "{record}"
    );
    assert_eq!(
        record["attempts"][0]["error_message"], "No such number.",
        "{record}"
    );
    assert_eq!(record["attempts"][0]["twilio_sid"], Value::Null, "{record}");
}

#[tokio::test]
async fn a_call_that_may_not_go_yet_is_queued_and_says_why() {
    let world = World::new().await;
    let answer = world.create(&later()).await;
    let json = answer.json();
    assert_eq!(answer.status, 202, "{json}");
    assert_eq!(
        (&json["status"], &json["attempt_count"], &json["twilio_sid"]),
        (&json!("queued"), &json!(0), &Value::Null),
        "{json}"
    );
    let waiting = &json["waiting_for"];
    assert_eq!(waiting["reason"], "schedule", "{json}");
    assert_eq!(waiting["until"], "2026-12-24T17:00:00.000Z", "{json}");
    assert_eq!(waiting["since"], "2026-11-22T10:00:00.000Z", "{json}");
}

/// Asks for a call while time goes by: ten milliseconds for each turn of everybody's work.
async fn answered_in_time(world: &World) -> Answer {
    let sent = body(json!({}));
    let mut asked = pin!(world.create(&sent));
    let begun = world.clock.boot();
    loop {
        tokio::select! {
            biased;
            answer = &mut asked => return answer,
            () = tokio::task::yield_now() => world.clock.advance(Duration::from_millis(10)),
        }
        assert!(
            world.clock.boot() - begun < Duration::from_secs(6),
            "an answer is due after five seconds"
        );
    }
}

#[tokio::test]
async fn a_dial_in_doubt_is_answered_after_five_seconds() {
    let world = World::new().await;
    world.carrier.next(Placement::InDoubt {
        why: "cut".to_owned(),
    });
    let answer = answered_in_time(&world).await;
    let json = answer.json();
    assert_eq!(answer.status, 202, "{json}");
    assert_eq!(
        (&json["status"], &json["attempt_count"], &json["twilio_sid"]),
        (&json!("initiated"), &json!(1), &Value::Null),
        "{json}"
    );
    assert_eq!(json["waiting_for"]["reason"], "settling", "{json}");
}

#[tokio::test]
async fn a_call_whose_carrier_cannot_be_reached_is_queued_and_says_so() {
    let world = World::new().await;
    world.carrier.be_unreachable();
    let answer = answered_in_time(&world).await;
    let json = answer.json();
    assert_eq!(answer.status, 202, "{json}");
    assert_eq!(
        (&json["status"], &json["attempt_count"], &json["twilio_sid"]),
        (&json!("queued"), &json!(0), &Value::Null),
        "{json}"
    );
    assert_eq!(json["waiting_for"]["reason"], "carrier", "{json}");
    let ready = world.get("/readyz").await;
    assert_eq!(
        (ready.status, &ready.json()["reasons"][0]["reason"]),
        (503, &json!("carrier")),
        "{ready:?}"
    );
}

#[tokio::test]
async fn the_operator_s_script_is_said_by_a_call_that_brings_none() {
    let world = World::of(Options::default(), settings()).await;
    world.create(&body(json!({}))).await;
    assert_eq!(world.carrier.dials()[0].script, settings().script);
}
