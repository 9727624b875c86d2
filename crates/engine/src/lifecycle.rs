//! How an engine starts, runs and stops.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::{CallState, Input, Timestamp};
use store::StoreError;

use crate::error::EngineError;
use crate::runner;
use crate::scheduler::BEGINNING;
use crate::{Engine, Inner};

/// The store's clock is read this often.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// ... and this often while it is doubted, or while the carrier's clock is.
const MEASURE_SOON: Duration = Duration::from_secs(1);
/// A start waits this long for the carrier's clock; it is asked for again while nothing is dialled.
const COMPARED_WITHIN: Duration = Duration::from_secs(2);
/// A send under way gets this long to end before the process goes; after it, it is in doubt, which
/// the next start settles.
const STOP_WITHIN: Duration = Duration::from_secs(8);
/// A permit this old that no task has in hand is put in doubt: 2 s to the send and 30 s for the
/// answer are over, whoever had it.
const ABANDONED_AFTER: Duration = Duration::from_secs(45);

impl Engine {
    /// Reads the clocks, the carrier's too, and what the last process left: its pace, its pause, whether all of it is a copy,
    /// and its undecided permits, which are in doubt from here on. Must be done once, by the holder of the right to dial, before
    /// anything is dialled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(&self) -> Result<(), EngineError> {
        let inner = &self.inner;
        inner.time.measure(inner.store.clock().await?);
        let now = inner.time.now();
        *inner.started_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        let dialling = inner.store.dialling().await?;
        inner.gate.set_paused(dialling.paused_at);
        inner.gate.set_account(dialling.account_hold);
        inner.gate.carrier_date_unknown(now);
        tokio::select! {
            biased;
            () = inner.compare_clocks() => {}
            () = inner.time.wait(COMPARED_WITHIN) => {}
        }
        if let Some(copied_at) = dialling.restored {
            inner.hold_restored(copied_at);
        }
        if let Some(clear_at) = dialling.pace_clear_at {
            inner.pace.carry_on(clear_at, now);
        }
        let left_behind = match inner.store.together() {
            None => inner.store.granted().await?,
            // They may be in the hands of a process that is well; what is nobody's is found by its age.
            Some(_) => {
                inner.check_in(now).await?;
                Vec::new()
            }
        };
        for (id, attempt) in left_behind {
            let why =
                "the process that held the permit ended before it wrote down what became of the request";
            tracing::warn!(call.id = %id, attempt.number = attempt, "in doubt, the carrier is asked: {why}");
            inner
                .store
                .apply(
                    id,
                    Input::InDoubt {
                        attempt,
                        why: why.to_owned(),
                    },
                    inner.at(),
                )
                .await?;
        }
        let next = inner.store.next_due(BEGINNING).await?;
        if next.is_none_or(|at| at > now) {
            inner.front.cleared(next);
        }
        Ok(())
    }

    /// Starts the loops. They run until [`Engine::stop`].
    pub fn start(&self) {
        let spawn = |future| self.inner.tasks.spawn(future);
        let inner = Arc::clone(&self.inner);
        spawn(futures_util::FutureExt::boxed(async move {
            let pass = || inner.dial_pass();
            runner::run("dial", &inner.time, &inner.dial_alarm, &inner.stopping, pass).await;
        }));
        let inner = Arc::clone(&self.inner);
        spawn(futures_util::FutureExt::boxed(async move {
            let pass = || inner.check_pass();
            runner::run("check", &inner.time, &inner.check_alarm, &inner.stopping, pass).await;
        }));
        let is_shared = self.inner.store.together().is_some();
        if is_shared {
            self.inner.tasks.spawn(Arc::clone(&self.inner).listen());
        }
        // Another server may take over from the one that is shared, at any time.
        if is_shared || self.inner.restored.stands() {
            let inner = Arc::clone(&self.inner);
            spawn(futures_util::FutureExt::boxed(async move {
                let pass = || inner.restored_pass();
                let alarm = &inner.restored_alarm;
                runner::run("restored", &inner.time, alarm, &inner.stopping, pass).await;
            }));
        }
        let inner = Arc::clone(&self.inner);
        spawn(futures_util::FutureExt::boxed(async move {
            let pass = || inner.watch_pass();
            runner::run("watch", &inner.time, &inner.watch_alarm, &inner.stopping, pass).await;
        }));
    }

    /// One turn of the loop that makes good what a store that was put back from a copy does not know.
    /// Returns as [`Engine::dial_pass`] does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn restored_pass(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.inner.restored_pass().await?)
    }

    /// One turn of the loop that dials: starts every due dial that may go now. Returns when it wants
    /// to be run again; `None`: when there is a reason, or after a few seconds.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn dial_pass(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.inner.dial_pass().await?)
    }

    /// One turn of the loop that asks the carrier, hangs up and gives up: starts the work of every
    /// call that needs some now. Returns as [`Engine::dial_pass`] does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn check_pass(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.inner.check_pass().await?)
    }

    /// One turn of the loop that watches: reads the clocks and what other processes decided, and puts
    /// in doubt what nobody settles any more. Returns as [`Engine::dial_pass`] does.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn watch_pass(&self) -> Result<Option<Timestamp>, EngineError> {
        Ok(self.inner.watch_pass().await?)
    }

    /// Whether this process can go on. What is wrong otherwise is mended by a new process alone: a store that is not
    /// trusted any more, or a loop that has come to a stand.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn health(&self) -> Result<(), String> {
        let inner = &self.inner;
        let boot = inner.time.boot();
        let loops = [
            ("dials", &inner.dial_alarm),
            ("asks the carrier", &inner.check_alarm),
            ("watches the clock", &inner.watch_alarm),
        ];
        for (does, alarm) in loops {
            if !alarm.is_turning(boot) {
                return Err(format!("the loop that {does} has come to a stand"));
            }
        }
        inner.store.health()
    }

    /// Stops: nothing new is begun, what is under way gets a few seconds.
    pub async fn stop(&self) {
        let inner = &self.inner;
        inner.stopping.cancel();
        inner.tasks.close();
        tokio::select! {
            biased;
            () = inner.tasks.wait() => {}
            () = inner.time.wait(STOP_WITHIN) => {
                let left = inner.tasks.len();
                tracing::warn!("stopped with {left} requests to the carrier under way; the next start settles them");
            }
        }
        inner.leave().await;
    }
}

