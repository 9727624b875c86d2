//! The brake: dialling paused and resumed, for all processes.

use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use engine::Dialling;
use serde::Serialize;

use super::json;
use crate::error::ApiError;
use crate::state::Shared;
use crate::wire::Shown;

/// Whether dialling goes on.
#[derive(Serialize)]
struct DialingShape {
    paused: bool,
    paused_at: Option<Shown<Timestamp>>,
    live: u64,
}

impl From<Dialling> for DialingShape {
    fn from(dialling: Dialling) -> DialingShape {
        DialingShape {
            paused: dialling.paused_at.is_some(),
            paused_at: dialling.paused_at.map(Shown),
            live: dialling.live,
        }
    }
}

/// `POST /dialing/pause`
pub(crate) async fn pause(State(app): State<Shared>) -> Result<Response, ApiError> {
    Ok(json(&DialingShape::from(app.engine.pause().await?)))
}

/// `POST /dialing/resume`
pub(crate) async fn resume(State(app): State<Shared>) -> Result<Response, ApiError> {
    Ok(json(&DialingShape::from(app.engine.resume().await?)))
}
