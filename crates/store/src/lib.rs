//! What must be remembered: the seam to a database. One method is one transaction, all or nothing;
//! the time is always a parameter. A method that changes a call loads it, takes the [`domain::step()`]
//! and writes, inside that transaction: no versions, no conflicts, no loop. What "durable" means is
//! each store's promise: `Ok` comes after the commit, never before.

mod changes;
pub mod codec;
mod error;
pub mod place;
mod rows;
mod together;
pub mod transfer;
pub mod work;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{CallId, Input, Moment, Phone, Rules, Step, Timestamp, UserId};

pub use changes::{Changes, PermitState};
pub use error::StoreError;
pub use rows::{
    Accepted, AccountHold, Applied, COUNTED, Cursor, Depths, Dialling, Due, Imported, Key, ListQuery,
    ListRow, NewCall, Page, Permitted, Record, Reported, Stray, Terms, Total,
};
pub use together::{CLAIMED_FOR, News, RENEWED_AFTER, Slots, Standing, Together, furthest_claim};

/// The outside of a step, in a form that can go to another thread.
#[derive(Debug, Clone)]
pub struct At {
    /// What time it is.
    pub now: Timestamp,
    /// A throw of the dice.
    pub dice: u64,
    /// The operator's rules.
    pub rules: Arc<Rules>,
}

impl At {
    /// The same, as a step takes it.
    pub fn moment(&self) -> Moment<'_> {
        Moment {
            now: self.now,
            dice: self.dice,
            rules: &self.rules,
        }
    }
}

/// A database that remembers calls.
#[async_trait]
pub trait Store: Send + Sync {
    /// The database's own time.
    async fn clock(&self) -> Result<Timestamp, StoreError>;

    /// Takes a call, with its idempotency key and, where `new.permit` asks for it and nothing stands
    /// in the way, with the permit for its first dial: one commit for all three. A call that could
    /// not be permitted waits, and says why.
    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError>;

    /// Takes calls that another program began, each as it stands, in order; says of each what became
    /// of it. Every attempt of them has used its permit, so that none of it is ever sent again, and
    /// none is in doubt: where it is not known whether one was sent, it is `unconfirmed`. What the
    /// carrier said of their legs before (the orphans) is applied to them.
    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError>;

    /// Asks for the permit of a call's due dial, after checking everything again: the state, cancel,
    /// pause (a store that was put back from a copy answers as if paused), attempts used, the due
    /// time, the live limit, and that no other dial to the pair is undecided.
    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError>;

    /// Takes one step of a call: what has already happened to a dial, or what somebody asks of it.
    /// When a leg becomes known by it, what the carrier said of that leg before (the orphans) is
    /// applied too, in the same transaction. Of the legs in [`domain::Answer::Legs`] the store first
    /// leaves out those that other attempts own, and those made after the next permit to the pair
    /// (the carrier's dates are whole seconds: `created_at` plus one second is what counts). The leg
    /// of [`Input::Forgotten`] that an attempt owns is refused as already known.
    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError>;

    /// Takes what the carrier said of a leg. Where neither the named call and attempt nor the leg is
    /// known, it is kept as an orphan. Where the leg is another call's, or another attempt's, than
    /// the named one, that is written into the named call's history and nothing else changes.
    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError>;

    /// Waiting calls whose dial may be sent by `now`, the longest due first, at most `limit`. Of processes
    /// that dial together ([`Store::together`]) each is told of calls that no other was told of in the
    /// last [`CLAIMED_FOR`], so that they seldom reach for the same one.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// When the next dial after `after` may be sent.
    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Calls that must be looked at by `now` for anything but a dial, at most `limit`. A call may be
    /// among them although it has nothing to do yet: its [`domain::Call::check_at`] says. Shared among
    /// processes as [`Store::due`] is.
    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<domain::Call>, StoreError>;

    /// When the next such look after `after` may be needed.
    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// Writes down anew when these calls must be looked at.
    async fn put_off_checks(&self, calls: Vec<CallId>) -> Result<(), StoreError>;

    /// Calls whose permit is granted and not decided: where one process dials alone, these are at its
    /// start what a dead one left behind.
    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError>;

    /// Attempts whose request may have been executed, and of which nobody knows yet.
    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError>;

    /// The calls between two numbers that wait for a dial, or about which the carrier is still asked,
    /// in no order: one of them may have a leg that nobody is known to have. One whose permit is out is
    /// not among them.
    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<domain::Call>, StoreError>;

    /// One call by its id, whoever owns it.
    async fn call(&self, id: CallId) -> Result<Option<domain::Call>, StoreError>;

    /// One call of a user, with its history.
    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError>;

    /// A page of a user's calls, newest first.
    async fn page(&self, query: ListQuery) -> Result<Page, StoreError>;

    /// Whether and how fast may be dialled, by all processes together.
    async fn dialling(&self) -> Result<Dialling, StoreError>;

    /// Pauses or resumes dialling, for all processes, durably.
    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError>;

    /// Writes down that the carrier refuses the account, or that it takes it again.
    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError>;

    /// Writes down that everything may be older than what was last dialled from, and up to when it is
    /// complete; or that the carrier's list has made good what is missing. Until then no permit is
    /// granted.
    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError>;

    /// How many calls wait, are due, live, in doubt: for the metrics.
    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError>;

    /// Whether the store can be trusted with another write; the reason where it cannot.
    fn health(&self) -> Result<(), String>;

    /// What this process has to agree on with others that may dial from the same database at the same
    /// time; `None` where it dials alone.
    fn together(&self) -> Option<&dyn Together> {
        None
    }
}
