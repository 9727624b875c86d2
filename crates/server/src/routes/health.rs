//! Whether the process is there, whether it dials, and its figures.

use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use engine::Readiness;
use serde::Serialize;
use utoipa::ToSchema;

use super::{json, typed};
use crate::error::{self, ApiError};
use crate::state::Shared;
use crate::wire::schema::{Fine, StoreWord};
use crate::wire::{Shown, WaitingFor};

/// The media type that scrapers ask for.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether calls are dialled, and why not.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
struct ReadinessShape {
    /// `ready` or `not_ready`.
    status: &'static str,
    reasons: Vec<Reason>,
}

/// One thing that stands in the way.
#[derive(Serialize, ToSchema)]
#[schema(as = Obstacle)]
#[serde(untagged)]
enum Reason {
    Dialling(WaitingFor),
    Store {
        #[schema(value_type = StoreWord)]
        reason: &'static str,
        #[schema(value_type = Option<String>, format = DateTime, required = true)]
        since: Option<Shown<Timestamp>>,
        message: String,
    },
}

/// Whether the process answers
///
/// Says nothing about dialling; see `/readyz`.
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "health",
    responses((status = 200, description = "It does.", body = Fine)))]
pub(crate) async fn alive() -> Response {
    typed("application/json", "{\"status\":\"ok\"}")
}

/// Whether calls are dialled
///
/// With reasons while nothing would be dialled: paused, the clock, the account, the carrier, the store.
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "health", responses(
    (status = 200, description = "Calls are dialled.", body = ReadinessShape),
    (status = 503, description = "Nothing is dialled now, and why not.", body = ReadinessShape),
))]
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

/// The figures of this process
///
/// In the text form of OpenMetrics, for Prometheus.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics", tag = "health",
    responses((status = 200, description = "The figures.", body = String,
        content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(State(app): State<Shared>) -> Result<Response, ApiError> {
    Ok(typed(OPENMETRICS, app.engine.metrics().await?))
}
