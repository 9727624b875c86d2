//! The time of day, as the server and the carrier on this machine see it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub fn millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The same as records and ledgers write it, read back; nothing when it is no time.
pub fn read(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|it| it.as_millisecond())
}

/// A moment as records and requests write it.
pub fn written(millis: i64) -> String {
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
