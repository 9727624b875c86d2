//! What programs send: paths, queries, bodies.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use engine::dice::SystemDice;
use engine::{Engine, Parts};
use http::Request;
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use store_contract::model::Model;
use testkit::clock::ManualClock;
use tower::ServiceExt as _;

use crate::{bytes, many, twilio};

/// A server that is paused, so that nobody is called.
async fn app() -> Router {
    let clock = Arc::new(ManualClock::new());
    let engine = Engine::new(Parts {
        store: Arc::new(Model::new(clock.now())),
        carrier: Arc::new(twilio(false)),
        clock,
        dice: Arc::new(SystemDice::new()),
        settings: testkit::world::settings(),
    });
    engine.recover().await.expect("an empty store is readable");
    engine.pause().await.expect("it is paused");
    server::router(engine, server::Options::default())
}

async fn answered(app: &Router, request: Request<Body>) -> (u16, String) {
    let answer = app.clone().oneshot(request).await.expect("routes do not fail");
    let status = answer.status().as_u16();
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("bodies are whole")
        .to_bytes();
    (
        status,
        String::from_utf8(body.to_vec()).expect("answers are text"),
    )
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// Names of fields, so that values get as far as they can.
const FIELDS: [&str; 16] = [
    "to",
    "from",
    "user_id",
    "message",
    "twiml",
    "url",
    "language",
    "voice",
    "max_attempts",
    "retry_delays",
    "retry_on",
    "ring_timeout_seconds",
    "scheduled_at",
    "give_up_after",
    "metadata",
    "machine_detection",
];

/// Parameters of a list, and one that there is not.
const QUERIES: [&str; 8] = [
    "cursor",
    "limit",
    "offset",
    "status",
    "to",
    "created_after",
    "created_before",
    "other",
];

/// Any value of JSON, one level deep.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        "[0-9a-zA-Z:+<>/. -]{0,30}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        prop::collection::vec("[0-9a-z-]{0,12}", 0..4).prop_map(Value::from),
        any::<(String, String)>().prop_map(|(name, text)| json!({ name: text })),
    ]
}

/// A body with what every call needs, and whatever else stands over it; or anything at all.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let fields = prop::collection::vec((prop::sample::select(&FIELDS[..]), value()), 0..5);
    let object = fields.prop_map(|fields| {
        let mut body = json!({"to": "+15551230100", "from": "+15550001111", "user_id": "ada"});
        for (name, value) in fields {
            body[name] = value;
        }
        body.to_string().into_bytes()
    });
    prop_oneof![8 => object, 1 => bytes(), 1 => any::<String>().prop_map(String::into_bytes)]
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("no JSON ({error}): {text}"))
}

thread_local! {
    static SERVER: (tokio::runtime::Runtime, Router) = {
        let runtime = runtime();
        let app = runtime.block_on(app());
        (runtime, app)
    };
}

fn ask(request: Request<Body>) -> (u16, String) {
    SERVER.with(|(runtime, app)| runtime.block_on(answered(app, request)))
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn any_body_is_taken_or_refused_in_words(body in body(), key in prop::option::of("[ -~]{0,20}")) {
        let mut request = Request::post("/calls/outbound")
            .header("Host", "localhost")
            .header("Content-Type", "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let (status, text) = ask(request.body(Body::from(body)).expect("a request"));
        let answer = json_of(&text);
        match status {
            202 => prop_assert!(answer["call_id"].is_string(), "{}", text),
            400 | 409 | 413 | 415 | 422 => prop_assert!(answer["message"].is_string(), "{}", text),
            other => prop_assert!(false, "{} {}", other, text),
        }
    }

    #[test]
    fn any_query_and_cursor_is_answered_or_refused(
        name in prop::sample::select(&QUERIES[..]),
        value in any::<String>(),
        cursor in "[A-Za-z0-9_-]{0,40}",
        user in any::<String>(),
    ) {
        let escaped = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let paths = [
            format!("/users/ada/calls?{name}={}", escaped(&value)),
            format!("/users/ada/calls?cursor={cursor}"),
            format!("/users/{}/calls/{cursor}", escaped(&user)),
            format!("/users/ada/calls/{}", escaped(&value)),
        ];
        for path in paths {
            let request = Request::get(path.as_str()).header("Host", "localhost").body(Body::empty());
            let (status, text) = ask(request.expect("an escaped path is one"));
            prop_assert!(status < 500, "{} {} for {}", status, text, path);
            json_of(&text);
        }
    }
}
