//! One round of everything, for a program that runs now and then instead of a server.

use std::time::Duration;

use domain::{HoldReason, Timestamp};

use crate::Engine;
use crate::error::EngineError;

/// How long to wait before looking again whether what is under way has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Questions put to the carrier.
    pub asked: u64,
    /// Requests sent to the carrier for a call.
    pub dialled: u64,
}

impl Engine {
    /// Asks about everything that needs asking now, then dials everything that is due now, at the
    /// pace that is allowed, and returns when all of it has ended. What becomes due meanwhile is left
    /// to the next round.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn one_round(&self) -> Result<Round, EngineError> {
        let begun_at = self.inner.time.now();
        while self.needs_asking(begun_at).await? {
            self.inner.check_pass().await?;
            self.inner.time.wait(LOOK_AGAIN).await;
        }
        while self.may_dial(begun_at).await? {
            self.inner.dial_pass().await?;
            if self.needs_asking(begun_at).await? {
                // A dial that has waited too long meanwhile is given up, not tried for ever.
                self.inner.check_pass().await?;
            }
            self.inner.time.wait(LOOK_AGAIN).await;
        }
        let metrics = &self.inner.metrics;
        Ok(Round {
            asked: metrics.asked.get(),
            dialled: metrics.sent.get(),
        })
    }

    async fn needs_asking(&self, begun_at: Timestamp) -> Result<bool, EngineError> {
        Ok(self.inner.checking.count() > 0 || !self.inner.store.to_check(begun_at, 1).await?.is_empty())
    }

    async fn may_dial(&self, begun_at: Timestamp) -> Result<bool, EngineError> {
        if self.inner.dialling.count() > 0 {
            return Ok(true);
        }
        // What no waiting in this round would remove ends it.
        let obstacle = self.inner.obstacle(self.inner.time.now());
        if let Some(hold) = obstacle.filter(|hold| hold.reason != HoldReason::Pace) {
            tracing::warn!("not dialling: {}", hold.message);
            return Ok(false);
        }
        Ok(!self.inner.store.due(begun_at, 1).await?.is_empty())
    }
}
