//! What a large run must have reached at least once: a world in which nothing of this ever happened proves nothing.

use std::collections::BTreeMap;

use domain::{CallStatus, Event, EventKind, HoldReason, Refusal, Source};
use store::Record;

use crate::step::{self, Kind};

/// Everything that must have been reached sometimes.
pub const GOALS: [&str; 47] = [
    "a call was answered as placed",
    "a call was answered as taken",
    "a key was another request's",
    "a key found its call again",
    "a dead process's permit was put in doubt",
    "a doubt was settled by the list",
    "a doubt was settled by a callback",
    "an unconfirmed attempt was corrected by the list",
    "an unconfirmed attempt was corrected by a late callback",
    "an attempt was unconfirmed",
    "a call ended unconfirmed",
    "a permit was given back",
    "a permit grew too old and was not used",
    "a second leg was hung up",
    "a call was given up",
    "a call was refused for good",
    "a retry was made",
    "a call was completed",
    "a call ended busy",
    "a call ended without an answer",
    "a call was canceled before it was dialled",
    "a call was canceled after it was dialled",
    "a dial waited for another between the same numbers",
    "a dial waited for the pace",
    "a dial waited for the live limit",
    "a dial waited for the account",
    "a dial waited for a pause",
    "a forged callback was refused",
    "a callback that could not be stored came again",
    "somebody heard the message",
    "whoever answered an unwanted leg was hung up on",
    "a permit that was put in doubt turned out not to have been sent",
    "a permit of another node was put in doubt by its age",
    "a permit that one node gave back was granted to another",
    "a node that slept past its claim gave its permit back",
    "a call was taken over from a dead node",
    "the leader changed",
    "nodes ran with different settings",
    "a key was used at two nodes at once",
    "a call was canceled at another node than dialled it",
    "a callback came to another node than dialled",
    "a copy was put back",
    "a standby took over",
    "a store was put back that had forgotten something",
    "a forgotten dial was found on the carrier's list",
    "a leg of a forgotten call was kept as nobody's",
    "dialling went on after a copy was made good",
];

/// Branches of a step that a large run must have taken: what was put in, and what came of it.
pub const STEPS: [(&str, &str); 41] = [
    ("asked", "already known"),
    ("asked", "attempt corrected"),
    ("asked", "ended"),
    ("asked", "heard"),
    ("asked", "held"),
    ("asked", "sent"),
    ("asked", "unconfirmed"),
    ("cancel", "already known"),
    ("cancel", "already over"),
    ("cancel", "cancel requested"),
    ("cancel", "ended"),
    ("due", "already over"),
    ("due", "busy"),
    ("due", "held"),
    ("due", "not due"),
    ("fact", "attempt corrected"),
    ("fact", "ended"),
    ("fact", "heard"),
    ("fact", "held"),
    ("fact", "incident"),
    ("fact", "sent"),
    ("forgotten", "ended"),
    ("forgotten", "heard"),
    ("forgotten", "held"),
    ("forgotten", "incident"),
    ("forgotten", "sent"),
    ("forgotten", "unconfirmed"),
    ("give up", "ended"),
    ("held", "held"),
    ("hung up", "already known"),
    ("in doubt", "already known"),
    ("in doubt", "in doubt"),
    ("not sent", "already known"),
    ("not sent", "given back"),
    ("not sent", "held"),
    ("placed", "already known"),
    ("placed", "sent"),
    ("refused", "ended"),
    ("refused", "refused"),
    ("request", "accepted"),
    ("request", "held"),
];

/// How often each was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goals {
    reached: BTreeMap<&'static str, u64>,
    branches: BTreeMap<(&'static str, &'static str), u64>,
}

impl Goals {
    /// It was reached once more.
    pub fn reach(&mut self, goal: &'static str) {
        *self.reached.entry(goal).or_default() += 1;
    }

    /// An input of this kind wrote this into a history.
    pub fn brought(&mut self, kind: Kind, event: &Event) {
        let branch = (kind.word(), step::word(&event.kind));
        *self.branches.entry(branch).or_default() += 1;
        if kind == Kind::Forgotten {
            self.reach("a forgotten dial was found on the carrier's list");
        }
    }

    /// An input of this kind was refused.
    pub fn refused(&mut self, kind: Kind, refusal: &Refusal) {
        let branch = (kind.word(), step::refusal(refusal));
        *self.branches.entry(branch).or_default() += 1;
    }

