//! The brake: dialling paused and resumed, for all processes.

use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use engine::Dialling;
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use crate::error::ApiError;
use crate::state::Shared;
use crate::wire::Shown;

/// Whether dialling goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = Dialing)]
struct DialingShape {
    paused: bool,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    paused_at: Option<Shown<Timestamp>>,
    /// Calls that are live.
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

/// Stops all dialling
///
/// Durably, for every process on the same database. What is live goes on, as do callbacks, look-ups and reads.
#[utoipa::path(post, path = "/dialing/pause", operation_id = "pauseDialing", tag = "dialing",
    responses((status = 200, description = "Nothing is dialled from now on.", body = DialingShape)))]
pub(crate) async fn pause(State(app): State<Shared>) -> Result<Response, ApiError> {
    Ok(json(&DialingShape::from(app.engine.pause().await?)))
}

/// Lets dialling go on
///
/// What is due is dialled, at the pace that is set. To resume what is not paused is no error.
#[utoipa::path(post, path = "/dialing/resume", operation_id = "resumeDialing", tag = "dialing",
    responses((status = 200, description = "What is due is dialled again.", body = DialingShape)))]
pub(crate) async fn resume(State(app): State<Shared>) -> Result<Response, ApiError> {
    Ok(json(&DialingShape::from(app.engine.resume().await?)))
}
