//! What processes that dial from one database at the same time have to agree on. None of it decides
//! whether an attempt may be sent: that is the permit's alone. It keeps them from getting in each
//! other's way, and holds what an operator allows for all of them together.

use std::time::Duration;

use async_trait::async_trait;
use domain::rate::Owed;
use domain::{Rate, Timestamp};

use crate::StoreError;

/// A call that one process was told of is not told to another for this long: longer than a connection
/// to the carrier and a permit take, and what the work of a process that died waits before another
/// takes it over.
pub const CLAIMED_FOR: Duration = Duration::from_secs(30);

/// A claim that is not older is not made anew when its process is told of the call again.
pub const RENEWED_AFTER: Duration = Duration::from_secs(10);

/// The furthest end that a claim can have which another process made, whose clock may be ahead a little. One that ends
/// later is of a clock that was wrong, and forgotten.
pub fn furthest_claim(now: Timestamp) -> Timestamp {
    now + 2 * CLAIMED_FOR
}

/// The database as several processes share it.
#[async_trait]
pub trait Together: Send + Sync {
    /// Takes up to `wish` slots of the pace that all keep together. A slot that is not used lapses:
    /// nobody can lose more than what it took last.
    async fn slots(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, StoreError>;

    /// Says that this process is there, which every process does a few times while a claim lasts; and
    /// is told what its part is. Notices a database that is not the one that was last dialled from, and
    /// marks it as restored ([`crate::Store::set_restored`]).
    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError>;

    /// Gives up what this process has claimed, so that the others need not wait for it to run out.
    async fn leave(&self) -> Result<(), StoreError>;

    /// Whether what was committed up to now survives the loss of the server, if the operator demands
    /// that of every dial.
    ///
    /// # Errors
    /// In words: why it is not proven. Nothing may be sent then.
    async fn proven(&self) -> Result<(), StoreError>;

    /// Waits until another process has left something that should not wait for the next look. It may
    /// say so too often, and never: looking is what counts.
    async fn news(&self) -> News;
}

/// Slots of the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// How many were taken.
    pub taken: u32,
    /// When the next is to be had, if fewer were than wished.
    pub next_at: Timestamp,
}

impl Slots {
    /// Up to `wish` slots of a pace that owes this much, and more after that.
    pub fn of(owed: &mut Owed, rate: Rate, wish: u32, now: Timestamp) -> Slots {
        let (taken, then) = rate.take(*owed, now, wish);
        *owed = then;
        Slots {
            taken,
            next_at: rate.next_at(then),
        }
    }
}

/// What a process's part is until it checks in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It does what only one should: it tries whether the carrier takes the account again, and reads
    /// the carrier's list after a database was restored.
    pub leads: bool,
}

/// What another process has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A call whose dial is due.
    Due,
    /// A decision about all dialling.
    Dialling,
}
