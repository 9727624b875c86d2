//! The model store, as one process sees it: it can be told to fail, and it says what it was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::{Call, CallId, CallState, Input, Phone, Step, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, Page, Permitted,
    Record, Reported, Store, StoreError, Stray, Terms, Together,
};
use store_contract::model::Model;

use crate::clock::{ManualClock, START};
use crate::journal::{Entry, Journal};
use crate::process::Process;

/// What a store is asked for, as far as tests make it fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// The time.
    Clock,
    /// To take a call.
    Accept,
    /// For a permit.
    Permit,
    /// To take a step.
    Apply,
    /// To take a fact.
    Report,
    /// For the due calls.
    Due,
    /// For the calls to be looked at.
    Check,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It says so, and has done nothing.
    Fails,
    /// It says so, although it has done what it was asked for.
    FailsAfter,
    /// Whoever asks panics.
    Panics,
    /// Whoever asks panics, although it has done what it was asked for.
    PanicsAfter,
    /// It never answers, and has done nothing.
    Hangs,
}

/// A store that can be told to fail. Clones are one store, each as its process sees it.
#[derive(Clone)]
pub struct TroubledStore {
    shared: Arc<Shared>,
    process: Process,
    /// This process's own handle, where several dial together.
    own: Option<Arc<Model>>,
}

struct Shared {
    model: Model,
    clock: ManualClock,
    journal: Journal,
    troubles: Mutex<HashMap<Op, (Trouble, u32)>>,
    /// By how many milliseconds its clock is wrong.
    wrong_by: Mutex<i64>,
    broken: Mutex<Option<String>>,
}

impl TroubledStore {
    /// An empty store that tells the time of `clock`.
    pub(crate) fn new(clock: ManualClock, journal: Journal, process: Process) -> TroubledStore {
        let shared = Shared {
            model: Model::new(START),
            clock,
            journal,
            troubles: Mutex::default(),
            wrong_by: Mutex::default(),
            broken: Mutex::default(),
        };
        TroubledStore {
            shared: Arc::new(shared),
            process,
            own: None,
        }
    }

    /// The same store as another process sees it.
    pub(crate) fn seen_by(&self, process: Process) -> TroubledStore {
        TroubledStore {
            shared: Arc::clone(&self.shared),
            process,
            own: None,
        }
    }

    /// The same store as a process sees it which dials together with others.
    pub(crate) fn seen_beside(&self, process: Process) -> TroubledStore {
        TroubledStore {
            own: Some(Arc::new(self.shared.model.join())),
            ..self.seen_by(process)
        }
    }

    /// The next `times` that it is asked for `op`, this happens instead.
    pub fn trouble(&self, op: Op, trouble: Trouble, times: u32) {
        self.shared
            .troubles
            .lock()
            .expect("nobody panics while holding it")
            .insert(op, (trouble, times));
    }

    /// From now on its clock is wrong by `millis`.
    pub fn clock_is_wrong_by(&self, millis: i64) {
        *self
            .shared
            .wrong_by
            .lock()
            .expect("nobody panics while holding it") = millis;
    }

    /// From now on it cannot be trusted with another write, for this reason; or it can.
    pub fn is_broken(&self, reason: Option<&str>) {
        *self.shared.broken.lock().expect("nobody panics while holding it") = reason.map(str::to_owned);
    }

    async fn ask<T>(
        &self,
        op: Op,
        done: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.process.alive().await;
        let trouble = self.next_trouble(op);
        let fails = || Err(StoreError::broken(format!("{op:?} fails, as it was told to")));
        match trouble {
            None => done.await,
            Some(Trouble::Fails) => fails(),
            Some(Trouble::Panics) => panic!("{op:?} panics, as it was told to"),
            Some(Trouble::FailsAfter) => {
                done.await?;
                fails()
            }
            Some(Trouble::Hangs) => std::future::pending().await,
            Some(Trouble::PanicsAfter) => {
                done.await?;
                panic!("{op:?} panics afterwards, as it was told to")
            }
        }
    }

