//! What decisions stand on and what they change, inside one transaction: rows as they were read (and
//! locked), and beside them what will be written, so that every piece of work in the transaction
//! sees what those before it decided.
//!
//! Nothing here talks to the database. Work that reaches for a row that has not been read stops with
//! [`Stop::Missing`], and is run again once `load` has read it; so a decision is plain code, whether
//! it stands in a transaction of its own or among hundreds. `flush` writes what was kept. Nothing
//! outlives the transaction.

mod draft;
mod read;

use domain::{Call, CallId, Event, Phone, Sid, Timestamp};
use store::{News, PermitState, StoreError, Stray};

use crate::calls::Stored;

pub(crate) use draft::{Draft, Grant, PermitChange, Written};
pub(crate) use read::{Gate, Read, Wanted};

/// Why a piece of work stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something has to be read first; it is noted what.
    Missing,
    /// It cannot be done.
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Stop {
        Stop::Failed(error)
    }
}

/// Two numbers and the account that dials: of these, one dial may be undecided.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) account: String,
    pub(crate) from: Phone,
    pub(crate) to: Phone,
}

/// A fact that nobody could place, and its place in the order in which they came.
pub(crate) type Orphan = (i64, Stray);

/// Orphans of this transaction come after all that were read; they get their real numbers when they
/// are written.
const NEW_ORPHANS: i64 = i64::MAX / 2;

/// The inside of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Tx {
    read: Read,
    /// What is missing, for `load` to read.
    wanted: Wanted,
    /// What finished work changed.
    kept: Draft,
    /// What the running work has changed so far.
    open: Draft,
}

impl Tx {
    /// The running work stays.
    pub(crate) fn keep(&mut self) {
        self.kept.take_in(std::mem::take(&mut self.open));
    }

    /// The running work is undone.
    pub(crate) fn drop_open(&mut self) {
        self.open = Draft::default();
    }

    /// What work has reached for since this was asked last.
    pub(crate) fn take_wanted(&mut self) -> Wanted {
        std::mem::take(&mut self.wanted)
    }

    /// Where `load` puts what it has read.
    pub(crate) fn read_mut(&mut self) -> &mut Read {
        &mut self.read
    }

    /// What is to be written.
    pub(crate) fn into_kept(self) -> Draft {
        self.kept
    }

    fn drafts(&self) -> [&Draft; 2] {
        [&self.open, &self.kept]
    }

    /// Says that a call will be needed, so that it is read together with the rest.
    pub(crate) fn want_call(&mut self, id: CallId) {
        if !self.read.calls.contains_key(&id) && !self.kept.calls.contains_key(&id) {
            self.wanted.calls.insert(id);
        }
    }

    /// A call as it stands now, locked until the transaction ends.
    pub(crate) fn call(&mut self, id: CallId) -> Result<Option<Stored>, Stop> {
        if let Some(written) = self.drafts().into_iter().find_map(|it| it.calls.get(&id)) {
            return Ok(Some(written.stored.clone()));
        }
        match self.read.calls.get(&id) {
            Some(stored) => Ok(stored.clone()),
            None => {
                self.want_call(id);
                Err(Stop::Missing)
            }
        }
    }

    pub(crate) fn want_owner(&mut self, sid: &Sid) {
        if !self.read.owners.contains_key(sid) {
            self.wanted.owners.insert(sid.clone());
        }
    }

    /// Which attempt of which call has this leg.
    pub(crate) fn owner(&mut self, sid: &Sid) -> Result<Option<(CallId, u32)>, Stop> {
        if let Some(owner) = self.drafts().into_iter().find_map(|it| it.owners.get(sid)) {
            return Ok(Some(*owner));
        }
        match self.read.owners.get(sid) {
            Some(owner) => Ok(*owner),
            None => {
                self.want_owner(sid);
                Err(Stop::Missing)
            }
        }
    }

    /// Notes that a leg is an attempt's, unless it is one's already: the first owner keeps it.
    pub(crate) fn bind(&mut self, sid: &Sid, id: CallId, attempt: u32) -> Result<(), Stop> {
        if self.owner(sid)?.is_none() {
            self.open.owners.insert(sid.clone(), (id, attempt));
        }
        Ok(())
    }

    pub(crate) fn want_key(&mut self, key: &str) {
        if !self.read.keys.contains_key(key) {
            self.wanted.keys.insert(key.to_owned());
        }
    }

