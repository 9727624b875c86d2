//! `GET /users/:userId/calls/:callId` and `.../cancel`.

use serde_json::{Value, json};

use crate::carrier::sid;
use crate::world::{World, body, later};

const STRANGER: &str = "01890000-0000-7000-8000-000000000000";

#[tokio::test]
async fn a_record_has_exactly_the_promised_fields() {
    let world = World::new().await;
    let record = world
        .record(&world.create(&body(json!({"metadata": {"a": 1}}))).await)
        .await;
    let names: Vec<&String> = record.as_object().expect("an object").keys().collect();
    let mut promised = [
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
        "cancel_requested_at",
        "waiting_for",
        "events",
        "metadata",
    ];
    promised.sort_unstable();
    assert_eq!(names, promised);
    let attempt: Vec<&String> = record["attempts"][0]
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    let mut promised = [
        "attempt_number",
        "twilio_sid",
        "status",
        "timestamp",
        "ended_at",
        "duration_seconds",
        "answered_by",
        "sip_response_code",
        "error_code",
        "events",
    ];
    promised.sort_unstable();
    assert_eq!(attempt, promised);
    assert_eq!(record["created_at"], "2026-11-22T10:00:00.000Z");
    assert_eq!(record["attempts"][0]["timestamp"], "2026-11-22T10:00:00.000Z");
}

#[tokio::test]
async fn what_happened_stands_in_the_record_in_order() {
    let world = World::new().await;
    let created = world.create(&body(json!({}))).await;
    for (word, sequence) in [("ringing", "1"), ("completed", "3")] {
        let fields = [
            ("CallSid", sid(1)),
            ("CallStatus", word.to_owned()),
            ("SequenceNumber", sequence.to_owned()),
        ];
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(world.carrier_posts("/twilio/status", &fields).await.status, 200);
    }
    let record = world.record(&created).await;
    let kinds: Vec<&Value> = record["events"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert_eq!(kinds, ["accepted", "sent", "ended"], "{record}");
    assert_eq!(record["events"][1]["twilio_sid"], sid(1), "{record}");
    assert_eq!(record["events"][1]["attempt_number"], 1, "{record}");
    assert_eq!(record["events"][2]["status"], "completed", "{record}");
    let heard = record["attempts"][0]["events"].as_array().expect("a list");
    let words: Vec<_> = heard
        .iter()
        .map(|it| (it["word"].clone(), it["sequence"].clone()))
        .collect();
    assert_eq!(
        words,
        [(json!("ringing"), json!(1)), (json!("completed"), json!(3))],
        "{record}"
    );
    assert_eq!(heard[0]["received_at"], "2026-11-22T10:00:00.000Z", "{record}");
    assert_eq!(record["waiting_for"], Value::Null, "{record}");
}

#[tokio::test]
async fn a_call_that_is_not_the_user_s_is_not_found_in_the_promised_words() {
    let world = World::new().await;
    let id = world.create(&later()).await.json()["call_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let cases = [
        ("somebody", id.as_str()),
        ("u1", STRANGER),
        ("u1", "no-id-at-all"),
        ("u1", "%20"),
    ];
    for (user, call) in cases {
        for (method, end) in [("GET", ""), ("POST", "/cancel")] {
            let answer = world
                .send(method, &format!("/users/{user}/calls/{call}{end}"), &[], "")
                .await;
            let message = answer.error(404, "call_not_found");
            let call = call.replace("%20", " ");
            assert_eq!(message, format!("No call found with id {call} for user {user}"));
            assert_eq!(answer.json()["error"], "Call not found");
        }
    }
}

#[tokio::test]
async fn a_user_id_of_any_letters_finds_its_way_through_the_path() {
    let world = World::new().await;
    let created = world.create(&body(json!({"user_id": "a b/ü?#%"}))).await.json();
    let id = created["call_id"].as_str().expect("an id");
    let answer = world
        .get(&format!("/users/a%20b%2F%C3%BC%3F%23%25/calls/{id}"))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["user_id"]),
        (200, &json!("a b/ü?#%")),
        "{answer:?}"
    );
    assert_eq!(
        world.get("/users/a%20b%2F%C3%BC%3F%23%25/calls").await.json()["total"],
        1
    );
    world.get("/users/%FF/calls").await.error(400, "invalid_field");
    world
        .get(&format!("/users/%FF/calls/{id}"))
        .await
        .error(404, "call_not_found");
}

#[tokio::test]
async fn a_queued_call_is_canceled_and_a_second_time_answered_the_same() {
    let world = World::new().await;
    let id = world.create(&later()).await.json()["call_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for _ in 0..2 {
        let answer = world.post(&format!("/users/u1/calls/{id}/cancel")).await;
        let record = answer.json();
        assert_eq!(
            (answer.status, &record["status"]),
            (200, &json!("canceled")),
            "{record}"
        );
        assert_eq!(
            record["cancel_requested_at"], "2026-11-22T10:00:00.000Z",
            "{record}"
        );
        let kinds: Vec<&Value> = record["events"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| &it["kind"])
            .collect();
        assert_eq!(
            kinds,
            ["accepted", "held", "cancel_requested", "ended"],
            "{record}"
        );
    }
}

#[tokio::test]
async fn a_call_that_is_over_cannot_be_canceled() {
    let world = World::new().await;
    let id = world.create(&body(json!({}))).await.json()["call_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let sid = sid(1);
    world
        .carrier_posts(
            "/twilio/status",
            &[("CallSid", &sid), ("CallStatus", "completed")],
        )
        .await;
    world
        .post(&format!("/users/u1/calls/{id}/cancel"))
        .await
        .error(409, "already_over");
}
