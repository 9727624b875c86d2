//! What a transaction will write, as far as it is decided.

use std::collections::{HashMap, HashSet};

use domain::{CallId, Event, Sid, Timestamp};
use store::{News, PermitState};

use super::{Orphan, Pair};
use crate::calls::Stored;

/// Changes, either of one piece of work or of all that have finished.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) calls: HashMap<CallId, Written>,
    /// Each with its place in its call's history.
    pub(crate) events: Vec<(CallId, i64, Event)>,
    pub(crate) owners: HashMap<Sid, (CallId, u32)>,
    pub(crate) keys: HashMap<String, ([u8; 32], CallId, Timestamp)>,
    pub(crate) permits: HashMap<(CallId, u32), PermitChange>,
    /// Who was granted the permit of a pair.
    pub(crate) pairs: HashMap<Pair, (CallId, u32)>,
    pub(crate) orphans: Vec<Orphan>,
    /// When each of those came.
    pub(crate) received: HashMap<i64, Timestamp>,
    /// Orphans that have found their attempt.
    pub(crate) done: HashSet<i64>,
    pub(crate) totals: HashMap<(Box<str>, i64), i64>,
    pub(crate) live: i64,
    pub(crate) pace_clear_at: Option<Timestamp>,
    /// What other processes are to be told.
    pub(crate) news: Option<News>,
}

/// A call as it is to be written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) stored: Stored,
    /// It has no row yet.
    pub(crate) is_new: bool,
}

/// A permit that was granted: where it stands, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) state: PermitState,
    pub(crate) granted_at: Timestamp,
}

/// What happened to a permit: its row was moved, or it was granted (anew, after it was moved to
/// "not sent"), or both in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PermitChange {
    pub(crate) moved: Option<PermitState>,
    pub(crate) granted: Option<(Pair, Grant)>,
}

impl PermitChange {
    pub(crate) fn is_changed(&self) -> bool {
        self.moved.is_some() || self.granted.is_some()
    }

    /// Where it stands; a permit without a change is as good as given back.
    pub(crate) fn state(&self) -> PermitState {
        let granted = self.granted.as_ref().map(|(_, grant)| grant.state);
        granted.or(self.moved).unwrap_or(PermitState::NotSent)
    }

    pub(crate) fn move_to(&mut self, state: PermitState) {
        match &mut self.granted {
            Some((_, grant)) => grant.state = state,
            None => self.moved = Some(state),
        }
    }

    pub(crate) fn granted(self, pair: Pair, grant: Grant) -> PermitChange {
        PermitChange {
            granted: Some((pair, grant)),
            ..self
        }
    }
}

impl Draft {
    pub(crate) fn put(&mut self, id: CallId, written: Written) {
        let is_new = written.is_new || self.calls.get(&id).is_some_and(|before| before.is_new);
        self.calls.insert(id, Written { is_new, ..written });
    }

    /// Adds what was decided after this.
    pub(crate) fn take_in(&mut self, later: Draft) {
        for (id, written) in later.calls {
            self.put(id, written);
        }
        self.events.extend(later.events);
        self.owners.extend(later.owners);
        self.keys.extend(later.keys);
        self.permits.extend(later.permits);
        self.pairs.extend(later.pairs);
        self.orphans.extend(later.orphans);
        self.received.extend(later.received);
        self.done.extend(later.done);
        for (name, by) in later.totals {
            *self.totals.entry(name).or_default() += by;
        }
        self.live += later.live;
        self.pace_clear_at = self.pace_clear_at.max(later.pace_clear_at);
        self.news = later.news.or(self.news);
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.events.is_empty() && self.orphans.is_empty() && self.done.is_empty()
    }
}
