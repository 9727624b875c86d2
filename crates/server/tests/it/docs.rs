//! `/openapi.json` and `/docs`: told to everybody, true to the routes, and complete in themselves.

use secrecy::SecretString;
use serde_json::{Value, json};
use server::Options;

use crate::carrier::SIGNATURE;
use crate::world::{World, body};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

async fn document(world: &World) -> Value {
    let answer = world.get("/openapi.json").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// A path of the document with something in each of its places.
fn filled(path: &str) -> String {
    path.replace("{user_id}", "u1")
        .replace("{call_id}", "019aab2f-3c00-7000-8000-000000000001")
        .replace("{file}", "start.js")
}

#[tokio::test]
async fn the_document_comes_in_two_forms() {
    let world = World::new().await;
    assert_eq!(document(&world).await["openapi"], "3.1.0");
    let newer = world.get("/openapi.json?version=3.1").await;
    assert_eq!(newer.json()["openapi"], "3.1.0");
    let older = world.get("/openapi.json?version=3.0").await;
    assert_eq!(older.json()["openapi"], "3.0.3");
    assert_eq!(older.header("content-type"), "application/json");
    let message = world
        .get("/openapi.json?version=2")
        .await
        .error(400, "invalid_field");
    assert_eq!(message, "version: must be 3.0 or 3.1");
}

#[tokio::test]
async fn neither_document_nor_page_wants_a_key_or_asks_from_where() {
    let api_keys = vec![SecretString::from("a-key")];
    let keyed = World::with(Options {
        api_keys,
        ..Options::default()
    });
    for world in [keyed.await, World::new().await] {
        for path in ["/openapi.json", "/docs", "/docs/start.js", "/docs/swagger-ui.css"] {
            let mut request = http::Request::get(path).header("Host", "calls.example.com");
            request = request.header("X-Forwarded-For", "203.0.113.7");
            let request = request.body(axum::body::Body::empty()).expect("a request");
            let answer = tower::ServiceExt::oneshot(world.app.clone(), request).await;
            assert_eq!(answer.expect("routes do not fail").status(), 200, "{path}");
        }
    }
}

#[tokio::test]
async fn each_described_operation_is_served_and_no_other_method_of_its_path() {
    let world = World::new().await;
    let document = document(&world).await;
    let paths = document["paths"].as_object().expect("there are paths");
    assert!(paths.len() >= 13, "{}", paths.len());
    for (path, methods) in paths {
        for method in METHODS {
            let answer = world.send(method, &filled(path), &[SIGNATURE], "").await;
            let described = methods.get(method.to_ascii_lowercase()).is_some();
            if described {
                assert_ne!(answer.status, 405, "{method} {path}");
                let nowhere = answer.status == 404 && answer.text.contains("no_such_route");
                assert!(!nowhere, "{method} {path}");
                let told = &methods[method.to_ascii_lowercase()]["responses"][answer.status.to_string()];
                assert!(told.is_object(), "{method} {path} answers {}", answer.status);
            } else {
                assert_eq!(answer.status, 405, "{method} {path}");
                assert!(!answer.header("allow").is_empty(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn voice_speaks_its_own_language_also_about_a_wrong_method() {
    let answer = World::new().await.send("PUT", "/twilio/voice", &[], "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("content-type"), "text/xml");
    assert!(
        answer.text.ends_with("<Response><Hangup/></Response>"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn each_described_field_of_a_request_is_taken() {
    let world = World::new().await;
    let document = document(&world).await;
    let fields = &document["components"]["schemas"]["OutboundCall"]["properties"];
    let mut asked = fields.clone();
    for (name, value) in asked.as_object_mut().expect("fields") {
        *value = Value::Null;
        if let Some(given) = body(json!({})).get(name) {
            *value = given.clone();
        }
    }
    let answer = world.create(&asked).await.json();
    assert_eq!(answer["warnings"], Value::Null, "{answer}");
}

#[tokio::test]
async fn the_page_is_made_of_what_this_server_has() {
    let world = World::new().await;
    let page = world.get("/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'self'")
    );
    let links = page
        .text
        .split(['"'])
        .filter(|part| part.starts_with("docs/"))
        .collect::<Vec<_>>();
    assert_eq!(links.len(), 3, "{links:?}");
    assert!(!page.text.contains("//"), "a link to another host");
    for link in links {
        // The page has no slash at its end: what is relative to it is relative to its folder.
        let request = http::Request::get(format!("/{link}")).body(axum::body::Body::empty());
        let answer = tower::ServiceExt::oneshot(world.app.clone(), request.expect("a request")).await;
        let answer = answer.expect("routes do not fail");
        assert_eq!(answer.status(), 200, "{link}");
        let kind = if link.ends_with(".css") {
            "text/css"
        } else {
            "text/javascript"
        };
        assert_eq!(answer.headers()["content-type"], kind, "{link}");
    }
    world.get("/docs/index.html").await.error(404, "no_such_route");
}
