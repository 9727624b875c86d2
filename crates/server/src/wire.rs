//! The JSON that programs send and get. Shapes and words only: what they mean is the engine's matter.
//! The schemas of the published document are derived from these shapes.

pub(crate) mod attempt;
pub(crate) mod call;
pub(crate) mod event;
pub(crate) mod fields;
pub(crate) mod list;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod schema;
pub(crate) mod script;

use std::fmt::Display;

use domain::{Hold, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use schema::HoldWord;

/// A value in its written form.
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What a call, or all of them, wait for.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingFor {
    #[schema(value_type = HoldWord)]
    reason: &'static str,
    /// Since when this has been in the way.
    #[schema(value_type = String, format = DateTime)]
    since: Shown<Timestamp>,
    /// When it is tried again, where that is known.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    until: Option<Shown<Timestamp>>,
    /// For a person to read.
    message: String,
}

impl From<Hold> for WaitingFor {
    fn from(hold: Hold) -> WaitingFor {
        WaitingFor {
            reason: hold.reason.word(),
            since: Shown(hold.since),
            until: hold.until.map(Shown),
            message: hold.message,
        }
    }
}
