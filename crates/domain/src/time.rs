//! Moments and durations in whole milliseconds, and their written forms. Reads no clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::time::Duration;

use jiff::fmt::rfc2822;

/// A moment, in whole milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads a date as e-mail, HTTP headers and carriers write it (RFC 2822, section 3.3).
    pub fn from_rfc2822(text: &str) -> Option<Timestamp> {
        let zoned = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Timestamp(zoned.as_millisecond()))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, gap: Duration) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(i64::try_from(gap.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, gap: Duration) -> Timestamp {
        Timestamp(
            self.0
                .saturating_sub(i64::try_from(gap.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    /// ISO 8601 UTC with milliseconds and `Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a moment in ISO 8601 with a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment in ISO 8601 with its zone, such as 2026-11-22T10:00:00Z")]
pub struct NotATime;

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Timestamp, NotATime> {
        text.parse::<jiff::Timestamp>()
            .map(|at| Timestamp(at.as_millisecond()))
            .map_err(|_| NotATime)
    }
}

/// The text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a number with ms, s, m, h or d, such as 500ms or 2m (a bare number is seconds)")]
pub struct NotADuration;

/// Reads a duration as settings and requests write it: a whole number and `ms`, `s`, `m`, `h` or
/// `d`; a bare number is seconds. Bounded to a hundred years, so that sums cannot overflow.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale: u64 = match unit.trim() {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(NotADuration),
    };
    let millis = number
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(scale))
        .ok_or(NotADuration)?;
    if millis > 100 * 366 * 86_400_000 {
        Err(NotADuration)
    } else {
        Ok(Duration::from_millis(millis))
    }
}

/// Writes a duration so that [`parse_duration`] reads the same one back, in the largest unit that
/// divides it.
pub fn show_duration(gap: Duration) -> String {
    let millis = gap.as_millis();
    for (scale, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if millis > 0 && millis.is_multiple_of(scale) {
            return format!("{}{unit}", millis / scale);
        }
    }
    format!("{millis}ms")
}

#[cfg(test)]
mod tests;
