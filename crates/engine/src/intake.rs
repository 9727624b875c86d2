//! What programs ask for: a call, a record, a page, a cancel, a pause.

use std::sync::Arc;
use std::time::Duration;

use carrier::Line;
use domain::{Call, CallId, CallState, Hold, HoldReason, Input, Refusal, Request, Timestamp, UserId};
use store::{Accepted, Applied, Depths, Dialling, Key, ListQuery, NewCall, Page, Record, StoreError};
use tokio::sync::oneshot;

use crate::dispatcher::CONNECT_WITHIN;
use crate::error::EngineError;
use crate::outcomes::is_decided;
use crate::pace::Slot;
use crate::scheduler::DIALS_AT_ONCE;
use crate::{Engine, Inner, crash};

/// How long a request for a call waits for its first dial to be decided.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Whoever asks is told after this long that it is not known whether the call is stored: a database that is cut
/// off may answer much later, or never.
const STORED_WITHIN: Duration = Duration::from_secs(6);
/// The first try to connect gets this long before the call is stored without a permit: whatever the
/// carrier does, the call is durable before its request is answered.
const CONNECT_BEFORE_STORING: Duration = Duration::from_secs(2);

/// What became of a request for a call.
#[derive(Debug)]
pub enum Taken {
    /// The call as it stands: placed, refused, or not decided yet.
    Call(Arc<Call>),
    /// The idempotency key belongs to another request.
    KeyTaken,
}

/// What became of a wish to cancel.
#[derive(Debug)]
pub enum Canceled {
    /// The call as it stands: it is not dialled any more, and hung up if it is live.
    Call(Box<Call>),
    /// It had ended otherwise before.
    AlreadyOver(Box<Call>),
    /// The user has no such call.
    NoSuchCall,
}

/// Whether calls are dialled now, and why not.
#[derive(Debug)]
pub struct Readiness {
    /// What stands in the way of all dials.
    pub hold: Option<Hold>,
    /// Why the store cannot be trusted.
    pub store: Option<String>,
}

impl Engine {
    /// Takes a call and waits a few seconds for what becomes of its first dial. The engine dials, not
    /// the request: a client that goes away changes nothing.
    ///
    /// # Errors
    /// When the store fails, before anything is stored.
    pub async fn request(&self, request: Request, key: Option<Key>) -> Result<Taken, EngineError> {
        if self.inner.stopping.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        let inner = Arc::clone(&self.inner);
        let until = inner.time.boot() + ANSWER_WITHIN;
        let id = CallId::new(inner.time.now(), inner.dice.id_bits());
        let (stored, answer) = oneshot::channel();
        let decided = inner.outcomes.watch(id);
        inner
            .tasks
            .spawn(Arc::clone(&inner).take_call(id, request, key, stored));
        let accepted = tokio::select! {
            biased;
            accepted = answer => accepted.map_err(|_| EngineError::Stopping),
            () = inner.time.wait(STORED_WITHIN) => {
                Err(StoreError::broken("the database has not answered in time").into())
            }
        };
        let call = match accepted {
            Ok(Ok(Accepted::New(call))) => inner.wait_for_decision(call, decided, until).await?,
            other => {
                drop(decided);
                inner.outcomes.forget(id);
                match other?? {
                    Accepted::New(call) => call,
                    Accepted::Repeat(call) => {
                        let decided = inner.outcomes.watch(call.id);
                        // It may have been decided between the answer of the store and the watch.
                        let call = inner.store.call(call.id).await?.map_or(call, Arc::new);
                        inner.wait_for_decision(call, decided, until).await?
                    }
                    Accepted::KeyTaken => return Ok(Taken::KeyTaken),
                }
            }
        };
        Ok(Taken::Call(call))
    }

