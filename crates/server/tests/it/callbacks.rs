//! `/twilio/status` and `/twilio/voice`.

use serde_json::json;

use crate::carrier::{SIGNATURE, sid};
use crate::store::Fault;
use crate::world::{Answer, World, body};

const HANGUP: &str = "<Response><Hangup/></Response>";

#[track_caller]
fn is_hangup(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/xml", "{answer:?}");
    assert!(answer.text.ends_with(HANGUP), "{answer:?}");
}

#[tokio::test]
async fn a_signed_callback_is_stored_and_answered_ok() {
    let world = World::new().await;
    let created = world.create(&body(json!({}))).await;
    let sid = sid(1);
    let answer = world
        .carrier_posts("/twilio/status", &[("CallSid", &sid), ("CallStatus", "ringing")])
        .await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, "{\"status\":\"ok\"}"),
        "{answer:?}"
    );
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    assert_eq!(world.record(&created).await["status"], "ringing");
}

#[tokio::test]
async fn the_query_names_the_attempt_before_its_leg_is_known() {
    let world = World::new().await;
    let id = world.create(&body(json!({}))).await.json()["call_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/twilio/status?call={id}&attempt=2");
    let answer = world
        .carrier_posts(&path, &[("CallSid", &sid(1)), ("CallStatus", "busy")])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let record = world.get(&format!("/users/u1/calls/{id}")).await.json();
    assert_eq!(
        record["status"], "initiated",
        "another attempt than the leg's: nothing changes: {record}"
    );
    assert!(record["events"].to_string().contains("incident"), "{record}");
}

#[tokio::test]
async fn a_callback_that_does_not_verify_or_says_nothing_is_refused() {
    let world = World::new().await;
    world
        .send("POST", "/twilio/status", &[], "CallSid=CA1&CallStatus=busy")
        .await
        .error(403, "forged_signature");
    let message = world
        .carrier_posts("/twilio/status", &[("CallSid", "CA1")])
        .await
        .error(400, "malformed_callback");
    assert!(message.contains("CallStatus"), "{message}");
    let large = format!("CallSid={}", "x".repeat(70_000));
    world
        .send("POST", "/twilio/status", &[SIGNATURE], large)
        .await
        .error(413, "body_too_large");
    world.get("/twilio/status").await.error(405, "wrong_method");
}

#[tokio::test]
async fn a_callback_of_no_call_of_ours_is_taken_all_the_same() {
    let world = World::new().await;
    let answer = world
        .carrier_posts("/twilio/status", &[("CallSid", "CAelse"), ("CallStatus", "busy")])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_callback_that_cannot_be_stored_is_to_come_again() {
    let world = World::new().await;
    let fields = [("CallSid", "CA1"), ("CallStatus", "busy")];
    let faults = [
        (Fault::Busy, "busy"),
        (Fault::Full, "disk_full"),
        (Fault::Broken, "storage_failed"),
    ];
    for (fault, code) in faults {
        world.store.fail(Some(fault));
        let answer = world.carrier_posts("/twilio/status", &fields).await;
        let message = answer.error(503, code);
        assert!(!message.contains("secret"), "{message}");
        assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
        let answer = world.carrier_posts("/twilio/voice", &fields).await;
        is_hangup(&answer, 503);
        assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
    }
    world.store.fail(None);
    assert_eq!(world.carrier_posts("/twilio/status", &fields).await.status, 200);
}

#[tokio::test]
async fn the_call_s_words_are_for_its_own_live_leg_alone() {
    let world = World::new().await;
    let id = world.create(&body(json!({"message": "A secret."}))).await.json()["call_id"].clone();
    let id = id.as_str().expect("an id");
    let sid = sid(1);
    let fields = [("CallSid", sid.as_str()), ("CallStatus", "in-progress")];
    for _ in 0..2 {
        let answer = world
            .carrier_posts(&format!("/twilio/voice?call={id}&attempt=1"), &fields)
            .await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/xml"),
            "{answer:?}"
        );
        assert_eq!(answer.text, "<Response><Say>A secret.</Say></Response>");
    }
    is_hangup(
        &world
            .carrier_posts(&format!("/twilio/voice?call={id}&attempt=2"), &fields)
            .await,
        200,
    );
    let unsigned = world
        .send(
            "POST",
            &format!("/twilio/voice?call={id}&attempt=1"),
            &[],
            "CallSid=CA1",
        )
        .await;
    is_hangup(&unsigned, 403);
    is_hangup(&world.get("/twilio/voice").await, 403);
    is_hangup(&world.carrier_posts("/twilio/voice", &[]).await, 400);
    let large = world
        .send("POST", "/twilio/voice", &[SIGNATURE], "x".repeat(70_000))
        .await;
    is_hangup(&large, 413);
}
