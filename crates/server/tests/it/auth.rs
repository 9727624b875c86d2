//! Keys, and the rule for a server without any.

use axum::body::Body;
use secrecy::SecretString;
use serde_json::json;
use server::{Options, keyless_is_safe};

use crate::world::{World, body};

/// Every route that wants a key.
const GUARDED: &[(&str, &str)] = &[
    ("POST", "/calls/outbound"),
    ("GET", "/users/u1/calls"),
    ("GET", "/users/u1/calls/some-id"),
    ("POST", "/users/u1/calls/some-id/cancel"),
    ("POST", "/dialing/pause"),
    ("POST", "/dialing/resume"),
    ("GET", "/metrics"),
];

async fn with_keys() -> World {
    let api_keys = ["first-key", "second-key"].map(SecretString::from).to_vec();
    World::with(Options {
        api_keys,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn with_keys_nothing_is_told_or_done_without_one() {
    let world = with_keys().await;
    let wrong = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "first-key",
        "Basic Zmlyc3Q=",
        "Bearer first-key,second-key",
    ];
    for (method, path) in GUARDED {
        for value in wrong {
            let answer = world
                .send(
                    method,
                    path,
                    &[("Authorization", value)],
                    body(json!({})).to_string(),
                )
                .await;
            answer.error(401, "unauthorized");
            assert!(
                answer.header("www-authenticate").starts_with("Bearer"),
                "{answer:?}"
            );
        }
        world
            .send(method, path, &[], Body::empty())
            .await
            .error(401, "unauthorized");
        let two = [
            ("Authorization", "Bearer first-key"),
            ("Authorization", "Bearer first-key"),
        ];
        world
            .send(method, path, &two, Body::empty())
            .await
            .error(401, "unauthorized");
    }
    assert!(world.carrier.dials().is_empty());
}

#[tokio::test]
async fn each_key_opens_from_anywhere() {
    let world = with_keys().await;
    for key in ["Bearer first-key", "Bearer second-key", "bearer first-key"] {
        let headers = [
            ("Authorization", key),
            ("X-Forwarded-For", "203.0.113.7"),
            ("Host", "redial.example.com"),
        ];
        assert_eq!(
            world.send("GET", "/users/u1/calls", &headers, "").await.status,
            200,
            "{key}"
        );
    }
}

#[tokio::test]
async fn health_and_the_carrier_need_no_key() {
    let world = with_keys().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            world
                .send("GET", path, &[("Host", "redial.example.com")], "")
                .await
                .status,
            200,
            "{path}"
        );
    }
    let answer = world
        .carrier_posts("/twilio/status", &[("CallSid", "CA1"), ("CallStatus", "busy")])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn without_keys_only_this_machine_is_served() {
    let world = World::new().await;
    let foreign = [
        ("X-Forwarded-For", "203.0.113.7"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=203.0.113.7"),
        ("X-Real-IP", "203.0.113.7"),
        ("Via", "1.1 proxy"),
        ("CF-Connecting-IP", "203.0.113.7"),
        ("Ngrok-Trace-Id", "1"),
        ("Host", "redial.example.com"),
        ("Host", "redial.example.com:8080"),
        ("Host", "localhost.example.com"),
        ("Host", "127.0.0.1.example.com"),
        ("Host", "192.168.1.7"),
        ("Host", "[2001:db8::1]:8080"),
        ("Origin", "https://evil.example.com"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    for header in foreign {
        for (method, path) in GUARDED {
            let answer = world
                .send(method, path, &[header], body(json!({})).to_string())
                .await;
            let message = answer.error(403, "not_local");
            assert!(message.contains("REDIAL_API_KEYS"), "{message}");
        }
        assert_eq!(
            world.send("GET", "/healthz", &[header], "").await.status,
            200,
            "{header:?}"
        );
        world
            .send("GET", "/readyz", &[header], "")
            .await
            .error(403, "not_local");
    }
    let url = "http://redial.example.com/users/u1/calls";
    world
        .send("GET", url, &[("Host", "localhost")], "")
        .await
        .error(403, "not_local");
    assert!(world.carrier.dials().is_empty());
}

#[tokio::test]
async fn without_keys_every_loopback_name_is_this_machine() {
    let world = World::new().await;
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1",
        "127.8.9.1:80",
        "[::1]",
        "[::1]:8080",
    ] {
        let answer = world.send("GET", "/users/u1/calls", &[("Host", host)], "").await;
        assert_eq!(answer.status, 200, "{host}: {answer:?}");
    }
    let own_page = [
        ("Origin", "http://localhost:8080"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    assert_eq!(
        world.send("GET", "/users/u1/calls", &own_page, "").await.status,
        200
    );
}

#[tokio::test]
async fn without_keys_the_carrier_comes_through_any_tunnel() {
    let world = World::new().await;
    let headers = [
        crate::carrier::SIGNATURE,
        ("X-Forwarded-For", "203.0.113.7"),
        ("Host", "x.ngrok.app"),
    ];
    let answer = world
        .send("POST", "/twilio/status", &headers, "CallSid=CA1&CallStatus=busy")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn a_server_without_keys_may_start_on_loopback_only() {
    let listen = |text: &str| text.parse().expect("an address");
    for (address, url) in [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://localhost:9000/"),
        ("127.0.0.2:1", "http://[::1]:8080"),
    ] {
        assert_eq!(keyless_is_safe(listen(address), url), Ok(()), "{address} {url}");
    }
    for (address, url) in [
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("192.168.1.7:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "https://redial.example.com"),
        ("127.0.0.1:8080", "http://localhost@evil.example.com"),
    ] {
        let why = keyless_is_safe(listen(address), url).expect_err("not safe");
        assert!(why.contains("REDIAL_API_KEYS"), "{address} {url}: {why}");
    }
    for url in ["", "localhost:8080", "ftp://localhost", "/path"] {
        assert!(keyless_is_safe(listen("127.0.0.1:8080"), url).is_err(), "{url}");
    }
}
