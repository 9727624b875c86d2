//! The routes nested under a prefix in a program that has others, as `examples/embed.rs` does it.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

#[path = "../../examples/embed.rs"]
#[expect(dead_code, reason = "its `main` is for people")]
mod example;

use example::{PREFIX, Program};

async fn get(program: &Program, path: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header("Host", "localhost")
        .body(Body::empty())
        .expect("a request");
    let answer = program.routes.clone().oneshot(request).await;
    let answer = answer.expect("routes do not fail");
    let status = answer.status();
    let body = answer.into_body().collect().await.expect("bodies are whole");
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    (status, text)
}

#[tokio::test]
async fn under_a_prefix_calls_are_dialled_heard_of_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(folder.path()).await.expect("it starts");
    let call = program.ring_ada().await.expect("the call ends");
    assert_eq!((call.status().word(), call.attempts.len()), ("completed", 3));

    // The carrier's requests come by the prefix and are signed over it: each word but the look-ups' has a number.
    let (status, record) = get(&program, &format!("{PREFIX}/users/ada/calls/{}", call.id)).await;
    assert_eq!(status, 200, "{record}");
    let record: Value = serde_json::from_str(&record).expect("a record is JSON");
    for attempt in record["attempts"].as_array().expect("attempts") {
        let heard = attempt["events"].as_array().expect("events");
        assert!(heard.iter().any(|word| word["sequence"].is_u64()), "{attempt}");
    }
    program.stop().await;
}

#[tokio::test]
async fn under_a_prefix_each_side_keeps_its_own_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(folder.path()).await.expect("it starts");
    assert_eq!(get(&program, "/").await.1, "the program's own page");
    assert_eq!(
        get(&program, "/nowhere").await,
        (StatusCode::NOT_FOUND, String::new())
    );
    let (status, text) = get(&program, &format!("{PREFIX}/nowhere")).await;
    assert!(status == 404 && text.contains("no_such_route"), "{status} {text}");

    // What the page names is relative to its folder, which is the prefix.
    let (_, page) = get(&program, &format!("{PREFIX}/docs")).await;
    for link in ["docs/start.js", "docs/swagger-ui.css"] {
        assert!(page.contains(&format!("\"{link}\"")), "{page}");
        assert_eq!(get(&program, &format!("{PREFIX}/{link}")).await.0, 200, "{link}");
    }
    let (_, start) = get(&program, &format!("{PREFIX}/docs/start.js")).await;
    assert!(start.contains("url: \"openapi.json\""), "{start}");
    let (_, document) = get(&program, &format!("{PREFIX}/openapi.json")).await;
    let document: Value = serde_json::from_str(&document).expect("a document is JSON");
    // Likewise, and so right here.
    assert_eq!(document["servers"][0]["url"], ".");
    program.stop().await;
}
