//! The machine's clock against the carrier's: times in records are the machine's, and a clock that is far off stops
//! dialling.

use std::time::SystemTime;

use domain::Timestamp;

use super::Finding;

/// Beyond this, times in records mislead whoever compares them with the carrier's.
const NOTICEABLE_MS: i64 = 5_000;
/// Beyond this, nothing is dialled: what happened when can no longer be told.
const STOPS_DIALLING_MS: i64 = 30_000;
/// What the header `Date`, which has whole seconds, and the way of an answer leave open.
const UNSURE_MS: i64 = 1_500;

const REMEDY: &str =
    "Let the machine keep time (systemd-timesyncd, chrony), or set it: `timedatectl set-ntp true`.";

/// The machine's time, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX))
}

/// Holds `date`, as the carrier sent it, against the machine's times before the question and after the answer.
pub fn judge(date: Option<Timestamp>, before_ms: i64, after_ms: i64) -> Option<Finding> {
    // A date without fractions is on average half a second old.
    let carrier_ms = date?.millis() + 500;
    let ahead_ms = i64::midpoint(before_ms, after_ms) - carrier_ms;
    let seconds = (ahead_ms.abs() + 500) / 1_000;
    let direction = if ahead_ms > 0 { "ahead of" } else { "behind" };
    let says = format!("{seconds} s {direction} the carrier's");
    let off_ms = ahead_ms.abs();
    Some(if off_ms > STOPS_DIALLING_MS {
        Finding::problem("clock", format!("{says}; nothing is dialled above 30 s"), REMEDY)
    } else if off_ms > NOTICEABLE_MS {
        Finding::warning("clock", says, REMEDY)
    } else if off_ms > UNSURE_MS {
        Finding::ok("clock", says)
    } else {
        Finding::ok("clock", "agrees with the carrier's")
    })
}
