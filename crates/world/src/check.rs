//! The invariants, each held against what the carrier's own ledger says and what clients were promised. Told of
//! everything as it happens; keeps the first thing that is wrong. Knows nothing of how the engine works.

mod copies;
mod dials;
mod ending;
mod nodes;
mod promises;
mod records;
mod settings;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use copies::Copies;
use domain::{CallId, Timestamp, UserId};
use nodes::Permit;
use store::Record;

use crate::life::Who;
use crate::plan::{CallPlan, Plan};

pub use nodes::Told;

/// What must hold, by the names under which it is reported.
pub mod invariant {
    /// The carrier executes at most one create for each attempt.
    pub const ONE_CREATE: &str = "one create";
    /// An attempt whose request may have been executed is never sent again.
    pub const ONE_REQUEST: &str = "one request";
    /// Nothing is sent before its permit is in the store.
    pub const PERMIT: &str = "a permit first";
    /// A permit is used, and given back, by nobody but the process that it was granted to.
    pub const OWN_PERMIT: &str = "one's own permit";
    /// No permit is used once it is two seconds old.
    pub const FRESH: &str = "a fresh permit";
    /// What the carrier answered to a request is in the store.
    pub const ANSWERS: &str = "answers are kept";
    /// What a node was told of is not told to another for half a minute.
    pub const CLAIMS: &str = "one node at a time";
    /// Nothing is dialled from a copy before the carrier's list since has been read.
    pub const COPY: &str = "a copy is made good first";
    /// Only the leader reads the carrier's list of all calls.
    pub const LEADER: &str = "the leader reads the list";
    /// No phone rings without a record that says so.
    pub const RECORDED: &str = "no ring without a record";
    /// A leg is bound to the attempt that made it.
    pub const RIGHT_LEG: &str = "the right leg";
    /// No attempt before it is due.
    pub const DUE: &str = "due";
    /// No more attempts than the policy allows, numbered one after the other.
    pub const POLICY: &str = "policy";
    /// One live leg of a call at a time.
    pub const ONE_LIVE: &str = "one live leg";
    /// Nothing is dialled while paused.
    pub const PAUSED: &str = "paused";
    /// Nothing is dialled after a cancel was answered.
    pub const CANCELED: &str = "canceled";
    /// No more dials than the pace allows, across restarts.
    pub const PACE: &str = "pace";
    /// No more live calls than allowed.
    pub const LIVE_LIMIT: &str = "live limit";
    /// A call that a client was promised is there.
    pub const ACCEPTED: &str = "accepted is kept";
    /// One idempotency key makes one call.
    pub const ONE_KEY: &str = "one key, one call";
    /// What a callback said that was answered is in the store.
    pub const CALLBACKS: &str = "callbacks are kept";
    /// Nothing forged is believed, nothing true refused.
    pub const FORGED: &str = "nothing forged";
    /// The history only grows, and no status moves back without a correction.
    pub const MONOTONE: &str = "history only grows";
    /// Unconfirmed only after a fault round the request, and after the time to settle.
    pub const EARNED: &str = "unconfirmed is earned";
    /// Every call ends once the faults stop.
    pub const ENDS: &str = "every call ends";
    /// The record is what the ledger says.
    pub const TRUTH: &str = "the record is the ledger";
    /// Nothing in the process panics.
    pub const PANIC: &str = "no panic";
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

/// What is known so far.
pub struct Checks {
    plan: Arc<Plan>,
    /// The first thing that is wrong.
    pub broken: Option<Violation>,
    /// Every call in the store.
    calls: BTreeMap<CallId, Known>,
    /// Requests sent for each attempt, and legs made for it.
    attempts: BTreeMap<(CallId, u32), Tried>,
    /// The carrier's legs: whose each is; `None` when the carrier made it by mistake. One of those may be taken for
    /// another attempt's between the same numbers: the list does not say of which request it was made.
    legs: BTreeMap<String, Option<(CallId, u32)>>,
    /// To whom the last permit of each attempt was granted, and when.
    permits: BTreeMap<(CallId, u32), Permit>,
    /// Who was told of what last, and until when it is its own, by its clock.
    claims: BTreeMap<(CallId, Told), (Who, Timestamp)>,
    /// ... and who before.
    taken_over: BTreeMap<(CallId, Told), Who>,
    /// What the store has forgotten.
    copies: Copies,
    /// Whether a node ever stood still.
    slept: bool,
    /// Lives that have ended.
    dead: BTreeSet<u64>,
    /// Which lives were told that they lead, and which were told that they do not.
    leading: BTreeMap<u64, bool>,
    /// Which node led last.
    leader: Option<usize>,
    /// The calls that clients were told of, by the place in the plan.
    promised: BTreeMap<usize, (CallId, bool)>,
    /// When each cancel was answered.
    /// Which nodes run with the later settings, and whether one ever did.
    runs_later: Vec<bool>,
    has_changed: bool,
    canceled: BTreeSet<CallId>,
    paused: bool,
    /// When requests for calls were sent, as far back as the pace looks.
    sent: VecDeque<u64>,
    /// When the wall clock was last wrong, or put right.
    clock_moved: Option<u64>,
    /// By how much the wall clock has been wrong at most, in milliseconds.
    clock_wrong_by: u64,
}

/// A call in the store.
struct Known {
    user: UserId,
    place: usize,
    record: Option<Record>,
    ended_ms: Option<u64>,
}

/// What became of one attempt.
#[derive(Default)]
struct Tried {
    /// Requests that were sent on its last permit.
    requests: u32,
    /// One that was sent on a permit before that may have been executed.
    suspect: bool,
    /// Something went wrong with it after it was permitted.
    doubtful: bool,
    /// The store was put back while its permit was out: what became of it was written down after the copy, if it was.
    forgotten: bool,
    /// Since when.
    doubtful_ms: Option<u64>,
    /// Legs that it made.
    legs: Vec<String>,
    /// From when on the carrier's list shows the first of them.
    shown_ms: u64,
}

impl Tried {
    /// Whether nobody needs to know what became of it.
    fn is_excused(&self) -> bool {
        self.doubtful || self.forgotten
    }
}

impl Checks {
    /// Nothing is known yet.
    pub fn new(plan: &Arc<Plan>) -> Checks {
        Checks {
            plan: Arc::clone(plan),
            broken: None,
            calls: BTreeMap::new(),
            attempts: BTreeMap::new(),
            legs: BTreeMap::new(),
            permits: BTreeMap::new(),
            claims: BTreeMap::new(),
            taken_over: BTreeMap::new(),
            copies: Copies::default(),
            slept: false,
            dead: BTreeSet::new(),
            leading: BTreeMap::new(),
            leader: None,
            promised: BTreeMap::new(),
            runs_later: vec![false; plan.nodes],
            has_changed: false,
            canceled: BTreeSet::new(),
            paused: false,
            sent: VecDeque::new(),
            clock_moved: None,
            clock_wrong_by: 0,
        }
    }

