//! What programs send, made up by the thousand: bodies, queries, paths. `PROPTEST_CASES` asks for more.

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::world::{Answer, World};

/// As many cases as a second or two allow.
fn many() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(2_000),
        failure_persistence: None,
        ..default
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..60)
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

thread_local! {
    /// A server that is paused, so that nobody is called.
    static SERVER: (Runtime, World) = {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().expect("a runtime");
        let world = runtime.block_on(async {
            let world = World::new().await;
            assert_eq!(world.post("/dialing/pause").await.status, 200);
            world
        });
        (runtime, world)
    };
}

fn ask(method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    SERVER.with(|(runtime, world)| runtime.block_on(world.send(method, path, headers, body)))
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn any_body_is_taken_or_refused_in_words(body in body(), key in prop::option::of("[ -~]{0,20}")) {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(key.as_deref().map(|key| ("Idempotency-Key", key)));
        let answer = ask("POST", "/calls/outbound", &headers, body);
        let said = answer.json();
        match answer.status {
            202 => prop_assert!(said["call_id"].is_string(), "{}", said),
            400 | 409 | 413 | 415 | 422 => prop_assert!(said["message"].is_string(), "{}", said),
            other => prop_assert!(false, "{} {}", other, said),
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
            let answer = ask("GET", &path, &[], Vec::new());
            prop_assert!(answer.status < 500, "{:?} for {}", answer, path);
            answer.json();
        }
    }
}
