//! What a transaction has read, and what it has yet to read.

use std::collections::{BTreeSet, HashMap};

use domain::{CallId, Sid, Timestamp};

use super::{Orphan, Pair};
use crate::calls::Stored;

/// Rows as they were read. A name that is in one of these maps was looked up; what is `None` there
/// is not in the database.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) calls: HashMap<CallId, Option<Stored>>,
    pub(crate) owners: HashMap<Sid, Option<(CallId, u32)>>,
    pub(crate) keys: HashMap<String, Option<([u8; 32], CallId)>>,
    pub(crate) gate: Option<Gate>,
    /// Who holds the undecided permit of a pair.
    pub(crate) pairs: HashMap<Pair, Option<(CallId, u32)>>,
    pub(crate) next_permits: HashMap<(CallId, u32), Option<Timestamp>>,
    pub(crate) orphans_by_sid: HashMap<Sid, Vec<Orphan>>,
    pub(crate) orphans_by_name: HashMap<CallId, Vec<Orphan>>,
    /// Nobody else makes a leg or an attempt known until this transaction ends.
    pub(crate) alone_with_orphans: bool,
}

/// What stands before every permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Paused, put back from a copy, or another server than the one that wrote last.
    pub(crate) is_shut: bool,
    /// How many calls are live, if that was asked for.
    pub(crate) live: Option<i64>,
}

/// What work reached for. In order, so that transactions at the same time lock in the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) calls: BTreeSet<CallId>,
    pub(crate) owners: BTreeSet<Sid>,
    pub(crate) keys: BTreeSet<String>,
    pub(crate) gate: bool,
    pub(crate) live: bool,
    pub(crate) pairs: BTreeSet<Pair>,
    pub(crate) next_permits: BTreeSet<(CallId, u32)>,
    pub(crate) orphans_by_sid: BTreeSet<Sid>,
    pub(crate) orphans_by_name: BTreeSet<CallId>,
    pub(crate) alone_with_orphans: bool,
}

impl Wanted {
    /// Adds what another wants.
    pub(crate) fn add(&mut self, other: &Wanted) {
        self.calls.extend(&other.calls);
        self.owners.extend(other.owners.iter().cloned());
        self.keys.extend(other.keys.iter().cloned());
        self.gate |= other.gate;
        self.live |= other.live;
        self.pairs.extend(other.pairs.iter().cloned());
        self.next_permits.extend(&other.next_permits);
        self.orphans_by_sid.extend(other.orphans_by_sid.iter().cloned());
        self.orphans_by_name.extend(&other.orphans_by_name);
        self.alone_with_orphans |= other.alone_with_orphans;
    }
}