impl Inner {
    /// One round of watching the clocks and what other processes decided.
    async fn watch_pass(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let has_jumped = self.time.measure(self.store.clock().await?);
        let now = self.time.now();
        let jump = self.time.jump();
        if has_jumped || jump.is_some() {
            // What was compared with the time before says nothing of the time that is believed next; answers that came
            // between the two readings were compared with the one before, too.
            self.gate.carrier_date_unknown(now);
        }
        self.gate.set_clock_jump(jump, now);
        if self.gate.cannot_try() {
            // Else nobody would, once no process reaches the carrier.
            self.compare_clocks().await;
        }
        self.check_in(now).await?;
        let switching = self.switching.lock().await;
        let dialling = self.store.dialling().await?;
        self.gate.set_paused(dialling.paused_at);
        self.follow_others(&dialling);
        drop(switching);
        if self.gate.is_skewed() {
            self.compare_clocks().await;
        }
        self.doubt_abandoned().await?;
        // Whatever has changed: the next look may be planned by another clock.
        self.dial_alarm.ring();
        self.check_alarm.ring();
        let soon = jump.is_some() || self.gate.is_skewed();
        Ok(Some(now + if soon { MEASURE_SOON } else { MEASURE_EVERY }))
    }

    /// Asks the carrier what time it is there; that it answers shows that it is within reach.
    pub(crate) async fn compare_clocks(&self) {
        let reply = self.carrier.ping().await;
        if reply.date.is_some() || reply.outcome.is_ok() {
            self.carrier_answered();
        }
        match (reply.date, reply.outcome) {
            (None, Ok(())) => self.gate.carrier_has_no_date(),
            (date, _) => self.see(date),
        }
    }

    /// Puts in doubt every permit that was granted long ago and that no task of this process has in
    /// hand: whoever had it ended before it wrote down what became of its request. Never sends.
    async fn doubt_abandoned(&self) -> Result<(), StoreError> {
        for (id, attempt) in self.store.granted().await? {
            if self.dialling.has(id) {
                continue;
            }
            let Some(call) = self.store.call(id).await? else {
                continue;
            };
            let CallState::Dialling {
                attempt: permitted,
                permit_at,
                ..
            } = call.state
            else {
                continue;
            };
            if permitted == attempt && self.time.now().since(permit_at) >= ABANDONED_AFTER {
                let why = "whoever held the permit ended before writing down what became of the request";
                tracing::error!(call.id = %id, attempt.number = attempt, "in doubt, the carrier is asked: {why}");
                self.apply(
                    id,
                    Input::InDoubt {
                        attempt,
                        why: why.to_owned(),
                    },
                )
                .await;
            }
        }
        Ok(())
    }
}
