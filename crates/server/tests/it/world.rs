//! One test's world: an engine over a store in memory and a pretended carrier, and its routes.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use domain::Rate;
use domain::retry::RetryOn;
use domain::{MachineDetection, Policy, Rules, Script, Timestamp};
use engine::dice::SystemDice;
use engine::{Engine, Parts, Settings};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use server::Options;
use tower::ServiceExt;

use crate::carrier::{FakeCarrier, SIGNATURE};
use crate::clock::ManualClock;
use crate::store::FaultyStore;

/// When every world begins: 2026-11-22T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// The world.
pub struct World {
    pub app: Router,
    pub carrier: FakeCarrier,
    pub store: Arc<FaultyStore>,
    pub clock: Arc<ManualClock>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default()
    }

    /// An error of this status and code, with all that every error has; gives back its message.
    #[track_caller]
    pub fn error(&self, status: u16, code: &str) -> String {
        let body = self.json();
        assert_eq!((self.status, &body["code"]), (status, &json!(code)), "{self:?}");
        assert!(
            body["error"].as_str().is_some_and(|it| !it.is_empty()),
            "{self:?}"
        );
        assert_eq!(body["request_id"], self.header("x-request-id"), "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        body["message"]
            .as_str()
            .expect("every error has a message")
            .to_owned()
    }
}

impl World {
    pub async fn new() -> World {
        World::with(Options::default()).await
    }

    pub async fn with(options: Options) -> World {
        World::of(options, settings()).await
    }

    pub async fn of(options: Options, settings: Settings) -> World {
        let carrier = FakeCarrier::default();
        let store = Arc::new(FaultyStore::new(NOW));
        let clock = Arc::new(ManualClock::default());
        let engine = Engine::new(Parts {
            store: store.clone(),
            carrier: Arc::new(carrier.clone()),
            clock: clock.clone(),
            dice: Arc::new(SystemDice::new()),
            settings,
        });
        engine.recover().await.expect("an empty store is readable");
        engine.start();
        World {
            app: server::router(engine, options),
            carrier,
            store,
            clock,
        }
    }

    /// Sends a request as a program on this machine would.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header("Host", "localhost:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let response = self
            .app
            .clone()
            .oneshot(request)
            .await
            .expect("routes do not fail");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("bodies are whole").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("answers are text");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.send("POST", path, &[], "").await
    }

    /// Asks for a call.
    pub async fn create(&self, body: &Value) -> Answer {
        self.send("POST", "/calls/outbound", &[], body.to_string()).await
    }

    /// Asks for a call with a key.
    pub async fn create_with_key(&self, key: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            "/calls/outbound",
            &[("Idempotency-Key", key)],
            body.to_string(),
        )
        .await
    }

    /// The record of a call of u1.
    #[track_caller]
    pub fn record<'a>(&'a self, created: &Answer) -> impl Future<Output = Value> + use<'a> {
        let id = created.json()["call_id"]
            .as_str()
            .expect("a call was made")
            .to_owned();
        async move {
            let answer = self.get(&format!("/users/u1/calls/{id}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        }
    }

    /// Sends what the carrier would.
    pub async fn carrier_posts(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send("POST", path, &[SIGNATURE], body).await
    }
}

/// A body that is taken, with more fields or other values.
pub fn body(more: Value) -> Value {
    let mut body = json!({"to": "+15550000100", "from": "+15550009999", "user_id": "u1"});
    let fields = body.as_object_mut().expect("an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    body
}

/// A body for a call of later: it is stored, and rings nobody.
pub fn later() -> Value {
    body(json!({"scheduled_at": "2026-12-24T18:00:00+01:00"}))
}

/// What an operator who changes nothing has.
pub fn settings() -> Settings {
    Settings {
        policy: Policy {
            max_attempts: 3,
            retry_delays: [120, 300, 600].map(Duration::from_secs).to_vec(),
            retry_on: RetryOn::default(),
            ring_timeout: Duration::from_secs(60),
            time_limit: Duration::from_secs(14_400),
            give_up_after: Duration::from_secs(86_400),
            machine_detection: MachineDetection::Off,
        },
        script: Script::Say {
            message: "The default words.".to_owned(),
            language: None,
            voice: None,
        },
        rules: Rules {
            settle_after: Duration::from_secs(120),
            silence_after: Duration::from_secs(120),
            stop_on_unconfirmed: false,
            poll: false,
        },
        rate: Rate {
            per_second: 1_000.0,
            burst: 1_000,
        },
        max_live: None,
    }
}
