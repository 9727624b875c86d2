//! What time it is: the machine's boot-time clock plus an offset that the store's clock gives, so
//! that a step of the machine's wall clock moves nothing by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;

use crate::clock::Clock;

/// A reading that differs from what was expected by more than this is a jump: not believed, and no
/// dial is made, until the next reading agrees with it.
const JUMP_MILLIS: i64 = 5_000;
/// Two readings agree when they put the offset within this.
const AGREE_MILLIS: i64 = 1_000;

/// The engine's idea of the time.
pub struct Time {
    clock: Arc<dyn Clock>,
    offset: Mutex<Offset>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Offset {
    millis: i64,
    measured: bool,
    /// A jump that is not believed yet: the offset that it would mean.
    doubted: Option<i64>,
}

impl Time {
    /// A time that is not trusted before its first [`Time::measure`].
    pub fn new(clock: Arc<dyn Clock>) -> Time {
        Time {
            clock,
            offset: Mutex::new(Offset::default()),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.boot_millis() + self.lock().millis)
    }

    /// The boot-time clock, for ages within this process.
    pub fn boot(&self) -> Duration {
        self.clock.boot()
    }

    /// Returns after `gap`.
    pub async fn wait(&self, gap: Duration) {
        self.clock.wait(gap).await;
    }

    /// Takes a reading of the store's clock, made just now. Returns whether the time has jumped by it: what was compared
    /// with it before says nothing any more.
    pub fn measure(&self, reading: Timestamp) -> bool {
        let candidate = reading.millis() - self.boot_millis();
        let mut offset = self.lock();
        let expected = !offset.measured || (candidate - offset.millis).abs() <= JUMP_MILLIS;
        let confirmed = offset
            .doubted
            .is_some_and(|doubted| (candidate - doubted).abs() <= AGREE_MILLIS);
        *offset = if expected || confirmed {
            Offset {
                millis: candidate,
                measured: true,
                doubted: None,
            }
        } else {
            Offset {
                doubted: Some(candidate),
                ..*offset
            }
        };
        confirmed && !expected
    }

    /// By how much the store's clock has jumped, while that is not confirmed.
    pub fn jump(&self) -> Option<Duration> {
        let offset = self.lock();
        offset
            .doubted
            .map(|doubted| Duration::from_millis((doubted - offset.millis).unsigned_abs()))
    }

    fn boot_millis(&self) -> i64 {
        i64::try_from(self.clock.boot().as_millis()).unwrap_or(i64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Offset> {
        self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
