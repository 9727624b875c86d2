//! The retry policy's fields, from JSON.

use std::time::Duration;

use domain::limits;
use domain::retry::RetryOn;

use super::fields::{Fields, duration};
use crate::error::ApiError;

/// Reads `retry_delays`: the gaps after attempt 1, 2, ...
pub(crate) fn delays(fields: &mut Fields) -> Result<Option<Vec<Duration>>, ApiError> {
    const NAME: &str = "retry_delays";
    let Some(items) = fields.list(NAME)? else {
        return Ok(None);
    };
    let most = limits::RETRY_DELAYS;
    if !(1..=most).contains(&items.len()) {
        return Err(ApiError::field(
            NAME,
            format_args!("must list 1 to {most} durations"),
        ));
    }
    let read = |item| duration(NAME, item, limits::LONGEST_RETRY_DELAY);
    items.iter().map(read).collect::<Result<_, _>>().map(Some)
}

/// Reads `retry_on`: the endings that are tried again. An empty list means none.
pub(crate) fn retry_on(fields: &mut Fields) -> Result<Option<RetryOn>, ApiError> {
    const NAME: &str = "retry_on";
    let Some(items) = fields.list(NAME)? else {
        return Ok(None);
    };
    let mut retry_on = RetryOn {
        busy: false,
        no_answer: false,
        failed: false,
    };
    for item in &items {
        match item.as_str() {
            Some("busy") => retry_on.busy = true,
            Some("no-answer") => retry_on.no_answer = true,
            Some("failed") => retry_on.failed = true,
            _ => {
                return Err(ApiError::field(
                    NAME,
                    "must list some of busy, no-answer and failed",
                ));
            }
        }
    }
    Ok(Some(retry_on))
}
