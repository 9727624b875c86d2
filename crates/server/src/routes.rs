//! The handlers. Each takes a request apart, asks the engine one thing and shows its answer.

pub(crate) mod callbacks;
pub(crate) mod calls;
pub(crate) mod dialing;
pub(crate) mod docs;
pub(crate) mod health;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};
use serde::Serialize;

/// An answer in JSON.
fn json(shape: &impl Serialize) -> Response {
    let text = serde_json::to_vec(shape).expect("our shapes have text keys only, and nothing that fails");
    typed("application/json", text)
}

/// An answer of a fixed media type.
fn typed(media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
