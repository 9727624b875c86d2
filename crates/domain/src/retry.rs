//! When a call is dialled again, and when it is not: one pure rule.

use std::time::Duration;

use crate::attempt::Attempt;
use crate::outcome::AttemptStatus;
use crate::request::MachineDetection;

/// How often, how soon and for how long a call is dialled. Fixed when the call is accepted, so that
/// a change of settings does not change what was promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Most attempts, 1 to [`crate::limits::MAX_ATTEMPTS`].
    pub max_attempts: u32,
    /// The gap after attempt 1, 2, ...; the last one repeats. Never empty.
    pub retry_delays: Vec<Duration>,
    /// The endings that are tried again.
    pub retry_on: RetryOn,
    /// How long it may ring.
    pub ring_timeout: Duration,
    /// How long may be talked.
    pub time_limit: Duration,
    /// A dial not sent this long after it was due is not made any more.
    pub give_up_after: Duration,
    /// Whether the carrier listens for an answering machine.
    pub machine_detection: MachineDetection,
}

/// The endings that are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RetryOn {
    /// After `busy`.
    pub busy: bool,
    /// After `no-answer`.
    pub no_answer: bool,
    /// After `failed`.
    pub failed: bool,
}

impl Default for RetryOn {
    /// All three.
    fn default() -> RetryOn {
        RetryOn {
            busy: true,
            no_answer: true,
            failed: true,
        }
    }
}

impl RetryOn {
    /// Whether an attempt that ended so is followed by another. `unconfirmed` counts as `busy` does;
    /// that the operator may end such a call at once is decided elsewhere.
    pub fn covers(self, status: AttemptStatus) -> bool {
        match status {
            AttemptStatus::Busy | AttemptStatus::Unconfirmed => self.busy,
            AttemptStatus::NoAnswer => self.no_answer,
            AttemptStatus::Failed => self.failed,
            _ => false,
        }
    }
}

impl Policy {
    /// How long after now the next attempt is due, or `None` when there is none. `attempts` are all
    /// attempts so far, none of them open.
    pub fn next(&self, attempts: &[Attempt]) -> Option<Duration> {
        let last = attempts.last()?;
        let left = attempts.len() < self.max_attempts as usize;
        // A leg that came to light too late and that we hung up ourselves has reached nobody either.
        let hung_up = last.unwanted && last.status == AttemptStatus::Canceled;
        if !left || last.refused || !(hung_up || self.retry_on.covers(last.status)) {
            return None;
        }
        let delays = &self.retry_delays;
        delays.get(attempts.len() - 1).or(delays.last()).copied()
    }
}

/// `first` doubled `times` times, at most `longest`.
pub fn doubling((first, longest): (Duration, Duration), times: u32) -> Duration {
    first
        .saturating_mul(1u32.checked_shl(times.min(31)).unwrap_or(u32::MAX))
        .min(longest)
}

/// `gap` made between half and all of itself by a throw of the dice, so that many calls that were
/// held back together do not come back together.
pub fn jittered(gap: Duration, dice: u64) -> Duration {
    let millis = u64::try_from(gap.as_millis()).unwrap_or(u64::MAX);
    let half = millis / 2;
    Duration::from_millis(half + dice % (millis - half + 1))
}

#[cfg(test)]
mod tests;
