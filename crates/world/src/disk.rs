//! The store as the engine sees it: it fails, it is slow, the process dies round its writes; and every write is looked
//! at by the checks as soon as it is committed. The store inside runs to its end at once, whatever threads it has, so
//! that a run is the same every time.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use async_trait::async_trait;
use domain::{Call, CallId, CallState, Input, Phone, Step, Timestamp, UserId};
use engine::clock::Clock as _;
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, Page, Permitted,
    Record, Reported, Store, StoreError, Stray, Terms,
};

use crate::bug::{self, Bug};
use crate::fault::Fault;
use crate::hub::Hub;

/// The store of one process.
pub struct Disk {
    inner: Arc<dyn Store>,
    hub: Arc<Hub>,
    bug: Option<Bug>,
}

impl Disk {
    /// A watched store.
    pub fn new(inner: Arc<dyn Store>, hub: &Arc<Hub>, bug: Option<Bug>) -> Disk {
        Disk {
            inner,
            hub: Arc::clone(hub),
            bug,
        }
    }

    async fn read<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.begin(false).await?;
        finish(work)
    }

    /// Writes; `touched` says which call has changed by it.
    async fn write<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
        touched: impl FnOnce(&T) -> Option<CallId>,
    ) -> Result<T, StoreError> {
        self.begin(true).await?;
        let done = finish(work)?;
        if let Some(id) = touched(&done) {
            look(&*self.inner, &self.hub, id);
        }
        self.end().await?;
        Ok(done)
    }

    async fn begin(&self, writes: bool) -> Result<(), StoreError> {
        self.hub.alive().await;
        let (dies, fails, slow) = {
            let mut state = self.hub.lock();
            let dies = writes && state.strikes(Fault::CrashBeforeWrite);
            let fails = state.strikes(Fault::StoreFails);
            let slow = state.strikes(Fault::StoreSlow).then(|| state.millis(1, 3_000));
            (dies, fails, slow)
        };
        if let Some(gap) = slow {
            self.hub.clock.wait(gap).await;
            self.hub.alive().await;
        }
        if dies {
            self.hub.dies(Fault::CrashBeforeWrite).await;
        }
        if fails {
            return Err(StoreError::broken("the disk does not answer"));
        }
        Ok(())
    }

    async fn end(&self) -> Result<(), StoreError> {
        let (dies, fails, slow) = {
            let mut state = self.hub.lock();
            let dies = state.strikes(Fault::CrashAfterWrite);
            let fails = state.strikes(Fault::StoreFailsAfter);
            let slow = state.strikes(Fault::StoreSlow).then(|| state.millis(1, 3_000));
            (dies, fails, slow)
        };
        if dies {
            self.hub.dies(Fault::CrashAfterWrite).await;
        }
        if let Some(gap) = slow {
            self.hub.clock.wait(gap).await;
            self.hub.alive().await;
        }
        if fails {
            return Err(StoreError::broken("the disk did not say that it has written"));
        }
        Ok(())
    }

    /// A permit was granted, if this call has one now.
    fn granted(&self, call: &Call) -> Option<CallId> {
        if matches!(call.state, CallState::Dialling { .. }) {
            let live = finish(self.inner.dialling()).map_or(0, |dialling| dialling.live);
            let mut state = self.hub.lock();
            let now_ms = state.now_ms();
            state.tell(|| format!("a permit is granted to {}", call.id));
            state.checks.grants(now_ms, call, live);
        }
        Some(call.id)
    }
}

