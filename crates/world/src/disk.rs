//! The store as one process's engine sees it: it fails, it is slow, the process dies round its writes; and every write is
//! looked at by the checks as soon as it is committed. The store inside runs to its end at once, whatever threads it has,
//! so that a run is the same every time.

mod look;
mod together;
mod turn;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{Call, CallId, CallState, Input, Phone, Step, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, Page, Permitted,
    Record, Reported, Store, StoreError, Stray, Terms, Together,
};

use crate::check::Told;
use crate::hub::Hub;
use crate::life::Life;
use crate::step::Kind;

pub use look::{finish, look};
pub use together::shared;

/// The store of one process.
pub struct Disk {
    inner: Arc<dyn Store>,
    hub: Arc<Hub>,
    life: Arc<Life>,
}

impl Disk {
    /// A watched store.
    pub fn new(inner: Arc<dyn Store>, hub: &Arc<Hub>, life: &Arc<Life>) -> Disk {
        Disk {
            inner,
            hub: Arc::clone(hub),
            life: Arc::clone(life),
        }
    }

    /// A permit was granted, if this call has one now.
    fn granted(&self, call: &Call) -> Option<CallId> {
        if matches!(call.state, CallState::Dialling { .. }) {
            let live = finish(self.inner.dialling()).map_or(0, |dialling| dialling.live);
            let mut state = self.hub.lock();
            let (now_ms, who) = (state.now_ms(), self.life.who);
            state.tell(|| format!("node {} is granted a permit for {}", who.node, call.id));
            let state = &mut *state;
            state.checks.grants(now_ms, who, call, live, &mut state.goals);
        }
        Some(call.id)
    }

    /// What an input did is about to be looked at: who may have done it?
    fn done(&self, id: CallId, input: &Input) {
        let mut state = self.hub.lock();
        let state = &mut *state;
        let (now_ms, who) = (state.now_ms(), self.life.who);
        match input {
            Input::NotSent { attempt, .. } => state.checks.gives_back(who, (id, *attempt), &mut state.goals),
            Input::InDoubt { attempt, why } => {
                let dial = (id, *attempt);
                state
                    .checks
                    .puts_in_doubt(now_ms, who, dial, why, &mut state.goals);
            }
            _ => {}
        }
    }
}

#[async_trait]
impl Store for Disk {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        self.begin(false).await?;
        let now = {
            let state = self.hub.lock();
            i64::try_from(state.now_ms()).unwrap_or(0) + state.wrong_by[self.life.who.node]
        };
        if self.inner.together().is_some() {
            // It was true when it left the server.
            self.dawdle().await;
        }
        Ok(Timestamp::from_millis(now))
    }

    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError> {
        let (id, user) = (new.id, new.request.user_id.clone());
        self.stir();
        self.write(
            Kind::Request,
            self.inner.accept(new, at),
            |accepted| match accepted {
                Accepted::New(call) => {
                    self.hub.lock().checks.accepts(id, &user);
                    self.granted(call)
                }
                Accepted::Repeat(_) | Accepted::KeyTaken => None,
            },
        )
        .await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.write(Kind::Other, self.inner.import(calls, at), |_| None)
            .await
    }

    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        let permit = self.inner.permit(id, terms, at);
        let permitted = self
            .write(Kind::Due, permit, |permitted| match permitted {
                Permitted::Granted(call) => self.granted(call),
                Permitted::Held(call) => Some(call.id),
                Permitted::Refused(refusal) => {
                    self.hub.lock().goals.refused(Kind::Due, refusal);
                    None
                }
                Permitted::Paused | Permitted::LiveLimit => None,
            })
            .await;
        if matches!(permitted, Ok(Permitted::Granted(_))) {
            self.hang().await;
        }
        permitted
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        let (kind, copy) = (Kind::of(&input), input.clone());
        let applied = self
            .write(kind, self.inner.apply(id, input, at), |applied| {
                match applied {
                    Applied::Done(_) => self.done(id, &copy),
                    Applied::Refused(_, refusal) => self.hub.lock().goals.refused(kind, refusal),
                    Applied::NoSuchCall => {}
                }
                Some(id)
            })
            .await;
        if let (Ok(_), Input::Placed { attempt, sid }) = (&applied, &copy) {
            self.hub.lock().checks.answer_kept((id, *attempt), sid);
        }
        applied
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        let named = stray.named.map(|(id, _)| id);
        self.write(
            Kind::Fact,
            self.inner.report(stray, at),
            |reported| match reported {
                Reported::Applied(call) | Reported::Known(call) => Some(call.id),
                Reported::Orphan | Reported::Misdirected => named,
            },
        )
        .await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let due = self.read(self.inner.due(now, limit)).await?;
        self.told(now, Told::Dial, due.iter().map(|due| due.id));
        Ok(due)
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(self.inner.next_due(after)).await
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        let calls = self.read(self.inner.to_check(now, limit)).await?;
        self.told(now, Told::Look, calls.iter().map(|call| call.id));
        Ok(calls)
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.read(self.inner.next_check(after)).await
    }

    async fn put_off_checks(&self, calls: Vec<CallId>) -> Result<(), StoreError> {
        self.write(Kind::Other, self.inner.put_off_checks(calls), |()| None)
            .await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.read(self.inner.granted()).await
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.read(self.inner.in_doubt()).await
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
        self.stir();
        self.write(Kind::Other, self.inner.set_paused(paused, now), |_| None)
            .await
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        self.stir();
        self.write(Kind::Other, self.inner.set_account_hold(hold), |()| None)
            .await
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.stir();
        self.write(Kind::Other, self.inner.set_restored(copied_at), |()| None)
            .await
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        self.read(self.inner.depths(now)).await
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }

    fn together(&self) -> Option<&dyn Together> {
        self.inner.together().map(|_| self as &dyn Together)
    }
}
