//! A store in memory that fails on request.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::{Call, CallId, Input, Phone, Step, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, Page, Permitted,
    Record, Reported, Store, StoreError, Stray, Terms,
};
use store_contract::model::Model;

/// How a store fails.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Busy,
    Full,
    Broken,
}

/// The store.
pub struct FaultyStore {
    model: Model,
    fault: Mutex<Option<Fault>>,
}

impl FaultyStore {
    pub fn new(clock: Timestamp) -> FaultyStore {
        FaultyStore {
            model: Model::new(clock),
            fault: Mutex::new(None),
        }
    }

    /// From now on everything fails so; `None`: nothing does.
    pub fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().expect("nobody panics here") = fault;
    }

    fn sound(&self) -> Result<&Model, StoreError> {
        match *self.fault.lock().expect("nobody panics here") {
            None => Ok(&self.model),
            Some(Fault::Busy) => Err(StoreError::Busy),
            Some(Fault::Full) => Err(StoreError::Full("no space left".into())),
            Some(Fault::Broken) => Err(StoreError::broken("a secret detail")),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        self.sound()?.clock().await
    }

    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError> {
        self.sound()?.accept(new, at).await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.sound()?.import(calls, at).await
    }

    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        self.sound()?.permit(id, terms, at).await
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        self.sound()?.apply(id, input, at).await
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        self.sound()?.report(stray, at).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.sound()?.due(now, limit).await
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.sound()?.next_due(after).await
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.sound()?.to_check(now, limit).await
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.sound()?.next_check(after).await
    }

    async fn put_off_checks(&self, calls: Vec<CallId>) -> Result<(), StoreError> {
        self.sound()?.put_off_checks(calls).await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.sound()?.granted().await
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.sound()?.in_doubt().await
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<Call>, StoreError> {
        self.sound()?.unsettled(from, to).await
    }

    async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        self.sound()?.call(id).await
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        self.sound()?.record(user, id).await
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.sound()?.page(query).await
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        self.sound()?.dialling().await
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        self.sound()?.set_paused(paused, now).await
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        self.sound()?.set_account_hold(hold).await
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.sound()?.set_restored(copied_at).await
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        self.sound()?.depths(now).await
    }

    fn health(&self) -> Result<(), String> {
        self.sound().map(|_| ()).map_err(|error| error.to_string())
    }
}