#[async_trait]
impl Store for Disk {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        self.begin(false).await?;
        let state = self.hub.lock();
        let now = i64::try_from(state.now_ms()).unwrap_or(0) + state.wrong_by;
        Ok(Timestamp::from_millis(now))
    }

    async fn accept(&self, mut new: NewCall, at: At) -> Result<Accepted, StoreError> {
        bug::spoil_new(self.bug, &mut new);
        let (id, user) = (new.id, new.request.user_id.clone());
        if self.bug == Some(Bug::CallNotKept) && at.dice.is_multiple_of(8) {
            let step = domain::step::accept(id, new.request, at.now);
            return Ok(Accepted::New(Arc::new(step.call)));
        }
        self.write(self.inner.accept(new, at), |accepted| match accepted {
            Accepted::New(call) => {
                self.hub.lock().checks.accepts(id, &user);
                self.granted(call)
            }
            Accepted::Repeat(_) | Accepted::KeyTaken => None,
        })
        .await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.write(self.inner.import(calls, at), |_| None).await
    }

    async fn permit(&self, id: CallId, mut terms: Terms, at: At) -> Result<Permitted, StoreError> {
        if self.bug == Some(Bug::PaceForgotten) {
            terms.pace_clear_at = Timestamp::from_millis(0);
        }
        self.write(self.inner.permit(id, terms, at), |permitted| match permitted {
            Permitted::Granted(call) => self.granted(call),
            Permitted::Held(call) => Some(call.id),
            Permitted::Paused | Permitted::LiveLimit | Permitted::Refused(_) => None,
        })
        .await
    }

    async fn apply(&self, id: CallId, mut input: Input, at: At) -> Result<Applied, StoreError> {
        bug::spoil_input(self.bug, &mut input);
        if self.bug == Some(Bug::CancelNotKept) && input == Input::Cancel {
            let call = self.inner.call(id).await?;
            return Ok(call.map_or(Applied::NoSuchCall, Applied::Done));
        }
        if let Input::InDoubt { attempt, .. } = &input {
            self.hub.lock().checks.doubtful(Some((id, *attempt)));
        }
        self.write(self.inner.apply(id, input, at), |_| Some(id)).await
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        let named = stray.named.map(|(id, _)| id);
        if self.bug == Some(Bug::CallbackNotStored) {
            return Ok(Reported::Orphan);
        }
        self.write(self.inner.report(stray, at), |reported| match reported {
            Reported::Applied(call) | Reported::Known(call) => Some(call.id),
            Reported::Orphan | Reported::Misdirected => named,
        })
        .await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.read(self.inner.due(now, limit)).await
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(self.inner.next_due(after)).await
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.read(self.inner.to_check(now, limit)).await
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(self.inner.next_check(after)).await
    }

    async fn put_off_checks(&self, calls: Vec<CallId>) -> Result<(), StoreError> {
        self.write(self.inner.put_off_checks(calls), |()| None).await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        if self.bug == Some(Bug::GrantedForgotten) {
            return Ok(Vec::new());
        }
        self.read(self.inner.granted()).await
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<Call>, StoreError> {
        self.read(self.inner.unsettled(from, to)).await
    }

    async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        self.read(self.inner.call(id)).await
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        self.read(self.inner.record(user, id)).await
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.read(self.inner.page(query)).await
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        self.read(self.inner.dialling()).await
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        if self.bug == Some(Bug::PauseNotKept) && paused {
            let dialling = self.inner.dialling().await?;
            return Ok(Dialling {
                paused_at: Some(now),
                ..dialling
            });
        }
        self.write(self.inner.set_paused(paused, now), |_| None).await
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        self.write(self.inner.set_account_hold(hold), |()| None).await
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(self.inner.set_restored(copied_at), |()| None).await
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        self.read(self.inner.depths(now)).await
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }
}

/// Shows a call as it stands to the checks.
pub fn look(store: &dyn Store, hub: &Hub, id: CallId) {
    let Some(user) = hub.lock().checks.user_of(id) else {
        return;
    };
    if let Ok(Some(record)) = finish(store.record(&user, id)) {
        let mut state = hub.lock();
        let now_ms = state.now_ms();
        state.checks.stands(now_ms, record);
    }
}

/// Runs a future to its end on this thread, which sleeps while another works for it.
pub fn finish<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    // A task's budget of wake-ups is no reason to wait here.
    let mut work = pin!(tokio::task::coop::unconstrained(work));
    let first = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    if let Poll::Ready(done) = first {
        return done;
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        std::thread::park();
    }
}