    /// Writes down what is wrong, if nothing was before.
    pub fn breaks(&mut self, invariant: &'static str, what: String) {
        self.broken.get_or_insert(Violation { invariant, what });
    }

    /// Whose call it is; `None` when it is not in the store.
    pub fn user_of(&self, id: CallId) -> Option<UserId> {
        self.calls.get(&id).map(|known| known.user.clone())
    }

    /// Every call in the store.
    pub fn all(&self) -> Vec<CallId> {
        self.calls.keys().copied().collect()
    }

    /// The history of each call that is named in what is wrong, in milliseconds since `start`.
    pub fn histories(&self, start: u64) -> Vec<(CallId, Vec<(u64, String)>)> {
        let what = self.broken.as_ref().map_or("", |broken| broken.what.as_str());
        let named = self.calls.iter().filter(|(id, _)| what.contains(&id.to_string()));
        let lines = |record: &Record| {
            let events = record.events.iter().map(|event| {
                let at = u64::try_from(event.at.millis())
                    .unwrap_or(0)
                    .saturating_sub(start);
                (at, format!("{:?}", event.kind))
            });
            events.collect()
        };
        named
            .map(|(id, known)| (*id, known.record.as_ref().map_or_else(Vec::new, lines)))
            .collect()
    }

    /// The wall clock was put wrong, or right.
    pub fn clock_moves(&mut self, now_ms: u64, by: i64) {
        self.clock_moved = Some(now_ms);
        self.clock_wrong_by = self.clock_wrong_by.max(by.unsigned_abs());
    }

    /// A call is not where it was put.
    pub fn is_lost(&mut self, id: CallId) {
        self.breaks(invariant::ACCEPTED, format!("{id} is not in the store"));
    }

    /// A call is in the store from here on.
    pub fn accepts(&mut self, id: CallId, user: &UserId) {
        let number = user
            .as_str()
            .rsplit('-')
            .next()
            .and_then(|it| it.parse::<usize>().ok());
        let plan = Arc::clone(&self.plan);
        let place = plan.calls.iter().position(|call| Some(call.number) == number);
        let Some(place) = place else {
            return self.breaks(invariant::RECORDED, format!("call {id} is nobody's"));
        };
        let twin = self.calls.iter().find(|(_, known)| known.place == place);
        if let Some((twin, _)) = twin
            && plan.calls[place].key
        {
            let what = format!("one key has two calls: {twin} and {id}");
            self.breaks(invariant::ONE_KEY, what);
        }
        let known = Known {
            user: user.clone(),
            place,
            record: None,
            ended_ms: None,
        };
        self.calls.insert(id, known);
    }

    fn planned(&self, id: CallId) -> Option<&CallPlan> {
        self.calls.get(&id).map(|known| &self.plan.calls[known.place])
    }

    /// Whether the carrier made this leg by mistake.
    fn is_mistake(&self, sid: &str) -> bool {
        matches!(self.legs.get(sid), Some(None))
    }

    fn tried(&mut self, (id, attempt): (CallId, u32)) -> &mut Tried {
        self.attempts.entry((id, attempt)).or_default()
    }
}
