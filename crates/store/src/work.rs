//! What the methods that change a call decide inside a transaction, written once for every database:
//! each brings a [`Transaction`], which reads and writes, and decides nothing.
//!
//! It knows no SQL and no connection. Called by the stores; the model that they are held against
//! decides for itself, so that a mistake here is seen.

mod legs;
mod permits;

use std::sync::Arc;

use domain::step::{Input, Step};
use domain::{Call, CallId, Event, Sid, Timestamp};

use crate::{Key, StoreError, Stray, Terms};

pub use legs::{apply, report, with_orphans};
pub use permits::{accept, permit};

/// The inside of one transaction. What is read of a call stays as it is until the transaction ends.
pub trait Transaction {
    /// Why work stops before it is done; the database's own reasons included.
    type Stop: From<StoreError>;
    /// A call, and what of its row is not in the call itself.
    type Stored: AsRef<Arc<Call>> + Into<Arc<Call>>;
    /// How other tables name a call.
    type Name: Copy + PartialEq;
    /// What permits are granted by.
    type Right: Copy;

    /// A call that may be changed.
    fn call(&mut self, id: CallId) -> Result<Option<Self::Stored>, Self::Stop>;

    /// The same, by how other tables name it.
    fn call_named(&mut self, name: Self::Name) -> Result<Option<Self::Stored>, Self::Stop>;

    /// How other tables name this call.
    fn name(stored: &Self::Stored) -> Self::Name;

    /// Writes a new call. `terms` are needed if a permit was asked for.
    fn insert(
        &mut self,
        call: &Arc<Call>,
        events: &[Event],
        terms: Option<&Terms>,
    ) -> Result<Self::Name, Self::Stop>;

    /// Writes what a step made of a call, and hands it back. `terms` are needed if the step asked for
    /// a permit.
    fn save(
        &mut self,
        before: &Self::Stored,
        step: Step,
        terms: Option<&Terms>,
    ) -> Result<Arc<Call>, Self::Stop>;

    /// What stands before all permits. `limited`: how many calls are live is wanted, too.
    ///
    /// # Errors
    /// When `right` does not hold any more.
    fn gate(&mut self, right: Self::Right, limited: bool) -> Result<Gate, Self::Stop>;

    /// Whether a dial between a call's numbers, by this account, is undecided.
    fn is_pair_taken(&mut self, call: &Call, account: &str) -> Result<bool, Self::Stop>;

    /// What an idempotency key stands for: the digest of a request, and its call.
    fn key(&mut self, key: &str) -> Result<Option<(Digest, Self::Name)>, Self::Stop>;

    /// Gives an idempotency key to a new call.
    fn add_key(&mut self, key: &Key, name: Self::Name, now: Timestamp) -> Result<(), Self::Stop>;

    /// Which attempt of which call has this leg.
    fn owner(&mut self, sid: &Sid) -> Result<Option<(Self::Name, u32)>, Self::Stop>;

    /// When the next dial between the same two numbers was permitted, if one was and was not given back.
    fn next_permit(&mut self, stored: &Self::Stored, attempt: u32) -> Result<Option<Timestamp>, Self::Stop>;

    /// The orphan of this call that came first, by its leg or by its name, with its number.
    fn first_orphan(&mut self, call: &Call) -> Result<Option<(i64, Stray)>, Self::Stop>;

    /// Takes away an orphan that has found its attempt.
    fn orphan_done(&mut self, number: i64) -> Result<(), Self::Stop>;

    /// Keeps a fact that nobody could place; the same one twice is kept once.
    fn keep_orphan(&mut self, stray: &Stray, now: Timestamp) -> Result<(), Self::Stop>;

    /// Says that this leg may become this call's, for a database that reads ahead.
    fn may_be_bound(&mut self, _id: CallId, _sid: &Sid) {}
}

/// SHA-256 of a request, by which two are known to be equal: [`Key::body`].
pub type Digest = [u8; 32];

/// What stands before all permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Dialling is paused, or the database was put back from a copy.
    pub is_shut: bool,
    /// So many calls are live or being dialled; of no meaning where it was not asked for.
    pub live: i64,
}

/// Whether an input tells of something that has happened outside, and so must never be refused for
/// want of room.
pub fn has_happened(input: &Input) -> bool {
    !matches!(input, Input::Held { .. } | Input::Cancel | Input::GiveUp)
}