    /// One call of a user, with its history.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, EngineError> {
        Ok(self.inner.store.record(user, id).await?)
    }

    /// A page of a user's calls.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(&self, query: ListQuery) -> Result<Page, EngineError> {
        Ok(self.inner.store.page(query).await?)
    }

    /// What a call is waiting for, the obstacles of all dials included.
    pub fn waiting_for(&self, call: &Call) -> Option<Hold> {
        let now = self.inner.time.now();
        let own = call.waiting_for(now);
        match call.state {
            CallState::Waiting { due_at, .. } if due_at <= now => {
                let common = self.inner.gate.waits_for(now);
                let common = common.map(|hold| Hold {
                    since: hold.since.max(due_at),
                    ..hold
                });
                // A pause stands before everything else; a call's own obstacle before the others.
                match common {
                    Some(hold) if hold.reason == HoldReason::Paused => Some(hold),
                    common => own
                        .filter(|own| own.until.is_some_and(|until| until > now))
                        .or(common),
                }
            }
            CallState::Waiting { .. } => match self.inner.gate.obstacle(now) {
                Some(hold) if hold.reason == HoldReason::Paused => Some(hold),
                _ => own,
            },
            CallState::Dialling { permit_at, .. } => Some(Hold {
                reason: HoldReason::Carrier,
                since: permit_at,
                until: None,
                message: "the request is on its way and the carrier has not answered yet".to_owned(),
            }),
            CallState::Live | CallState::Ended { .. } => own,
        }
    }

    /// Cancels a call: never dialled again, hung up if it is live.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn cancel(&self, user: &UserId, id: CallId) -> Result<Canceled, EngineError> {
        let inner = &self.inner;
        let owned = inner
            .store
            .call(id)
            .await?
            .is_some_and(|call| call.request.user_id == *user);
        if !owned {
            return Ok(Canceled::NoSuchCall);
        }
        let applied = inner.store.apply(id, Input::Cancel, inner.at()).await?;
        crash::point("cancel.committed");
        Ok(match applied {
            Applied::Done(call) => {
                if call.is_over() {
                    inner.metrics.stopped(&call);
                }
                inner.changed(&call);
                Canceled::Call(Box::new(call))
            }
            Applied::Refused(call, Refusal::AlreadyKnown) => Canceled::Call(Box::new(call)),
            Applied::Refused(call, _) => Canceled::AlreadyOver(Box::new(call)),
            Applied::NoSuchCall => Canceled::NoSuchCall,
        })
    }

    /// Stops all dialling, durably; what is live goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pause(&self) -> Result<Dialling, EngineError> {
        self.set_paused(true).await
    }

    /// Lets dialling go on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resume(&self) -> Result<Dialling, EngineError> {
        self.set_paused(false).await
    }

    async fn set_paused(&self, paused: bool) -> Result<Dialling, EngineError> {
        let inner = &self.inner;
        let switching = inner.switching.lock().await;
        let dialling = inner.store.set_paused(paused, inner.time.now()).await?;
        inner.gate.set_paused(dialling.paused_at);
        drop(switching);
        inner.dial_alarm.ring();
        Ok(dialling)
    }

    /// Whether calls are dialled now, and why not.
    pub fn readiness(&self) -> Readiness {
        let now = self.inner.time.now();
        let serious = |hold: &Hold| !matches!(hold.reason, HoldReason::Pace | HoldReason::LiveLimit);
        Readiness {
            hold: self.inner.gate.waits_for(now).filter(serious),
            store: self.inner.store.health().err(),
        }
    }

    /// How much there is of each kind of work.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn depths(&self) -> Result<Depths, EngineError> {
        Ok(self.inner.store.depths(self.inner.time.now()).await?)
    }

    /// The figures of this process, in the text form of OpenMetrics, with the depths of the queues.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn metrics(&self) -> Result<String, EngineError> {
        let depths = self.depths().await?;
        Ok(self.inner.metrics.text(&depths))
    }
}