    /// How often each branch of a step was taken, as far as it is seen from outside.
    pub fn branches(&self) -> &BTreeMap<(&'static str, &'static str), u64> {
        &self.branches
    }

    /// How often.
    pub fn times(&self, goal: &str) -> u64 {
        self.reached.get(goal).copied().unwrap_or(0)
    }

    /// Adds another world's.
    pub fn add(&mut self, other: &Goals) {
        for (goal, times) in &other.reached {
            *self.reached.entry(goal).or_default() += times;
        }
        for (branch, times) in &other.branches {
            *self.branches.entry(*branch).or_default() += times;
        }
    }

    /// Reads off a finished call what was reached by it.
    pub fn read(&mut self, record: &Record) {
        let call = &record.call;
        let status = match (&call.state, call.status()) {
            (domain::CallState::Ended { .. }, CallStatus::Completed) => Some("a call was completed"),
            (_, CallStatus::Busy) => Some("a call ended busy"),
            (_, CallStatus::NoAnswer) => Some("a call ended without an answer"),
            (_, CallStatus::Unconfirmed) => Some("a call ended unconfirmed"),
            (_, CallStatus::Canceled) if call.attempts.is_empty() => {
                Some("a call was canceled before it was dialled")
            }
            (_, CallStatus::Canceled) if call.cancel_requested_at.is_some() => {
                Some("a call was canceled after it was dialled")
            }
            _ => None,
        };
        if let Some(goal) = status {
            self.reach(goal);
        }
        if call.attempts.len() > 1 {
            self.reach("a retry was made");
        }
        if call.extras.iter().any(|extra| extra.hang_up.is_none()) {
            self.reach("a second leg was hung up");
        }
        for (place, event) in record.events.iter().enumerate() {
            self.read_event(
                event,
                &record.events[..place],
                record.events.get(place + 1..).unwrap_or_default(),
            );
        }
    }

    fn read_event(&mut self, event: &Event, before: &[Event], after: &[Event]) {
        match &event.kind {
            EventKind::InDoubt { why, .. } if why.contains("the process that held the permit") => {
                self.reach("a dead process's permit was put in doubt");
            }
            EventKind::GivenBack { .. } => self.reach("a permit was given back"),
            EventKind::Refused { .. } => self.reach("a call was refused for good"),
            EventKind::Unconfirmed { .. } => self.reach("an attempt was unconfirmed"),
            EventKind::Ended { why, .. } if why.starts_with("given up") => self.reach("a call was given up"),
            EventKind::Held(hold) => self.read_hold(hold.reason),
            EventKind::Sent { attempt, .. } => self.read_bound(*attempt, before, after),
            _ => {}
        }
    }

    fn read_hold(&mut self, reason: HoldReason) {
        match reason {
            HoldReason::Pair => self.reach("a dial waited for another between the same numbers"),
            HoldReason::Pace => self.reach("a dial waited for the pace"),
            HoldReason::LiveLimit => self.reach("a dial waited for the live limit"),
            HoldReason::Account => self.reach("a dial waited for the account"),
            HoldReason::Paused => self.reach("a dial waited for a pause"),
            _ => {}
        }
    }

    /// How a leg came to light that was in doubt, or given up for lost.
    fn read_bound(&mut self, number: u32, before: &[Event], after: &[Event]) {
        let of = |kind: &EventKind, lost: bool| match kind {
            EventKind::InDoubt { attempt, .. } => !lost && *attempt == number,
            EventKind::Unconfirmed { attempt } => lost && *attempt == number,
            _ => false,
        };
        let doubted = before.iter().any(|event| of(&event.kind, false));
        let lost = before.iter().any(|event| of(&event.kind, true));
        let source = after.iter().find_map(|event| match &event.kind {
            EventKind::Heard { attempt, fact } if *attempt == number => Some(fact.source),
            _ => None,
        });
        match (lost, doubted, source) {
            (true, _, Some(Source::LookUp)) => self.reach("an unconfirmed attempt was corrected by the list"),
            (true, _, Some(_)) => self.reach("an unconfirmed attempt was corrected by a late callback"),
            (false, true, Some(Source::LookUp)) => self.reach("a doubt was settled by the list"),
            (false, true, Some(_)) => self.reach("a doubt was settled by a callback"),
            _ => {}
        }
    }
}
