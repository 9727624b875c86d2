//! How fast may be dialled: so many dials a second, after a burst. The generic cell rate algorithm
//! (ITU-T I.371, appendix), whose whole state is one moment: when nothing is owed any more. Whoever
//! keeps that moment, for one process or for all that share a database, counts by what is here.

use crate::time::Timestamp;

/// Dials a second, and how many may go at once before that binds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Dials a second, above 0.
    pub per_second: f64,
    /// At least 1.
    pub burst: u32,
}

impl Rate {
    /// Between two dials at the full rate, in microseconds. Rounded up: never faster than asked for.
    pub fn gap_us(self) -> i64 {
        (1_000_000.0 / self.per_second).ceil() as i64
    }

    /// How far ahead of the rate a burst may run, in microseconds.
    pub fn burst_us(self) -> i64 {
        self.gap_us().saturating_mul(i64::from(self.burst.max(1)) - 1)
    }

    /// Takes up to `wish` slots at `now`, with nothing owed any more at `clear_us` (microseconds since
    /// 1970): how many there are, and when nothing is owed after that. A state further ahead than a
    /// full burst is of a clock that was wrong, and counts as a full burst.
    pub fn take(self, clear_us: i64, now: Timestamp, wish: u32) -> (u32, i64) {
        let (gap, burst, now) = (self.gap_us(), self.burst_us(), micros(now));
        let clear_us = clear_us.min(now.saturating_add(burst).saturating_add(gap));
        if clear_us.saturating_sub(burst) > now {
            return (0, clear_us);
        }
        let from = clear_us.max(now);
        let room = (now.saturating_add(burst) - from) / gap + 1;
        let slots = wish.min(u32::try_from(room).unwrap_or(u32::MAX));
        if slots == 0 {
            return (0, clear_us);
        }
        (slots, from.saturating_add(gap.saturating_mul(i64::from(slots))))
    }

    /// When the next slot is to be had, with nothing owed any more at `clear_us`. Rounded up: a slot
    /// is never promised too early.
    pub fn next_at(self, clear_us: i64) -> Timestamp {
        let us = clear_us.saturating_sub(self.burst_us());
        Timestamp::from_millis(us.div_euclid(1_000) + i64::from(us.rem_euclid(1_000) != 0))
    }
}

/// A moment in microseconds since 1970.
pub fn micros(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1_000)
}

#[cfg(test)]
mod tests;