    fn next_trouble(&self, op: Op) -> Option<Trouble> {
        let mut troubles = self
            .shared
            .troubles
            .lock()
            .expect("nobody panics while holding it");
        let (trouble, times) = troubles.get_mut(&op)?;
        let trouble = *trouble;
        *times -= 1;
        if *times == 0 {
            troubles.remove(&op);
        }
        Some(trouble)
    }

    fn note_grant(&self, call: &Call) {
        if let CallState::Dialling { attempt, .. } = call.state {
            self.note(Entry::Granted(call.id, attempt));
        }
    }

    fn note(&self, entry: Entry) {
        self.shared.journal.note(self.shared.clock.now(), entry);
    }

    fn model(&self) -> &Model {
        self.own.as_deref().unwrap_or(&self.shared.model)
    }

    /// The model, for a process that is not dead.
    pub(crate) async fn alive_model(&self) -> &Model {
        self.process.alive().await;
        self.model()
    }
}

/// The outcome of a dial, in a word; nothing for other steps.
fn outcome(input: &Input) -> Option<&'static str> {
    match input {
        Input::NotSent { .. } => Some("not sent"),
        Input::Placed { .. } => Some("placed"),
        Input::Refused { .. } => Some("refused"),
        Input::InDoubt { .. } => Some("in doubt"),
        _ => None,
    }
}

#[async_trait]
impl Store for TroubledStore {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        let wrong_by = *self
            .shared
            .wrong_by
            .lock()
            .expect("nobody panics while holding it");
        let shown = Timestamp::from_millis(self.shared.clock.now().millis() + wrong_by);
        self.ask(Op::Clock, async { Ok(shown) }).await
    }

    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError> {
        let accepted = async {
            let accepted = self.model().accept(new, at).await?;
            if let Accepted::New(call) = &accepted {
                self.note_grant(call);
            }
            Ok(accepted)
        };
        self.ask(Op::Accept, accepted).await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.alive_model().await.import(calls, at).await
    }

    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        let permitted = async {
            let permitted = self.model().permit(id, terms, at).await?;
            if let Permitted::Granted(call) = &permitted {
                self.note_grant(call);
            }
            Ok(permitted)
        };
        self.ask(Op::Permit, permitted).await
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        let outcome = outcome(&input);
        let applied = async {
            let applied = self.model().apply(id, input, at).await?;
            if let (Applied::Done(_), Some(outcome)) = (&applied, outcome) {
                self.note(Entry::Stored(id, outcome));
            }
            Ok(applied)
        };
        self.ask(Op::Apply, applied).await
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        self.ask(Op::Report, self.model().report(stray, at)).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.ask(Op::Due, self.model().due(now, limit)).await
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.alive_model().await.next_due(after).await
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.ask(Op::Check, self.model().to_check(now, limit)).await
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.alive_model().await.next_check(after).await
    }

    async fn put_off_checks(&self, calls: Vec<CallId>) -> Result<(), StoreError> {
        self.alive_model().await.put_off_checks(calls).await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.alive_model().await.granted().await
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.alive_model().await.in_doubt().await
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<Call>, StoreError> {
        self.alive_model().await.unsettled(from, to).await
    }

    async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        self.alive_model().await.call(id).await
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        self.alive_model().await.record(user, id).await
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.alive_model().await.page(query).await
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        self.alive_model().await.dialling().await
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        self.alive_model().await.set_paused(paused, now).await
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        self.alive_model().await.set_account_hold(hold).await
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.alive_model().await.set_restored(copied_at).await
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        self.alive_model().await.depths(now).await
    }

    fn health(&self) -> Result<(), String> {
        let broken = self.shared.broken.lock().expect("nobody panics while holding it");
        broken.clone().map_or(Ok(()), Err)
    }

    fn together(&self) -> Option<&dyn Together> {
        self.own.as_ref().map(|_| self as &dyn Together)
    }
}
