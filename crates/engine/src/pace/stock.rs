//! Slots of the pace that several processes keep together: taken a few at a time, and good for a moment
//! only, so that what a process does not use is nobody's loss for long.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{Rate, Timestamp};
use store::Slots;

use super::Slot;

/// A slot that is not used by then has lapsed: by so much at most can dials of several processes run
/// ahead of their common pace.
const GOOD_FOR: Duration = Duration::from_millis(250);
/// More slots than are wanted are taken for so long at the full rate, so that a fast pace does not ask
/// the database once for every dial.
const AHEAD: f64 = 0.1;

/// What was taken and not used yet.
#[derive(Debug)]
pub struct Stock {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    left: u32,
    good_until: Timestamp,
    /// When there may be more, as of `asked_at`.
    next_at: Timestamp,
    asked_at: Timestamp,
}

impl Default for Stock {
    fn default() -> Stock {
        let never = Timestamp::from_millis(i64::MIN);
        Stock {
            state: Mutex::new(State {
                left: 0,
                good_until: never,
                next_at: never,
                asked_at: never,
            }),
        }
    }
}

impl Stock {
    /// How many to take for `wanted` dials; 0 while there are enough, or while there can be none.
    pub fn wish(&self, wanted: u32, rate: Rate, now: Timestamp) -> u32 {
        let state = self.lock();
        if wanted <= state.left_at(now) || now < state.next_at_seen(now) {
            return 0;
        }
        let ahead = (rate.per_second * AHEAD) as u32;
        wanted.max(ahead)
    }

    /// What was taken at `now`; what was left before has been overtaken by it.
    pub fn put(&self, slots: Slots, wish: u32, now: Timestamp) {
        let mut state = self.lock();
        *state = State {
            left: state.left_at(now).saturating_add(slots.taken),
            good_until: now + GOOD_FOR,
            next_at: if slots.taken < wish { slots.next_at } else { now },
            asked_at: now,
        };
    }

    /// # Errors
    /// When the next slot may be had.
    pub fn take(&self, now: Timestamp) -> Result<Slot, Timestamp> {
        let mut state = self.lock();
        state.left = state.left_at(now);
        if state.left == 0 {
            return Err(state.next_at_seen(now).max(now));
        }
        state.left -= 1;
        Ok(Slot {
            ledger: None,
            clear_at: now,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A clock that was put back knows nothing of what comes.
    fn next_at_seen(&self, now: Timestamp) -> Timestamp {
        if now < self.asked_at { now } else { self.next_at }
    }

    fn left_at(&self, now: Timestamp) -> u32 {
        // A clock that was put back makes nothing good for longer.
        let is_good = now <= self.good_until && self.good_until.since(now) <= GOOD_FOR;
        if is_good { self.left } else { 0 }
    }
}

#[cfg(test)]
mod tests;
