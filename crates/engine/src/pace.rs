//! How fast may be dialled ([`Rate`]), kept by this process alone, or taken a few slots at a time from
//! what all processes on a database keep together (`stock`).
//!
//! Beside the one moment that is the state stand the slots that are not decided yet, so that one that
//! is given back leaves no trace: neither a lost dial nor one too many.

mod stock;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::rate::micros;
use domain::{Rate, Timestamp};

pub use stock::Stock;

/// The pace of all dials.
#[derive(Debug)]
pub struct Pace {
    ledger: Arc<Mutex<Ledger>>,
}

/// The right to one dial now. Dropped, it is given back; [`Slot::spend`] uses it up.
#[derive(Debug)]
pub struct Slot {
    /// Whose it is and its number there; one of those that are kept together lapses by itself.
    ledger: Option<(Arc<Mutex<Ledger>>, u64)>,
    clear_at: Timestamp,
}

impl Pace {
    /// A pace that owes nothing.
    pub fn new(rate: Rate) -> Pace {
        let ledger = Ledger {
            gap_us: rate.gap_us(),
            burst_us: rate.burst_us(),
            settled_us: 0,
            clear_us: 0,
            first: 0,
            open: VecDeque::new(),
        };
        Pace {
            ledger: Arc::new(Mutex::new(ledger)),
        }
    }

    /// Carries on from a state that was kept, so that a restart grants no new burst. Never further
    /// ahead than a full burst: a clock that was wrong must not stop dialling for good.
    pub fn carry_on(&self, clear_at: Timestamp, now: Timestamp) {
        let mut ledger = lock(&self.ledger);
        let most = micros(now).saturating_add(ledger.ahead());
        ledger.begin_at(micros(clear_at).min(most));
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// When the next slot is to be had.
    pub fn take(&self, now: Timestamp) -> Result<Slot, Timestamp> {
        let mut ledger = lock(&self.ledger);
        let now = micros(now);
        let most = now.saturating_add(ledger.ahead());
        if ledger.clear_us > most {
            // Only a clock that was put back leads here.
            ledger.begin_at(most);
        }
        let from = ledger.clear_us.saturating_sub(ledger.burst_us);
        if from > now {
            return Err(at_millis(from));
        }
        let number = ledger.enter(now);
        Ok(Slot {
            ledger: Some((Arc::clone(&self.ledger), number)),
            clear_at: at_millis(ledger.clear_us),
        })
    }
}

impl Slot {
    /// When the pace owes nothing any more, this dial included: kept with the permit.
    pub fn clear_at(&self) -> Timestamp {
        self.clear_at
    }

    fn decide(&self, fate: Fate) {
        if let Some((ledger, number)) = &self.ledger {
            lock(ledger).decide(*number, fate);
        }
    }

    /// The dial was made: the slot is used up.
    pub fn spend(self) {
        self.decide(Fate::Spent);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.decide(Fate::GivenBack);
    }
}

/// What was taken, in microseconds since 1970.
#[derive(Debug)]
struct Ledger {
    /// Between two dials at the full rate.
    gap_us: i64,
    /// How far ahead of the rate a burst may run.
    burst_us: i64,
    /// When nothing is owed any more for all slots before `open`.
    settled_us: i64,
    /// ... and for these as well.
    clear_us: i64,
    /// The number of the first open slot.
    first: u64,
    /// Every slot taken since the oldest that is undecided: when, and what became of it. As many as
    /// are taken while one dial connects and gets its permit.
    open: VecDeque<(i64, Fate)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Undecided,
    Spent,
    GivenBack,
}

impl Ledger {
    /// Furthest that the state can run ahead of the clock.
    fn ahead(&self) -> i64 {
        self.burst_us.saturating_add(self.gap_us)
    }

    /// Begins anew; what is open counts as part of it and is not given back any more.
    fn begin_at(&mut self, clear_us: i64) {
        self.first += self.open.len() as u64;
        self.open.clear();
        (self.settled_us, self.clear_us) = (clear_us, clear_us);
    }

    fn enter(&mut self, now_us: i64) -> u64 {
        self.open.push_back((now_us, Fate::Undecided));
        self.clear_us = self.after(self.clear_us, now_us);
        self.first + self.open.len() as u64 - 1
    }

    /// Decides a slot. The first decision stands.
    fn decide(&mut self, number: u64, fate: Fate) {
        let index = number
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        let Some((_, open)) = index.and_then(|index| self.open.get_mut(index)) else {
            return;
        };
        if *open != Fate::Undecided {
            return;
        }
        *open = fate;
        while let Some((taken_us, decided)) = self
            .open
            .front()
            .copied()
            .filter(|(_, it)| *it != Fate::Undecided)
        {
            if decided == Fate::Spent {
                self.settled_us = self.after(self.settled_us, taken_us);
            }
            self.open.pop_front();
            self.first += 1;
        }
        if fate == Fate::GivenBack {
            // As if it had never been taken.
            let kept = self.open.iter().filter(|(_, fate)| *fate != Fate::GivenBack);
            self.clear_us = kept.fold(self.settled_us, |clear_us, (taken_us, _)| {
                self.after(clear_us, *taken_us)
            });
        }
    }

    fn after(&self, clear_us: i64, taken_us: i64) -> i64 {
        clear_us.max(taken_us).saturating_add(self.gap_us)
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rounded up: a slot is never promised too early.
fn at_millis(us: i64) -> Timestamp {
    Timestamp::from_millis(us.div_euclid(1_000) + i64::from(us.rem_euclid(1_000) != 0))
}

#[cfg(test)]
mod tests;
