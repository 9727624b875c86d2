//! More requests than places: the API is turned away, callbacks are not.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::json;
use server::{Limits, Options};
use tokio::sync::mpsc;

use crate::carrier::SIGNATURE;
use crate::world::{World, body};

async fn with_one_place_each() -> World {
    let limits = Limits {
        api_at_once: 1,
        callbacks_at_once: 1,
        body_within: Duration::from_secs(3_600),
    };
    World::with(Options {
        limits,
        ..Options::default()
    })
    .await
}

/// A body that stays open until its sender is dropped.
fn open_body() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(1);
    let frames = futures_util::stream::poll_fn(move |cx| {
        receiver
            .poll_recv(cx)
            .map(|bytes| bytes.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes))))
    });
    (sender, Body::new(StreamBody::new(frames)))
}

#[tokio::test]
async fn a_full_api_turns_requests_away_but_takes_callbacks() {
    let world = with_one_place_each().await;
    let (sender, slow) = open_body();
    let slow = world.send("POST", "/calls/outbound", &[], slow);
    let meanwhile = async {
        tokio::task::yield_now().await;
        let answer = world.get("/users/u1/calls").await;
        answer.error(503, "overloaded");
        assert_eq!(answer.header("retry-after"), "1", "{answer:?}");
        let taken = world
            .carrier_posts("/twilio/status", &[("CallSid", "CA1"), ("CallStatus", "busy")])
            .await;
        assert_eq!(taken.status, 200, "{taken:?}");
        assert_eq!(world.get("/healthz").await.status, 200);
        sender
            .send(body(json!({})).to_string().into())
            .await
            .expect("the request is being read");
        drop(sender);
    };
    let (answer, ()) = tokio::join!(slow, meanwhile);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        world.get("/users/u1/calls").await.status,
        200,
        "the place is free again"
    );
}

#[tokio::test]
async fn callbacks_have_a_bound_of_their_own() {
    let world = with_one_place_each().await;
    let (sender, slow) = open_body();
    let slow = world.send("POST", "/twilio/status", &[SIGNATURE], slow);
    let meanwhile = async {
        tokio::task::yield_now().await;
        let fields = [("CallSid", "CA1"), ("CallStatus", "busy")];
        world
            .carrier_posts("/twilio/status", &fields)
            .await
            .error(503, "overloaded");
        let voice = world.carrier_posts("/twilio/voice", &fields).await;
        assert_eq!(
            (voice.status, voice.header("content-type")),
            (503, "text/xml"),
            "{voice:?}"
        );
        assert_eq!(world.get("/users/u1/calls").await.status, 200);
        drop(sender);
    };
    let (answer, ()) = tokio::join!(slow, meanwhile);
    answer.error(400, "malformed_callback");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let limits = Limits {
        body_within: Duration::from_secs(10),
        ..Limits::default()
    };
    let world = World::with(Options {
        limits,
        ..Options::default()
    })
    .await;
    for path in ["/calls/outbound", "/twilio/status"] {
        let (sender, slow) = open_body();
        world
            .send("POST", path, &[], slow)
            .await
            .error(408, "body_timeout");
        drop(sender);
    }
    assert!(world.carrier.dials().is_empty());
}
