//! What crosses the seam to a store, beside the domain's own values.

use std::sync::Arc;
use std::time::Duration;

use domain::{Call, CallId, CallStatus, Event, Fact, Hold, Phone, Refusal, Request, Sid, Timestamp, UserId};

/// A call to be taken.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Its name.
    pub id: CallId,
    /// What was asked.
    pub request: Request,
    /// The key that makes a repeat of the request find this call.
    pub key: Option<Key>,
    /// The terms of a permit, if it is to be dialled at once.
    pub permit: Option<Terms>,
}

/// An idempotency key and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key as the client wrote it.
    pub key: String,
    /// SHA-256 of the request's body in canonical form: equal for equal JSON.
    pub body: [u8; 32],
}

/// What a permit is granted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The carrier's account that dials.
    pub account: String,
    /// Most calls that may be live at once.
    pub max_live: Option<u32>,
    /// The state of the pace after this dial, so that a restart grants no new burst: the moment at
    /// which the pace owes nothing any more. The latest that was said stays.
    pub pace_clear_at: Timestamp,
    /// What held the dial back after it was due, if anything did: it goes into the history.
    pub held: Option<Hold>,
}

/// What became of a request for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// The call is taken. It is being dialled if its state says so.
    New(Arc<Call>),
    /// The key belongs to this call already, for an equal request.
    Repeat(Arc<Call>),
    /// The key belongs to another request.
    KeyTaken,
}

/// What became of a call that was to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is there from now on.
    New,
    /// There is a call of this id already, which stays as it is.
    AlreadyThere,
    /// It says that a leg is its own that is another attempt's. Nothing of it is taken.
    LegTaken {
        /// The leg.
        sid: Sid,
        /// Whose it is.
        owner: CallId,
    },
}

/// What became of asking for a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permitted {
    /// Granted: send its one request, now.
    Granted(Call),
    /// Held back for the call's own reason, which it says; nothing may be sent.
    Held(Call),
    /// Dialling is paused, for all calls.
    Paused,
    /// As many calls are live as may be.
    LiveLimit,
    /// The call as it stands is not to be dialled.
    Refused(Refusal),
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Taken; the call as it stands now.
    Done(Call),
    /// It does not apply; the call as it stands.
    Refused(Call, Refusal),
    /// There is no such call.
    NoSuchCall,
}

/// A fact on its way to the attempt that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// The leg.
    pub sid: Sid,
    /// The call and attempt that the carrier's request named.
    pub named: Option<(CallId, u32)>,
    /// What was said.
    pub fact: Fact,
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// Stored; the call as it stands now, shared with a store that keeps it at hand.
    Applied(Arc<Call>),
    /// It said nothing new; the call as it stands.
    Known(Arc<Call>),
    /// No call has this leg: kept until one does.
    Orphan,
    /// The request named another attempt than the leg's: recorded there, nothing else changed.
    Misdirected,
}

/// A call that may be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The call.
    pub id: CallId,
    /// Since when it may be.
    pub due_at: Timestamp,
}

/// A call with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The call.
    pub call: Call,
    /// Everything that happened to it, in order.
    pub events: Vec<Event>,
}

/// Which of a user's calls are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Whose.
    pub user: UserId,
    /// Only with this status.
    pub status: Option<CallStatus>,
    /// Only to this number.
    pub to: Option<Phone>,
    /// Only created at this moment or later.
    pub created_after: Option<Timestamp>,
    /// Only created before this moment.
    pub created_before: Option<Timestamp>,
    /// At most this many.
    pub limit: usize,
    /// So many are passed over first.
    pub offset: usize,
    /// Only older than this place in the list.
    pub after: Option<Cursor>,
}

impl ListQuery {
    /// Whether counters know how many calls match; otherwise they are counted, up to [`COUNTED`].
    pub fn has_counter(&self) -> bool {
        self.to.is_none() && self.created_after.is_none() && self.created_before.is_none()
    }
}

/// Where counting stops for queries that have no counter: enough for a person, and some ten milliseconds.
pub const COUNTED: u64 = 10_000;

/// A place in a list: of the call last shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When that call was created.
    pub created_at: Timestamp,
    /// Its id.
    pub id: CallId,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many match in all.
    pub total: Total,
    /// The calls of this page.
    pub calls: Vec<ListRow>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

impl Page {
    /// The page of `limit` calls out of one more than that, if there are so many: the last says that there is another
    /// page, and is not on this one.
    pub fn cut(total: Total, mut calls: Vec<ListRow>, limit: usize) -> Page {
        let more = calls.len() > limit;
        calls.truncate(limit);
        let next = calls.last().filter(|_| more).map(|last| Cursor {
            created_at: last.created_at,
            id: last.id,
        });
        Page { total, calls, next }
    }
}

/// How many calls match a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub count: u64,
    /// Counting stopped there.
    pub at_least: bool,
}

impl Total {
    /// What was found, by a counter or by counting up to one more than [`COUNTED`].
    pub fn of(found: i64, is_exact: bool) -> Total {
        let found = u64::try_from(found).unwrap_or(0);
        let at_least = !is_exact && found > COUNTED;
        let count = if at_least { COUNTED } else { found };
        Total { count, at_least }
    }
}

/// A call in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// The call.
    pub id: CallId,
    /// Who is called.
    pub to: Phone,
    /// Where it stands.
    pub status: CallStatus,
    /// How many attempts it has had.
    pub attempt_count: u32,
    /// Whether another follows.
    pub should_retry: bool,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// Whether and how fast may be dialled, by all processes together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dialling {
    /// Since when it is paused.
    pub paused_at: Option<Timestamp>,
    /// The carrier refuses the account.
    pub account_hold: Option<AccountHold>,
    /// When the pace owes nothing any more, as of all permits.
    pub pace_clear_at: Option<Timestamp>,
    /// How many calls are live or being dialled.
    pub live: u64,
    /// Everything here is a copy from this moment, put in place of something newer: what was dialled
    /// since is not known, and no permit is granted.
    pub restored: Option<Timestamp>,
}

/// The carrier refuses the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountHold {
    /// Since when.
    pub since: Timestamp,
    /// When one dial is tried again, to see.
    pub probe_at: Timestamp,
    /// The carrier's words.
    pub message: String,
}

/// How much there is of each kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depths {
    /// Calls that wait for a dial, due or not.
    pub waiting: u64,
    /// Calls whose dial is due.
    pub due: u64,
    /// Calls live or being dialled.
    pub live: u64,
    /// Permits that are undecided.
    pub undecided: u64,
    /// Facts whose leg no call has.
    pub orphans: u64,
    /// How long the longest due dial has been due.
    pub oldest_due: Option<Duration>,
}
