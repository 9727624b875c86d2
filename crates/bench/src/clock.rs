//! The machine's time, as the measured binary sees it too.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// Microseconds since 1970.
pub fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The same moment in the calls' own measure.
pub fn now() -> Timestamp {
    Timestamp::from_millis(micros() / 1_000)
}
