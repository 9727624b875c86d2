//! The carrier said something about a leg: pushed, or asking what to say.

use super::{Draft, dial, follow};
use crate::event::{Event, EventKind};
use crate::fact::Fact;
use crate::ids::Sid;
use crate::outcome::AttemptStatus;
use crate::refusal::Refusal;

/// Binds the leg if nobody has yet, takes the fact, and lets the call follow.
pub(super) fn heard(draft: &mut Draft<'_>, named: Option<u32>, sid: Sid, fact: &Fact) -> Result<(), Refusal> {
    let owner = draft.call.attempt_with(&sid).map(|a| a.number);
    let number = match (named, owner) {
        (Some(named), Some(owner)) if named != owner => {
            misdirected(draft, named, &sid);
            return Ok(());
        }
        (Some(number), _) | (None, Some(number)) => number,
        (None, None) => return Err(Refusal::NoSuchAttempt),
    };
    if let Some(extra) = draft.call.extras.iter_mut().find(|extra| extra.sid == sid) {
        let over = fact.word.status().is_some_and(|status| !status.is_open());
        if !over || extra.hang_up.take().is_none() {
            return Err(Refusal::AlreadyKnown);
        }
        return Ok(());
    }
    let index = dial::open_attempt(draft, number)?;
    let reopened = match dial::bind(draft, index, sid.clone()) {
        Ok(reopened) => reopened,
        Err(Refusal::AlreadyKnown) => None,
        Err(refusal) => return Err(refusal),
    };
    if draft.call.attempts[index].sid.as_ref() != Some(&sid) {
        // A second leg: noted, and to be hung up; what it says is not the attempt's.
        return if draft.events.is_empty() {
            Err(Refusal::AlreadyKnown)
        } else {
            Ok(())
        };
    }
    take(draft, index, fact, reopened)
}

/// A request about a leg named an attempt that the leg is not of: an incident, and no more.
pub(super) fn misdirected(draft: &mut Draft<'_>, named: u32, sid: &Sid) {
    let what =
        format!("a request about leg {sid} named this attempt, which is not the leg's; nothing changed");
    draft.note(EventKind::Incident {
        attempt: Some(named),
        what,
    });
}

/// Merges a fact into an attempt whose leg it is about; `reopened` is what stood there before its
/// leg was bound, where that was a closed record.
pub(super) fn take(
    draft: &mut Draft<'_>,
    index: usize,
    fact: &Fact,
    reopened: Option<AttemptStatus>,
) -> Result<(), Refusal> {
    let now = draft.moment.now;
    let attempt = draft.call.attempts[index].number;
    let was_open = draft.call.attempts[index].is_open();
    let mut fact = fact.clone();
    fact.error_message = fact.error_message.map(dial::clipped);
    let merge = draft.call.attempts[index].merge(&fact, now);
    if !merge.taken && draft.events.is_empty() {
        return Err(Refusal::AlreadyKnown);
    }
    if !was_open && draft.call.attempts[index].is_open() {
        draft.call.attempts[index].unwanted |= dial::comes_too_late(draft, index);
    }
    let just_bound = |event: &Event| matches!(event.kind, EventKind::Sent { attempt: a, .. } if a == attempt);
    if !draft.call.attempts[index].is_open() && draft.events.iter().any(just_bound) {
        // It was over when it came to light: nobody can have hung it up.
        draft.call.attempts[index].unwanted = false;
    }
    if merge.news {
        draft.note(EventKind::Heard { attempt, fact });
    }
    if let Some(from) = reopened.or(merge.corrected_from) {
        dial::corrected(draft, index, from);
    }
    follow::ask_later(draft, index);
    follow::follow(draft);
    Ok(())
}
