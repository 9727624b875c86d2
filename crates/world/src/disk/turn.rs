//! One question to the store, or one write, and all that may go wrong before and after it.

use domain::{CallId, Timestamp};
use engine::clock::Clock as _;
use store::StoreError;

use super::{Disk, finish, look};
use crate::check::Told;
use crate::fault::Fault;
use crate::step::Kind;

impl Disk {
    pub(super) async fn read<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.begin(false).await?;
        finish(work)
    }

    /// Writes; `touched` says which call has changed by it, before anybody has looked at it.
    pub(super) async fn write<T>(
        &self,
        kind: Kind,
        work: impl Future<Output = Result<T, StoreError>>,
        touched: impl FnOnce(&T) -> Option<CallId>,
    ) -> Result<T, StoreError> {
        self.begin(true).await?;
        let done = finish(work)?;
        if let Some(id) = touched(&done) {
            look(&*self.inner, &self.hub, id, kind);
        }
        self.end().await?;
        Ok(done)
    }

    pub(super) async fn begin(&self, writes: bool) -> Result<(), StoreError> {
        self.life.alive().await;
        let (dies, fails) = {
            let mut state = self.hub.lock();
            let dies = writes && state.strikes(Fault::CrashBeforeWrite);
            (dies, state.strikes(Fault::StoreFails))
        };
        self.dawdle().await;
        if dies {
            self.life.dies(&self.hub, Fault::CrashBeforeWrite).await;
        }
        if fails {
            return Err(StoreError::broken("the disk does not answer"));
        }
        Ok(())
    }

    async fn end(&self) -> Result<(), StoreError> {
        let (dies, fails) = {
            let mut state = self.hub.lock();
            let dies = state.strikes(Fault::CrashAfterWrite);
            (dies, state.strikes(Fault::StoreFailsAfter))
        };
        if dies {
            self.life.dies(&self.hub, Fault::CrashAfterWrite).await;
        }
        self.dawdle().await;
        if fails {
            return Err(StoreError::broken("the disk did not say that it has written"));
        }
        Ok(())
    }

    /// Takes its time, if it does so now.
    pub(super) async fn dawdle(&self) {
        let slow = {
            let mut state = self.hub.lock();
            state.strikes(Fault::StoreSlow).then(|| state.millis(1, 3_000))
        };
        if let Some(gap) = slow {
            self.life.clock.wait(gap).await;
            self.life.alive().await;
        }
    }

    /// Answers long after it has written, if it does so now: as when the way from the server is cut for a while.
    pub(super) async fn hang(&self) {
        if self.inner.together().is_none() {
            return;
        }
        let long = {
            let mut state = self.hub.lock();
            state
                .strikes(Fault::StoreHangs)
                .then(|| state.millis(20_000, 70_000))
        };
        if let Some(gap) = long {
            self.life.clock.wait(gap).await;
            self.life.alive().await;
        }
    }

    /// Others may be told of what is done now, at this very moment.
    pub(super) fn stir(&self) {
        self.hub.lock().stirred += 1;
    }

    /// This process was told of work.
    pub(super) fn told(&self, now: Timestamp, work: Told, ids: impl Iterator<Item = CallId>) {
        if self.inner.together().is_none() {
            return;
        }
        let mut state = self.hub.lock();
        for id in ids {
            state.checks.told(now, self.life.who, work, id);
        }
    }
}