    /// What an idempotency key stands for: the digest of a request, and its call.
    pub(crate) fn key(&mut self, key: &str) -> Result<Option<([u8; 32], CallId)>, Stop> {
        if let Some((body, id, _)) = self.drafts().into_iter().find_map(|it| it.keys.get(key)) {
            return Ok(Some((*body, *id)));
        }
        match self.read.keys.get(key) {
            Some(known) => Ok(*known),
            None => {
                self.want_key(key);
                Err(Stop::Missing)
            }
        }
    }

    pub(crate) fn add_key(&mut self, key: &str, body: [u8; 32], id: CallId, now: Timestamp) {
        self.open.keys.insert(key.to_owned(), (body, id, now));
    }

    pub(crate) fn want_gate(&mut self, limited: bool) {
        let known = self.read.gate;
        if known.is_none_or(|gate| limited && gate.live.is_none()) {
            self.wanted.gate = true;
            self.wanted.live |= limited;
        }
    }

    /// Whether permits are granted at all; with `limited`, also how many calls are live, of which no
    /// other transaction can make more until this one has ended.
    pub(crate) fn gate(&mut self, limited: bool) -> Result<Gate, Stop> {
        self.want_gate(limited);
        match self.read.gate {
            Some(gate) if !limited || gate.live.is_some() => {
                let more: i64 = self.drafts().into_iter().map(|it| it.live).sum();
                Ok(Gate {
                    live: gate.live.map(|live| live + more),
                    ..gate
                })
            }
            _ => Err(Stop::Missing),
        }
    }

    pub(crate) fn want_pair(&mut self, pair: &Pair) {
        if !self.read.pairs.contains_key(pair) {
            self.wanted.pairs.insert(pair.clone());
        }
    }

    /// Whether a dial between these numbers is undecided.
    pub(crate) fn is_taken(&mut self, pair: &Pair) -> Result<bool, Stop> {
        let granted = self.drafts().into_iter().find_map(|it| it.pairs.get(pair));
        let holder = match granted {
            Some(holder) => Some(*holder),
            None => match self.read.pairs.get(pair) {
                Some(holder) => *holder,
                None => {
                    self.want_pair(pair);
                    return Err(Stop::Missing);
                }
            },
        };
        let Some(holder) = holder else { return Ok(false) };
        Ok(self
            .permit_change(holder)
            .is_none_or(|change| change.state().is_undecided()))
    }

    fn permit_change(&self, permit: (CallId, u32)) -> Option<&PermitChange> {
        self.drafts()
            .into_iter()
            .find_map(|draft| draft.permits.get(&permit))
    }

    /// Notes where a permit stands that was granted before.
    pub(crate) fn move_permit(&mut self, id: CallId, attempt: u32, state: PermitState) {
        let mut change = self.permit_change((id, attempt)).cloned().unwrap_or_default();
        change.move_to(state);
        self.open.permits.insert((id, attempt), change);
    }

    /// Grants a permit; the database itself refuses it if the attempt was sent or the pair is taken.
    pub(crate) fn grant(
        &mut self,
        id: CallId,
        attempt: u32,
        pair: Pair,
        grant: Grant,
    ) -> Result<(), StoreError> {
        let before = self.permit_change((id, attempt)).cloned().unwrap_or_default();
        if before.is_changed() && before.state() != PermitState::NotSent {
            return Err(StoreError::broken(format!(
                "attempt {attempt} of call {id} was sent before"
            )));
        }
        self.open
            .permits
            .insert((id, attempt), before.granted(pair.clone(), grant));
        self.open.pairs.insert(pair, (id, attempt));
        Ok(())
    }

    /// Writes down the permit of an attempt that another program sent.
    pub(crate) fn note_permit(&mut self, id: CallId, attempt: u32, pair: Pair, grant: Grant) {
        let change = PermitChange::default().granted(pair, grant);
        self.open.permits.insert((id, attempt), change);
    }

    /// The pace owes nothing any more at `at`; the latest moment said stays.
    pub(crate) fn pace_clear_at(&mut self, at: Timestamp) {
        self.open.pace_clear_at = self.open.pace_clear_at.max(Some(at));
    }

    pub(crate) fn want_next_permit(&mut self, id: CallId, attempt: u32) {
        if !self.read.next_permits.contains_key(&(id, attempt)) {
            self.wanted.next_permits.insert((id, attempt));
        }
    }

