//! Who may ask: bearer keys, and the rule for a server without any.

use e2e::{FROM, World, run_to_end};
use serde_json::json;

use crate::create::assert_error;

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn body() -> Vec<u8> {
    json!({"to": "+15550000100", "from": FROM, "user_id": "u1"})
        .to_string()
        .into_bytes()
}

#[test]
fn with_keys_set_nothing_is_told_or_done_without_one() {
    let world = World::builder().keys("first-key,second-key").start();
    let routes = [
        ("POST", "/calls/outbound"),
        ("GET", "/users/u1/calls"),
        ("GET", "/users/u1/calls/some-id"),
        ("POST", "/users/u1/calls/some-id/cancel"),
        ("POST", "/dialing/pause"),
        ("POST", "/dialing/resume"),
    ];
    for (method, path) in routes {
        let wrong = [
            None,
            Some("Bearer wrong-key"),
            Some("Bearer "),
            Some("first-key"),
            Some("Basic Zmlyc3Qta2V5"),
            Some("Bearer first-key,second-key"),
        ];
        for header in wrong {
            let mut headers = vec![JSON];
            headers.extend(header.map(|it| ("Authorization", it)));
            let answer = world.send_as_is(method, path, &headers, &body());
            assert_eq!(answer.status, 401, "{method} {path} {header:?}: {answer:?}");
            assert_error(&answer.json());
        }
    }
    assert!(world.ledger().is_empty(), "nobody was called");
}

#[test]
fn each_of_the_keys_opens() {
    let world = World::builder().keys("first-key,second-key").start();
    for key in ["Bearer first-key", "Bearer second-key", "bearer first-key"] {
        let answer = world.send_as_is("GET", "/users/u1/calls", &[("Authorization", key)], b"");
        assert_eq!(answer.status, 200, "{key}: {answer:?}");
    }
    let call = world.ask("+15550000100", json!({}));
    let record = world.ended(&call);
    assert_eq!(
        record["status"], "completed",
        "the carrier needs no key: {record}"
    );
}

#[test]
fn health_is_told_to_everybody() {
    let world = World::builder().keys("first-key").start();
    for path in ["/healthz", "/readyz"] {
        let answer = world.send_as_is("GET", path, &[], b"");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

#[test]
fn without_keys_whatever_comes_through_a_proxy_is_refused() {
    let world = World::start();
    let foreign = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Host", "redial.example.com"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("Host", "redial.example.com"),
        ("Host", "redial.example.com:8080"),
    ];
    for header in foreign {
        let answer = world.send_as_is("POST", "/calls/outbound", &[JSON, header], &body());
        assert!((400..500).contains(&answer.status), "{header:?}: {answer:?}");
        assert_error(&answer.json());
    }
    assert!(world.ledger().is_empty(), "nobody was called");
    let (_, page) = world.get("/users/u1/calls");
    assert_eq!(page["total"], 0, "nothing was stored: {page}");
}

#[test]
fn without_keys_the_server_starts_on_loopback_only() {
    let world = World::start();
    let public = [
        ("REDIAL_LISTEN", "0.0.0.0:0"),
        ("BASE_URL", "https://redial.example.com"),
    ];
    for (name, value) in public {
        let mut environment = world.environment().to_vec();
        environment.retain(|it| it.0 != name && it.0 != "DATABASE_URL");
        environment.push((name.to_owned(), value.to_owned()));
        environment.push(("DATABASE_URL".to_owned(), "sqlite:another.db".to_owned()));
        let (code, _, log) = run_to_end(&["serve"], &environment, world.folder());
        assert_eq!(code, Some(1), "{name}={value}: {log}");
        assert!(log.contains("REDIAL_API_KEYS"), "it says what to do: {log}");
    }
}

#[test]
fn a_server_without_credentials_says_what_is_missing() {
    let world = World::start();
    for name in ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"] {
        let mut environment = world.environment().to_vec();
        environment.retain(|it| it.0 != name && it.0 != "DATABASE_URL");
        environment.push(("DATABASE_URL".to_owned(), "sqlite:another.db".to_owned()));
        let (code, _, log) = run_to_end(&["serve"], &environment, world.folder());
        assert!(matches!(code, Some(1 | 2)), "{name}: {log}");
        assert!(log.contains(name), "it names what is missing: {log}");
    }
}
