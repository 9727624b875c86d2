//! Whether the process is there, whether it dials, and its figures.

use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use engine::Readiness;
use serde::Serialize;

use super::{json, typed};
use crate::error::{self, ApiError};
use crate::state::Shared;
use crate::wire::{Shown, WaitingFor};

/// The media type that scrapers ask for.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether calls are dialled, and why not.
#[derive(Serialize)]
struct ReadinessShape {
    status: &'static str,
    reasons: Vec<Reason>,
}

/// One thing that stands in the way.
#[derive(Serialize)]
#[serde(untagged)]
enum Reason {
    Dialling(WaitingFor),
    Store {
        reason: &'static str,
        since: Option<Shown<Timestamp>>,
        message: String,
    },
}

/// `GET /healthz`
pub(crate) async fn alive() -> Response {
    typed("application/json", "{\"status\":\"ok\"}")
}

/// `GET /readyz`
pub(crate) async fn ready(State(app): State<Shared>) -> Response {
    let Readiness { hold, store } = app.engine.readiness();
    let store = store.map(|message| Reason::Store {
        reason: "store",
        since: None,
        message,
    });
    let reasons: Vec<Reason> = store
        .into_iter()
        .chain(hold.map(|hold| Reason::Dialling(hold.into())))
        .collect();
    let is_ready = reasons.is_empty();
    let status = if is_ready { "ready" } else { "not_ready" };
    let mut response = json(&ReadinessShape { status, reasons });
    if !is_ready {
        *response.status_mut() = error::NOT_READY;
    }
    response
}

/// `GET /metrics`
pub(crate) async fn metrics(State(app): State<Shared>) -> Result<Response, ApiError> {
    Ok(typed(OPENMETRICS, app.engine.metrics().await?))
}
