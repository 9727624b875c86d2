//! The embedded store: one SQLite file on a local disk, one thread that writes it, a few
//! connections that read it.
//!
//! A method that writes is a closure handed to `writer`, which groups what is waiting into one
//! transaction and one sync and answers after its COMMIT. What decides is in `domain`; what a row
//! looks like is here and nowhere else. Opened by the program that wires the parts together;
//! everything else sees [`store::Store`].

mod backup;
mod boot;
mod calls;
mod claims;
mod clock;
mod connect;
mod dialling;
mod error;
mod examine;
mod facts;
mod health;
mod imports;
mod lock;
mod migrate;
mod open;
mod pages;
mod prune;
mod readers;
mod recent;
mod tally;
mod transaction;
mod transfer;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use domain::step::{Input, Step};
use domain::{Call, CallId, Phone, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, Page,
    PermitState, Permitted, Record, Reported, Store, StoreError, Stray, Terms, work,
};

pub use backup::{Copied, back_up};
use boot::Boot;
pub use examine::{Examination, examine};
use health::Health;
use lock::Held;
pub use open::Purpose;
pub use prune::{Pruned, ended_before, prune};
use readers::Readers;
pub use transfer::SqliteSide;
use writer::{Tx, Writer};

/// A database in one file. Dropping it finishes what waits and gives back the right to dial.
pub struct SqliteStore {
    // Dropped in this order: the right to dial goes last, when nothing is written any more.
    writer: Writer,
    readers: Readers,
    health: Health,
    boot: Option<Boot>,
    _right: Option<Held>,
}

impl SqliteStore {
    fn boot_number(&self) -> Option<i64> {
        self.boot.map(|boot| boot.number)
    }
}

/// A number of things as SQL takes it.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[async_trait]
impl Store for SqliteStore {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        Ok(clock::now())
    }

    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError> {
        let boot = self.boot_number();
        self.writer
            .asked(move |tx| work::accept(tx, &new, &at, boot))
            .await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.writer
            .asked(move |tx| imports::import(tx, &calls, &at))
            .await
    }

    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        let boot = self.boot_number();
        self.writer
            .asked(move |tx| work::permit(tx, id, &terms, &at, boot))
            .await
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        if let Input::Due { .. } = input {
            return Err(StoreError::broken("a dial is sent with a permit, never without"));
        }
        let happened = work::has_happened(&input);
        let work = move |tx: &mut Tx<'_>| work::apply(tx, id, &input, &at);
        if happened {
            self.writer.happened(work).await
        } else {
            self.writer.asked(work).await
        }
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        self.writer
            .happened(move |tx| work::report(tx, &stray, &at))
            .await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.readers
            .read(move |conn| claims::due(conn, now, rows(limit)))
            .await
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(move |conn| claims::next_due(conn, after)).await
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        self.readers
            .read(move |conn| calls::to_check(conn, now, rows(limit)))
            .await
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.readers
            .read(move |conn| calls::next_check(conn, after))
            .await
    }

    async fn put_off_checks(&self, ids: Vec<CallId>) -> Result<(), StoreError> {
        self.writer
            .asked(move |tx| ids.iter().try_for_each(|id| calls::put_off_check(tx, *id)))
            .await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.readers
            .read(|conn| claims::undecided(conn, PermitState::Granted))
            .await
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.readers
            .read(|conn| claims::undecided(conn, PermitState::InDoubt))
            .await
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<Call>, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.readers
            .read(move |conn| calls::unsettled(conn, &from, &to))
            .await
    }

    async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        self.readers
            .read(move |conn| Ok(calls::load(conn, id)?.map(|stored| Arc::unwrap_or_clone(stored.call))))
            .await
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        let user = user.clone();
        self.readers
            .read(move |conn| calls::record(conn, &user, id))
            .await
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.readers.read(move |conn| pages::page(conn, &query)).await
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        self.readers.read(dialling::read).await
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        self.writer
            .happened(move |tx| dialling::set_paused(tx, paused, now))
            .await
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        self.writer
            .happened(move |tx| dialling::set_account_hold(tx, hold.as_ref()))
            .await
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.writer
            .happened(move |tx| dialling::set_restored(tx, copied_at))
            .await
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        self.readers.read(move |conn| dialling::depths(conn, now)).await
    }

    fn health(&self) -> Result<(), String> {
        self.health
            .broken()
            .map_or(Ok(()), |reason| Err(reason.to_owned()))
    }
}

#[cfg(test)]
mod tests;
