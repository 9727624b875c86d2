//! The published document: what the routes say of themselves, with what is common to them (errors,
//! headers, keys) put in. Made when it is first asked for, then kept. Knows shapes and codes, no calls.

mod answers;
mod examples;
mod older;

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::router;
use crate::wire::schema;

/// The document, as text in both forms.
static TEXTS: LazyLock<(String, String)> = LazyLock::new(|| {
    let document = document();
    let older = older::older(&document);
    (document.to_string(), older.to_string())
});

/// OpenAPI 3.1.
pub(crate) fn newest() -> &'static str {
    &TEXTS.0
}

/// The same as OpenAPI 3.0.3.
pub(crate) fn older() -> &'static str {
    &TEXTS.1
}

const INTRODUCTION: &str = "\
Asks for calls, follows them, and lets the carrier report. JSON in and out; times are ISO 8601 UTC with milliseconds.\n\n\
An answer that is no success has one shape (`Error`): decide by `code`, show `message` to a person, and look up \
`request_id` in the server's log. A server with keys wants `Authorization: Bearer <key>`; one without takes requests \
from its own machine only.";

/// The whole document.
fn document() -> Value {
    let mut document = serde_json::to_value(router::described()).expect("a description is plain JSON");
    document["openapi"] = json!("3.1.0");
    document["info"] = json!({
        "title": "redial",
        "version": env!("CARGO_PKG_VERSION"),
        "description": INTRODUCTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        "contact": {"name": "whoever runs this server"},
    });
    // Relative to this document: right under any prefix.
    document["servers"] = json!([{"url": ".", "description": "This server."}]);
    document["tags"] = json!([
        {"name": "calls", "description": "Asking for calls, and their record."},
        {"name": "dialing", "description": "The brake."},
        {"name": "health", "description": "Whether it runs, whether it dials, and its figures."},
        {"name": "carrier", "description": "What the carrier calls: signed, and not for programs."},
        {"name": "document", "description": "This document."},
    ]);
    // What has no shape of its own, and so is not among what the routes bring.
    for (name, shape) in schema::all() {
        document["components"]["schemas"][name] = shape;
    }
    answers::put_in(&mut document);
    let paths = document["paths"].as_object_mut();
    let methods = paths
        .into_iter()
        .flatten()
        .filter_map(|(_, path)| path.as_object_mut());
    for (_, operation) in methods.flatten() {
        answers::complete(operation);
        examples::complete(operation);
    }
    document
}

#[cfg(test)]
mod tests;
