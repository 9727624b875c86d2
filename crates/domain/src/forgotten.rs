//! Dials that a database put back from a copy knows nothing of: which attempt a leg that the carrier
//! lists must be. Pure, and careful: where a leg may be of several calls, none of them gets it, and
//! none of them is dialled for that attempt again.
//!
//! Asked by the engine while nothing is dialled; what it decides is taken by [`crate::step()`].

use std::collections::HashSet;
use std::time::Duration;

use crate::attempt::Attempt;
use crate::call::{Call, CallState};
use crate::fact::Leg;
use crate::ids::CallId;
use crate::limits;
use crate::phone::Phone;
use crate::time::Timestamp;

/// The carrier's clock and ours may differ by this much: dialling stops at [`limits::CLOCKS_APART`], the
/// carrier's dates have whole seconds, and a request needs a few to arrive.
pub const CLOCKS_APART: Duration = limits::LEG_BEFORE_PERMIT;

/// A leg that the carrier lists of the account, with the numbers between which it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The number that the called person sees.
    pub from: Phone,
    /// Who was called.
    pub to: Phone,
    /// The leg.
    pub leg: Leg,
}

/// Which attempt a leg without an owner must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// This attempt, whose request is known and whose leg is not.
    Attempt(CallId, u32),
    /// The next attempt of this call: no other could have made it.
    Next(CallId),
    /// The next attempt of one of these calls, and nothing says of which.
    OneOf(Vec<CallId>),
    /// One of these attempts, each without a leg, and nothing says which.
    Unclear(Vec<(CallId, u32)>),
    /// None: the copy knows no call that could have made it.
    Nobodys,
}

/// Judges one leg by the calls between its two numbers, as they stand with all older legs taken in.
/// `copied_at` is what the copy knows up to; `spoken_for` are attempts that an older leg may be.
pub fn judge(
    leg: &Leg,
    calls: &[Call],
    copied_at: Timestamp,
    spoken_for: &HashSet<(CallId, u32)>,
) -> Verdict {
    let open = |call: &Call| {
        let attempts = call.attempts.iter().filter(|attempt| may_be(attempt, leg));
        // One whose permit is out in the copy is not among the attempts yet.
        let out = match call.state {
            CallState::Dialling {
                attempt, permit_at, ..
            } => leg.may_be_of(permit_at).then_some(attempt),
            _ => None,
        };
        let mut open = attempts.map(|attempt| attempt.number).chain(out);
        open.find(|attempt| !spoken_for.contains(&(call.id, *attempt)))
            .map(|attempt| (call.id, attempt))
    };
    let mut known: Vec<(CallId, u32)> = calls.iter().filter_map(open).collect();
    match (known.pop(), known.is_empty()) {
        (Some((call, attempt)), true) => return Verdict::Attempt(call, attempt),
        (Some(last), false) => {
            known.push(last);
            return Verdict::Unclear(known);
        }
        (None, _) => {}
    }
    let could = calls.iter().filter(|call| could_have_made(call, leg, copied_at));
    let mut could: Vec<CallId> = could.map(|call| call.id).collect();
    match (could.pop(), could.is_empty()) {
        (Some(only), true) => Verdict::Next(only),
        (Some(last), false) => {
            could.push(last);
            Verdict::OneOf(could)
        }
        (None, _) => Verdict::Nobodys,
    }
}

/// Whether an attempt that has no leg may have this one.
fn may_be(attempt: &Attempt, leg: &Leg) -> bool {
    attempt.sid.is_none() && !attempt.refused && leg.may_be_of(attempt.permit_at)
}

/// Whether a call that the copy holds may have been dialled again when the leg was made: it waits,
/// its dial was due by then, and its policy allows one more.
fn could_have_made(call: &Call, leg: &Leg, copied_at: Timestamp) -> bool {
    let CallState::Waiting { due_at, .. } = call.state else {
        return false;
    };
    let by_then = leg.created_at + CLOCKS_APART;
    if by_then < copied_at {
        // The copy knows what was dialled then.
        return false;
    }
    // What was taken since the copy was put back has not been dialled.
    let in_copy = call.created_at <= copied_at + CLOCKS_APART;
    // A retry after an attempt whose end was heard of since the copy has its time from today, however long ago
    // the end was; the one that was made had its own, some time after that attempt.
    let since = |at: Timestamp| at + CLOCKS_APART >= copied_at;
    let heard_at = |attempt: &Attempt| {
        attempt
            .last_word_at
            .max(attempt.ended_at.unwrap_or(attempt.permit_at))
    };
    let newest = call.attempts.last();
    let newest = newest.filter(|attempt| since(heard_at(attempt)));
    let earliest = newest.map_or(due_at, |attempt| attempt.permit_at.min(due_at));
    let has_left = call.attempts.len() < call.request.policy.max_attempts as usize;
    in_copy && has_left && call.closing.is_none() && earliest <= by_then
}