impl Inner {
    /// Stores a call and, where nothing stands in its way, dials it: connect, then call, key and
    /// permit in one commit, then the request.
    async fn take_call(
        self: Arc<Self>,
        id: CallId,
        request: Request,
        key: Option<Key>,
        stored: oneshot::Sender<Result<Accepted, StoreError>>,
    ) {
        crash::point("request.taken");
        let ready = self.ready_to_dial(&request).await;
        // In hand before there is a permit: nobody else settles it.
        let in_hand = ready.as_ref().and_then(|_| self.dialling.take(id));
        let asked_at = self.time.boot();
        let permit = ready.as_ref().map(|(slot, _)| self.terms(slot, None));
        let accepted = self
            .store
            .accept(
                NewCall {
                    id,
                    request,
                    key,
                    permit,
                },
                self.at(),
            )
            .await;
        crash::point("accept.committed");
        let taken = match &accepted {
            Ok(Accepted::New(call)) => Some(Arc::clone(call)),
            _ => None,
        };
        // Whoever asked may be gone; the call is not.
        let _ = stored.send(accepted);
        if taken.is_some() {
            self.metrics.accepted.inc();
        }
        match (ready, taken) {
            (Some((slot, line)), Some(call)) if matches!(call.state, CallState::Dialling { .. }) => {
                slot.spend();
                self.permit_granted();
                self.send(&call, line, asked_at).await;
                let was_full = self.dialling.count() >= DIALS_AT_ONCE;
                drop(in_hand);
                if was_full {
                    self.dial_alarm.ring();
                }
            }
            (ready, taken) => {
                if let Some((slot, _)) = ready {
                    self.give_back(slot);
                }
                drop(in_hand);
                if let Some(call) = taken {
                    // Only now may the scheduler take it.
                    self.changed(&call);
                }
            }
        }
    }

    /// A slot of the pace and an open connection, if the call may be dialled this very moment and no
    /// call that has been due for longer waits for the same.
    async fn ready_to_dial(&self, request: &Request) -> Option<(Slot, Box<dyn Line>)> {
        let now = self.time.now();
        if request.scheduled_at.is_some_and(|at| at > now) || !self.front.is_clear(now) {
            return None;
        }
        let ready = self.connect_at_once(now).await;
        if ready.is_none() {
            self.front.left_waiting();
        }
        ready
    }

    async fn connect_at_once(&self, now: Timestamp) -> Option<(Slot, Box<dyn Line>)> {
        if self.dialling.count() >= DIALS_AT_ONCE || self.obstacle(now).is_some() {
            return None;
        }
        // A store that fails says so to the caller, where the call is to be stored.
        self.stock_up(1, now).await.ok()?;
        let slot = match self.slot(now) {
            Ok(slot) => slot,
            Err(until) => {
                self.gate.pace_reached(until, now);
                return None;
            }
        };
        self.gate.enter(now).ok()?;
        match self
            .carrier
            .connect(CONNECT_BEFORE_STORING.min(CONNECT_WITHIN))
            .await
        {
            Ok(line) => {
                self.carrier_answered();
                (!self.stopping.is_cancelled()).then_some((slot, line))
            }
            Err(error) => {
                self.give_back(slot);
                self.gate
                    .carrier_failed(error.to_string(), self.time.now(), self.dice.throw());
                self.metrics.unreachable.inc();
                None
            }
        }
    }

    /// Waits until the call's first dial is decided, until it is clear that it may not go yet, or
    /// until the time is up; then says how it stands.
    async fn wait_for_decision(
        &self,
        call: Arc<Call>,
        decided: oneshot::Receiver<Arc<Call>>,
        until: Duration,
    ) -> Result<Arc<Call>, EngineError> {
        let told = if is_decided(&call) || self.may_not_go(&call) {
            drop(decided);
            Some(Arc::clone(&call))
        } else {
            self.hear(call.id, decided, until).await
        };
        self.outcomes.forget(call.id);
        match told {
            Some(call) => Ok(call),
            // The call is stored whatever a reading of it says: its asker must not believe otherwise.
            None => Ok(self
                .store
                .call(call.id)
                .await
                .ok()
                .flatten()
                .map_or(call, Arc::new)),
        }
    }

    /// Whether something known stands between this call and its dial: then nobody need wait for it.
    fn may_not_go(&self, call: &Call) -> bool {
        let now: Timestamp = self.time.now();
        match call.state {
            CallState::Waiting { due_at, .. } => {
                let obstacle = || {
                    self.obstacle(now)
                        .is_some_and(|hold| hold.reason != HoldReason::Carrier)
                };
                due_at > now || call.hold.is_some() || obstacle()
            }
            _ => false,
        }
    }
}
