//! The header `Idempotency-Key`.

use carrier::Placement;
use serde_json::json;

use crate::world::{World, body, later};

#[tokio::test]
async fn a_repeat_is_the_same_call_however_its_json_is_written() {
    let world = World::new().await;
    let headers = [("Idempotency-Key", "order-7")];
    let first = world
        .create_with_key("order-7", &body(json!({"metadata": {"a": 1, "b": 2}})))
        .await;
    let text = r#"{ "user_id": "u1", "metadata": {"b": 2, "a": 1}, "to": "\u002B15550000100", "from": "+15550009999" }"#;
    let again = world.send("POST", "/calls/outbound", &headers, text).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
    assert_eq!(world.carrier.dials().len(), 1);
}

#[tokio::test]
async fn another_body_is_a_conflict() {
    let world = World::new().await;
    world.create_with_key("k", &body(json!({}))).await;
    world
        .create_with_key("k", &later())
        .await
        .error(409, "idempotency_key_taken");
    world
        .create_with_key("k", &body(json!({"unknown": 1})))
        .await
        .error(409, "idempotency_key_taken");
    assert_eq!(world.carrier.dials().len(), 1);
}

#[tokio::test]
async fn a_repeat_shows_the_call_as_it_stands() {
    let world = World::new().await;
    let first = world.create_with_key("k", &body(json!({}))).await.json();
    let fields = [
        ("CallSid", first["twilio_sid"].as_str().expect("placed")),
        ("CallStatus", "ringing"),
    ];
    world.carrier_posts("/twilio/status", &fields).await;
    let again = world.create_with_key("k", &body(json!({}))).await;
    assert_eq!(
        again.json()["status"],
        "initiated",
        "an only attempt that is alive: {again:?}"
    );
    let fields = [fields[0], ("CallStatus", "completed")];
    world.carrier_posts("/twilio/status", &fields).await;
    let again = world.create_with_key("k", &body(json!({}))).await;
    assert_eq!(
        (again.status, &again.json()["status"]),
        (200, &json!("completed")),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_refused_call_is_refused_again() {
    let world = World::new().await;
    world.carrier.next(Placement::Refused {
        code: Some(21_217),
        message: "No.".to_owned(),
    });
    let first = world.create_with_key("k", &body(json!({}))).await.json();
    let again = world.create_with_key("k", &body(json!({}))).await;
    assert_eq!(again.error(500, "carrier_refused"), "No.");
    assert_eq!(again.json()["call_id"], first["call_id"]);
    assert_eq!(world.carrier.dials().len(), 1);
}

#[tokio::test]
async fn a_request_that_is_refused_claims_no_key() {
    let world = World::new().await;
    world
        .create_with_key("k", &body(json!({"to": "nobody"})))
        .await
        .error(400, "invalid_field");
    assert_eq!(world.create_with_key("k", &body(json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_key_that_is_no_key_is_refused() {
    let world = World::new().await;
    for key in ["", "with space", "ümlaut", &"x".repeat(256)] {
        world
            .create_with_key(key, &body(json!({})))
            .await
            .error(400, "invalid_idempotency_key");
    }
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")];
    let answer = world
        .send("POST", "/calls/outbound", &twice, body(json!({})).to_string())
        .await;
    answer.error(400, "invalid_idempotency_key");
    assert_eq!(
        world
            .create_with_key(&"x".repeat(255), &body(json!({})))
            .await
            .status,
        200
    );
}
