//! How fast may be dialled: so many dials a second, after a burst. The generic cell rate algorithm
//! (ITU-T I.371, appendix), whose whole state is one moment: when nothing is owed any more. Whoever
//! keeps that moment, for one process or for all that share a database, counts by what is here.
//! Processes that share it may have different rates and bursts, as while settings are changed.

use crate::time::Timestamp;

/// Dials a second, and how many may go at once before that binds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Dials a second, above 0.
    pub per_second: f64,
    /// At least 1.
    pub burst: u32,
}

/// What a pace owes, as several processes keep it, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owed {
    /// When nothing is owed any more.
    pub clear_us: i64,
    /// The latest moment at which a process looked.
    pub as_of_us: i64,
}

/// Clocks of processes that share a pace differ by less, in microseconds.
pub const APART_US: i64 = 5_000_000;

impl Owed {
    /// The same, looked at `now_us`. Who looked later than that had a clock that was ahead: it has been put back since, and
    /// what is owed goes back with it. Nothing else tells a state that a wrong clock left from one that another's larger
    /// burst did.
    fn at(self, now_us: i64) -> Owed {
        let back = self.as_of_us.saturating_sub(now_us);
        if back <= APART_US {
            return Owed {
                as_of_us: self.as_of_us.max(now_us),
                ..self
            };
        }
        Owed {
            clear_us: self.clear_us.saturating_sub(back),
            as_of_us: now_us,
        }
    }
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

    /// Takes up to `wish` slots at `now`: how many there are, and what is owed after that.
    pub fn take(self, owed: Owed, now: Timestamp, wish: u32) -> (u32, Owed) {
        let (gap, burst, now) = (self.gap_us(), self.burst_us(), micros(now));
        let owed = owed.at(now);
        if owed.clear_us.saturating_sub(burst) > now {
            return (0, owed);
        }
        let from = owed.clear_us.max(now);
        let room = (now.saturating_add(burst) - from) / gap + 1;
        let slots = wish.min(u32::try_from(room).unwrap_or(u32::MAX));
        if slots == 0 {
            return (0, owed);
        }
        let clear_us = from.saturating_add(gap.saturating_mul(i64::from(slots)));
        (slots, Owed { clear_us, ..owed })
    }

    /// When the next slot is to be had. Rounded up: a slot is never promised too early.
    pub fn next_at(self, owed: Owed) -> Timestamp {
        let us = owed.clear_us.saturating_sub(self.burst_us());
        Timestamp::from_millis(us.div_euclid(1_000) + i64::from(us.rem_euclid(1_000) != 0))
    }
}

/// A moment in microseconds since 1970.
pub fn micros(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1_000)
}

#[cfg(test)]
mod tests;