    /// When the next dial between the same two numbers was permitted, if one was and was not given
    /// back. Those of this very transaction have sent nothing yet and claim nothing.
    pub(crate) fn next_permit(&mut self, id: CallId, attempt: u32) -> Result<Option<Timestamp>, Stop> {
        match self.read.next_permits.get(&(id, attempt)) {
            Some(next) => Ok(*next),
            None => {
                self.want_next_permit(id, attempt);
                Err(Stop::Missing)
            }
        }
    }

    pub(crate) fn want_orphans_of(&mut self, id: CallId) {
        if !self.read.orphans_by_name.contains_key(&id) {
            self.wanted.orphans_by_name.insert(id);
        }
    }

    pub(crate) fn want_orphans_with(&mut self, sid: &Sid) {
        if !self.read.orphans_by_sid.contains_key(sid) {
            self.wanted.orphans_by_sid.insert(sid.clone());
        }
    }

    /// The orphan of this call that came first, by its leg or by its name.
    pub(crate) fn first_orphan(&mut self, call: &Call) -> Result<Option<Orphan>, Stop> {
        self.want_orphans_of(call.id);
        for sid in call.legs() {
            self.want_orphans_with(sid);
        }
        let asked = call.legs().map(|sid| self.read.orphans_by_sid.get(sid));
        let asked: Option<Vec<_>> = asked.collect();
        let (Some(with_legs), Some(of_call)) = (asked, self.read.orphans_by_name.get(&call.id)) else {
            return Err(Stop::Missing);
        };
        let read = with_legs.into_iter().flatten().chain(of_call);
        let first = read
            .chain(self.new_orphans())
            .filter(|(n, stray)| !self.is_done(*n) && is_of(stray, call))
            .min_by_key(|(n, _)| *n);
        Ok(first.cloned())
    }

    fn new_orphans(&self) -> impl Iterator<Item = &Orphan> {
        self.drafts().into_iter().flat_map(|draft| &draft.orphans)
    }

    fn is_done(&self, n: i64) -> bool {
        self.drafts().into_iter().any(|draft| draft.done.contains(&n))
    }

    /// Notes that an orphan has found its attempt.
    pub(crate) fn orphan_done(&mut self, n: i64) {
        self.open.done.insert(n);
    }

    /// Keeps a fact that nobody could place; the same one twice is kept once. Stops until the
    /// transaction is the only one that looks at who owns legs, because another may be about to
    /// write that somebody does.
    pub(crate) fn keep_orphan(&mut self, stray: &Stray, now: Timestamp) -> Result<(), Stop> {
        if !self.read.alone_with_orphans {
            self.wanted.alone_with_orphans = true;
        }
        self.want_orphans_with(&stray.sid);
        let Some(known) = self.read.orphans_by_sid.get(&stray.sid) else {
            return Err(Stop::Missing);
        };
        if self.wanted.alone_with_orphans {
            return Err(Stop::Missing);
        }
        let is_same = |(n, other): &&Orphan| !self.is_done(*n) && other == stray;
        if known.iter().chain(self.new_orphans()).any(|it| is_same(&it)) {
            return Ok(());
        }
        let before = self.new_orphans().count();
        let n = NEW_ORPHANS + i64::try_from(before).unwrap_or(0);
        self.open.orphans.push((n, stray.clone()));
        self.open.received.insert(n, now);
        Ok(())
    }

    /// Other processes are told of this once it is committed.
    pub(crate) fn tell(&mut self, what: News) {
        self.open.news = Some(what);
    }

    /// So many more calls of `user` have a status, by its code.
    pub(crate) fn total(&mut self, user: &str, status: i64, by: i64) {
        *self.open.totals.entry((user.into(), status)).or_default() += by;
    }

    /// So many more calls are live or being dialled.
    pub(crate) fn live(&mut self, by: i64) {
        self.open.live += by;
    }

    /// Notes a call as it is to be written, with what is new in its history.
    pub(crate) fn put(&mut self, written: Written, events: &[Event]) {
        let id = written.stored.call.id;
        let first = written.stored.events - i64::try_from(events.len()).unwrap_or(0);
        let added = (first..).zip(events).map(|(seq, event)| (id, seq, event.clone()));
        self.open.events.extend(added);
        self.open.put(id, written);
    }
}

/// Whether an orphan is of this call: by its leg, or because the attempt that it names is known now.
fn is_of(stray: &Stray, call: &Call) -> bool {
    let named = stray.named.is_some_and(|(id, attempt)| {
        let known = call.attempts.len();
        id == call.id && (1..=known).contains(&usize::try_from(attempt).unwrap_or(usize::MAX))
    });
    named || call.legs().any(|sid| *sid == stray.sid)
}
