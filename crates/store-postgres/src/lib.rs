//! The store for several nodes: one PostgreSQL database, used by any number of processes at once.
//!
//! A method that changes a call is a closure handed to `writer`, which groups what is waiting into
//! one transaction. Nothing is remembered between transactions: what a decision stands on is read
//! and locked in the transaction that writes it, and what must be unique is so by an index. What
//! decides is in `domain`; what a row looks like is here and nowhere else. Opened by the program
//! that wires the parts together; everything else sees [`store::Store`].

mod calls;
mod claims;
mod clock;
mod connect;
mod dialling;
mod epoch;
mod error;
mod examine;
mod flush;
mod foresight;
mod imports;
mod load;
mod lock;
mod migrate;
mod news;
mod open;
mod pages;
mod prune;
mod right;
mod shared;
mod transaction;
mod transfer;
mod tx;
mod writer;

use async_trait::async_trait;
use domain::step::{Input, Step};
use domain::{Call, CallId, Phone, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, News, Page,
    PermitState, Permitted, Record, Reported, Store, StoreError, Stray, Terms, Together, work,
};

use connect::Pool;
use error::Fault;
pub use examine::{Examination, Server, examine};
pub use prune::{Pruned, prune};
use right::Right;
pub use right::{Durability, Purpose};
use shared::Shared;
pub use transfer::PostgresSide;
use tx::Tx;
use writer::Writer;

/// A database and this process's connections to it. Dropping it finishes what waits and closes them.
pub struct PostgresStore {
    writer: Writer,
    readers: Pool,
    right: Right,
    node: i64,
    /// Where this process dials.
    shared: Option<Shared>,
}

/// A number of things as SQL takes it.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Store for PostgresStore {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        clock::now(&self.readers).await.map_err(Fault::into_store)
    }

    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError> {
        let right = self.right;
        self.writer
            .asked(move |tx| {
                foresight::accept(tx, &new, at.now);
                let accepted = work::accept(tx, &new, &at, right)?;
                if matches!(&accepted, Accepted::New(call) if call.due_at().is_some_and(|due| due <= at.now))
                {
                    tx.tell(News::Due);
                }
                Ok(accepted)
            })
            .await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.writer
            .alone(move |tx| imports::import(tx, &calls, &at))
            .await
    }

    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        let right = self.right;
        self.writer
            .asked(move |tx| {
                foresight::permit(tx, &terms);
                work::permit(tx, id, &terms, &at, right)
            })
            .await
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        if let Input::Due { .. } = input {
            return Err(StoreError::broken("a dial is sent with a permit, never without"));
        }
        let happened = work::has_happened(&input);
        let apply = move |tx: &mut Tx| {
            foresight::apply(tx, id, &input);
            work::apply(tx, id, &input, &at)
        };
        if happened {
            self.writer.happened(apply).await
        } else {
            self.writer.asked(apply).await
        }
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        self.writer
            .happened(move |tx| work::report(tx, &stray, &at))
            .await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let due = claims::due(&self.readers, self.node, now, rows(limit)).await;
        due.map_err(Fault::into_store)
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next = claims::next_due(&self.readers, after).await;
        next.map_err(Fault::into_store)
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        let calls = claims::to_check(&self.readers, self.node, now, rows(limit)).await;
        calls.map_err(Fault::into_store)
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next = calls::next_check(&self.readers, after).await;
        next.map_err(Fault::into_store)
    }

    async fn put_off_checks(&self, ids: Vec<CallId>) -> Result<(), StoreError> {
        let work = move |tx: &mut Tx| {
            ids.iter().for_each(|id| tx.want_call(*id));
            ids.iter().try_for_each(|id| calls::put_off_check(tx, *id))
        };
        self.writer.asked(work).await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        let granted = claims::undecided(&self.readers, PermitState::Granted).await;
        granted.map_err(Fault::into_store)
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        let in_doubt = claims::undecided(&self.readers, PermitState::InDoubt).await;
        in_doubt.map_err(Fault::into_store)
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<Call>, StoreError> {
        let calls = calls::unsettled(&self.readers, from, to).await;
        calls.map_err(Fault::into_store)
    }

    async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        calls::load(&self.readers, id).await.map_err(Fault::into_store)
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        let record = calls::record(&self.readers, user, id).await;
        record.map_err(Fault::into_store)
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        let page = pages::page(&self.readers, &query).await;
        page.map_err(Fault::into_store)
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        dialling::read(&self.readers).await.map_err(Fault::into_store)
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        let set = dialling::set_paused(&self.readers, self.node, paused, now).await;
        set.map_err(Fault::into_store)
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        let set = dialling::set_account_hold(&self.readers, self.node, hold.as_ref()).await;
        set.map_err(Fault::into_store)
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        let set = dialling::set_restored(&self.readers, self.node, copied_at).await;
        set.map_err(Fault::into_store)
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        let depths = dialling::depths(&self.readers, now).await;
        depths.map_err(Fault::into_store)
    }

    /// A server that cannot be reached comes back; what asks for a new process is a writer that has
    /// died.
    fn health(&self) -> Result<(), String> {
        if self.writer.is_alive() {
            return Ok(());
        }
        Err("the part that writes to the database has died; restart the process".to_owned())
    }

    fn together(&self) -> Option<&dyn Together> {
        self.shared.as_ref().map(|shared| shared as &dyn Together)
    }
}
