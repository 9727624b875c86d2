//! What an engine does because others may dial from the same database. None of it is needed for an
//! attempt to be sent once only, which is the permit's matter; where this process dials alone, none of
//! it does anything.

use std::sync::Arc;
use std::time::Duration;

use domain::{Call, CallId, Timestamp};
use store::{Dialling, News, StoreError};
use tokio::sync::oneshot;

use crate::Inner;
use crate::outcomes::is_decided;
use crate::pace::Slot;

/// How often it is looked whether another process has made a dial that somebody waits for here.
const LOOK_FOR_IT: Duration = Duration::from_millis(200);

impl Inner {
    /// A slot of the pace. Where it is kept together, [`Inner::stock_up`] comes first.
    ///
    /// # Errors
    /// When the next may be had.
    pub(crate) fn slot(&self, now: Timestamp) -> Result<Slot, Timestamp> {
        match self.store.together() {
            None => self.pace.take(now),
            Some(_) => self.stock.take(now),
        }
    }

    /// Takes slots for so many dials from what all keep together.
    pub(crate) async fn stock_up(&self, wanted: usize, now: Timestamp) -> Result<(), StoreError> {
        let Some(together) = self.store.together() else {
            return Ok(());
        };
        let rate = self.settings.rate;
        let wish = self
            .stock
            .wish(u32::try_from(wanted).unwrap_or(u32::MAX), rate, now);
        if wish > 0 {
            self.stock.put(together.slots(wish, rate, now).await?, wish, now);
        }
        Ok(())
    }

    /// Says that this process is there, and learns whether it leads. One that cannot dial itself does not: it leaves that,
    /// and what it has claimed, to others that can. It says that it is there all the same, because up to then the
    /// database is known to be whole: what it takes meanwhile may be dialled the next moment.
    pub(crate) async fn check_in(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(together) = self.store.together() else {
            return Ok(());
        };
        let standing = together.check_in(now).await?;
        let cannot_dial = self.gate.cannot_dial();
        self.gate.set_follows(cannot_dial || !standing.leads);
        if cannot_dial && standing.leads {
            together.leave().await?;
        }
        Ok(())
    }

    /// Takes over what others have found out: how the account stands, and whether the database was
    /// restored.
    pub(crate) fn follow_others(self: &Arc<Self>, dialling: &Dialling) {
        if self.store.together().is_none() {
            return;
        }
        if self.gate.follow_account(dialling.account_hold.clone()) {
            self.dial_alarm.ring();
        }
        match dialling.restored {
            Some(copied_at) if !self.restored.is_of(copied_at) => self.hold_restored(copied_at),
            None if self.restored.stands() => self.forget_restored(),
            _ => {}
        }
    }

    /// Whether this process does what only one should.
    pub(crate) fn leads(&self) -> bool {
        !self.gate.follows()
    }

    /// Whether the permit just granted may be used, as far as the database goes.
    ///
    /// # Errors
    /// In words: why nothing may be sent.
    pub(crate) async fn proven(&self) -> Result<(), StoreError> {
        match self.store.together() {
            None => Ok(()),
            Some(together) => together.proven().await,
        }
    }

    /// Hears what others have left, until the engine stops.
    pub(crate) async fn listen(self: Arc<Self>) {
        let Some(together) = self.store.together() else {
            return;
        };
        loop {
            let news = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                news = together.news() => news,
            };
            match news {
                News::Due => self.dial_alarm.ring(),
                News::Dialling => self.watch_alarm.ring(),
            }
        }
    }

    /// Leaves what was claimed to the others.
    pub(crate) async fn leave(&self) {
        if let Some(together) = self.store.together()
            && let Err(error) = together.leave().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what this process had claimed is free in half a minute"
            );
        }
    }

    /// Waits until the first dial of a call is decided, here or by another process.
    pub(crate) async fn hear(
        &self,
        id: CallId,
        mut decided: oneshot::Receiver<Arc<Call>>,
        until: Duration,
    ) -> Option<Arc<Call>> {
        let is_alone = self.store.together().is_none();
        loop {
            let rest = until.saturating_sub(self.time.boot());
            let wait = if is_alone { rest } else { rest.min(LOOK_FOR_IT) };
            tokio::select! {
                biased;
                told = &mut decided => return told.ok(),
                () = self.time.wait(wait) => {}
            }
            if wait == rest {
                return None;
            }
            // What cannot be read now may be told yet.
            let call = self.store.call(id).await.ok().flatten();
            if let Some(call) = call.filter(is_decided) {
                return Some(Arc::new(call));
            }
        }
    }
}
