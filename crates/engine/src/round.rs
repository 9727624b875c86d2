//! One round of everything, for a program that runs now and then instead of a server.

use std::time::Duration;

use domain::{Hold, HoldReason, Timestamp, limits};

use crate::Engine;
use crate::error::EngineError;

/// How long to wait before looking again whether what is under way has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Further than any try is put off after one that found no connection.
const A_LITTLE: Duration = limits::NOT_SENT_BACKOFF.1;

/// What a round did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Questions put to the carrier.
    pub asked: u64,
    /// Requests sent to the carrier for a call.
    pub dialled: u64,
    /// What kept the rest from being dialled, if anything did.
    pub held: Option<Hold>,
}

impl Engine {
    /// Asks about everything that needs asking now, then dials everything that is due now, at the
    /// pace that is allowed, and returns when all of it has ended. What becomes due meanwhile is left
    /// to the next round.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn one_round(&self) -> Result<Round, EngineError> {
        let inner = &self.inner;
        if inner.gate.is_skewed() {
            inner.compare_clocks().await;
        }
        while inner.restored.stands() && !inner.restored.has_failed() {
            let next = inner.restored_pass().await?;
            inner
                .time
                .wait(next.map_or(Duration::ZERO, |at| at.since(inner.time.now())))
                .await;
        }
        let begun_at = self.inner.time.now();
        while !inner.restored.is_unread() && self.needs_asking(begun_at).await? {
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
            held: self.held_round(begun_at).await?,
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
        Ok(self.obstacle().is_none() && !self.inner.store.due(begun_at, 1).await?.is_empty())
    }

    fn obstacle(&self) -> Option<Hold> {
        let hold = self.inner.obstacle(self.inner.time.now());
        hold.filter(|hold| hold.reason != HoldReason::Pace)
    }

    /// What keeps calls that were due from being dialled.
    async fn held_round(&self, begun_at: Timestamp) -> Result<Option<Hold>, EngineError> {
        let Some(hold) = self.obstacle() else {
            return Ok(None);
        };
        // A carrier that could not be reached has put the call off by a little.
        let due = self.inner.store.due(begun_at + A_LITTLE, 1).await?;
        Ok((!due.is_empty()).then_some(hold))
    }
}
