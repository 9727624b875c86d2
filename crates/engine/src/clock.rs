//! The only place where a clock is read. Everything else is told what time it is.

use std::time::Duration;

use async_trait::async_trait;
use rustix::time::{ClockId, clock_gettime};

/// What the engine needs of a machine's clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Time since the machine started, suspended time included. Never goes back, and no setting of
    /// the wall clock moves it; which time of day it is, the store says.
    fn boot(&self) -> Duration;

    /// Returns after `gap`, or somewhat later.
    async fn wait(&self, gap: Duration);
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn boot(&self) -> Duration {
        // Not CLOCK_MONOTONIC: that one stands still while the machine is suspended, and a permit
        // must grow old then.
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    }

    async fn wait(&self, gap: Duration) {
        tokio::time::sleep(gap).await;
    }
}

#[cfg(test)]
pub(crate) mod still;
