//! Health, figures, the brake, and what every answer has.

use serde_json::json;

use crate::store::Fault;
use crate::world::{World, body};

#[tokio::test]
async fn a_server_that_dials_is_ready() {
    let world = World::new().await;
    assert_eq!(world.get("/healthz").await.json(), json!({"status": "ok"}));
    let answer = world.get("/readyz").await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"status": "ready", "reasons": []}))
    );
}

#[tokio::test]
async fn while_paused_calls_are_taken_and_everything_says_so() {
    let world = World::new().await;
    for _ in 0..2 {
        let answer = world.post("/dialing/pause").await;
        let expected = json!({"paused": true, "paused_at": "2026-11-22T10:00:00.000Z", "live": 0});
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 503, "{ready:?}");
    assert_eq!(ready.json()["reasons"][0]["reason"], "paused", "{ready:?}");
    assert_eq!(world.get("/healthz").await.status, 200);
    let created = world.create(&body(json!({}))).await;
    assert_eq!(
        (created.status, &created.json()["waiting_for"]["reason"]),
        (202, &json!("paused")),
        "{created:?}"
    );
    assert_eq!(world.record(&created).await["waiting_for"]["reason"], "paused");
    assert!(world.carrier.dials().is_empty());
    let answer = world.post("/dialing/resume").await;
    assert_eq!((answer.status, &answer.json()["paused"]), (200, &json!(false)));
    assert_eq!(world.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_store_that_failed_is_not_ready_and_requests_say_why() {
    let world = World::new().await;
    for (fault, code) in [
        (Fault::Busy, "busy"),
        (Fault::Full, "disk_full"),
        (Fault::Broken, "storage_failed"),
    ] {
        world.store.fail(Some(fault));
        for answer in [
            world.create(&body(json!({}))).await,
            world.get("/users/u1/calls").await,
            world.get("/metrics").await,
        ] {
            answer.error(503, code);
            assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
        }
        let ready = world.get("/readyz").await;
        assert_eq!(
            (ready.status, &ready.json()["reasons"][0]["reason"]),
            (503, &json!("store")),
            "{ready:?}"
        );
    }
    assert!(
        world.carrier.dials().is_empty(),
        "a call that could not be stored is not dialled"
    );
}

#[tokio::test]
async fn figures_come_as_openmetrics() {
    let world = World::new().await;
    world.create(&body(json!({}))).await;
    let answer = world.get("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text; version=1.0.0"),
        "{answer:?}"
    );
    assert!(
        answer.text.contains("redial_calls_accepted_total 1"),
        "{}",
        answer.text
    );
    assert!(answer.text.trim_end().ends_with("# EOF"), "{}", answer.text);
}

#[tokio::test]
async fn what_does_not_exist_is_said_in_json() {
    let world = World::new().await;
    world.get("/").await.error(404, "no_such_route");
    world.post("/users/u1").await.error(404, "no_such_route");
    let answer = world.get("/calls/outbound").await;
    answer.error(405, "wrong_method");
    assert_eq!(answer.header("allow"), "POST", "{answer:?}");
    let answer = world.send("DELETE", "/users/u1/calls", &[], "").await;
    answer.error(405, "wrong_method");
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_sane_one_is_kept() {
    let world = World::new().await;
    let given = [("X-Request-Id", "trace-7.a:b_c")];
    let paths = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/users/u1/calls",
        "/users/u1/calls/x",
        "/nothing",
        "/twilio/voice",
    ];
    for path in paths {
        assert_eq!(
            world.send("GET", path, &given, "").await.header("x-request-id"),
            "trace-7.a:b_c",
            "{path}"
        );
        let ours = world.get(path).await;
        assert!(!ours.header("x-request-id").is_empty(), "{path}: {ours:?}");
        let odd = world.send("GET", path, &[("X-Request-Id", "a b")], "").await;
        assert!(!odd.header("x-request-id").contains(' '), "{path}: {odd:?}");
    }
    let posted = world.send("POST", "/twilio/status", &given, "").await;
    assert_eq!(posted.header("x-request-id"), "trace-7.a:b_c");
}

#[tokio::test]
async fn answers_about_people_are_not_to_be_kept_by_anybody() {
    let world = World::new().await;
    for path in ["/users/u1/calls", "/users/u1/calls/x"] {
        let answer = world.get(path).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    }
}
