//! The database's own time, which is this machine's: the file has no other. The one place of this crate that
//! reads a clock; asked by `Store::clock` and for the date that a migration is noted with.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// What time it is. Before 1970 it is 1970, and whoever compares clocks will say so.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
