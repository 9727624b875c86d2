//! The permit's life: granted, then not sent, refused, placed or in doubt.

use std::time::Duration;

use super::{Draft, follow};
use crate::attempt::{Ask, Attempt};
use crate::call::{CallState, Extra};
use crate::event::{EventKind, Hold, HoldReason};
use crate::ids::Sid;
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::retry::{doubling, jittered};
use crate::time::Timestamp;

/// The permit is asked for: everything that decides is checked again, here.
pub(super) fn due(draft: &mut Draft<'_>, held: Option<Hold>) -> Result<(), Refusal> {
    let now = draft.moment.now;
    let CallState::Waiting {
        due_at,
        try_at,
        misses,
    } = draft.call.state
    else {
        return Err(if draft.call.is_over() {
            Refusal::AlreadyOver
        } else {
            Refusal::Busy
        });
    };
    let used_up = draft.call.attempts.len() >= draft.call.request.policy.max_attempts as usize;
    if used_up || draft.call.cancel_requested_at.is_some() || draft.call.closing.is_some() {
        return Err(Refusal::AlreadyOver);
    }
    if now < due_at.max(try_at) || draft.call.give_up_at().is_some_and(|at| at <= now) {
        return Err(Refusal::NotDue);
    }
    if let Some(hold) = held {
        draft.note(EventKind::Held(hold));
    }
    let attempt = next_number(draft);
    draft.call.state = CallState::Dialling {
        attempt,
        permit_at: now,
        due_at,
        misses,
    };
    Ok(())
}

/// Held back before any permit.
pub(super) fn held(
    draft: &mut Draft<'_>,
    reason: HoldReason,
    message: String,
    retry_after: Option<Duration>,
) -> Result<(), Refusal> {
    let CallState::Waiting { due_at, misses, .. } = draft.call.state else {
        return Err(if draft.call.is_over() {
            Refusal::AlreadyOver
        } else {
            Refusal::Busy
        });
    };
    if let Some(held) = wait_again(draft, due_at, misses, reason, message, retry_after) {
        draft.note(EventKind::Held(held));
    }
    Ok(())
}

/// The permit (its attempt, and when it was granted) is given back: the attempt keeps its turn.
pub(super) fn not_sent(
    draft: &mut Draft<'_>,
    (attempt, granted_at): (u32, Option<Timestamp>),
    reason: HoldReason,
    message: String,
    retry_after: Option<Duration>,
) -> Result<(), Refusal> {
    let is_another = |permit_at: Timestamp| granted_at.is_some_and(|granted_at| granted_at != permit_at);
    let known = draft.call.attempt(attempt);
    if known.is_some_and(|record| is_another(record.permit_at)) {
        return Err(Refusal::AlreadyKnown);
    }
    let CallState::Dialling {
        attempt: permitted,
        permit_at,
        due_at,
        misses,
    } = draft.call.state
    else {
        return never_sent(draft, attempt, message).unwrap_or(Err(Refusal::AlreadyKnown));
    };
    if permitted != attempt {
        return never_sent(draft, attempt, message).unwrap_or(Err(Refusal::NoSuchAttempt));
    }
    if is_another(permit_at) {
        return Err(Refusal::AlreadyKnown);
    }
    if draft.call.hold.as_ref().is_none_or(|hold| hold.reason != reason) {
        draft.note(EventKind::GivenBack {
            attempt,
            why: clipped(message.clone()),
        });
    }
    let held = wait_again(draft, due_at, misses, reason, message, retry_after);
    // What was learned of earlier attempts while the permit was out counts now.
    follow::follow(draft);
    if !matches!(draft.call.state, CallState::Waiting { .. }) {
        draft.call.hold = None;
    } else if let Some(held) = held {
        draft.note(EventKind::Held(held));
    }
    Ok(())
}

/// The permit is given back by a process that slept so long that it was put in doubt meanwhile: proof all
/// the same. The attempt has been counted, and an attempt that was counted stays; it never rang.
/// `None` when there is no such attempt.
fn never_sent(draft: &mut Draft<'_>, attempt: u32, message: String) -> Option<Result<(), Refusal>> {
    let now = draft.moment.now;
    let mut attempts = draft.call.attempts.iter_mut();
    let record = attempts.find(|record| record.number == attempt)?;
    let before = record.status;
    let is_open_question = record.in_doubt() || before == AttemptStatus::Unconfirmed;
    if record.sid.is_some() || !is_open_question {
        return Some(Err(Refusal::AlreadyKnown));
    }
    let why = clipped(message);
    record.status = AttemptStatus::Failed;
    record.ended_at = Some(now);
    record.error_message = Some(format!("never sent: {why}"));
    record.ask = None;
    draft.note(EventKind::GivenBack { attempt, why });
    if !before.is_open() {
        let index = attempt as usize - 1;
        corrected(draft, index, before);
    }
    follow::follow(draft);
    Some(Ok(()))
}

/// Back to waiting for the same dial; gives what the history is to say of it, if that is new.
fn wait_again(
    draft: &mut Draft<'_>,
    due_at: Timestamp,
    misses: u32,
    reason: HoldReason,
    message: String,
    retry_after: Option<Duration>,
) -> Option<Hold> {
    let now = draft.moment.now;
    let backoff = || match reason {
        // Other obstacles say themselves when they are gone.
        HoldReason::Carrier => jittered(doubling(limits::NOT_SENT_BACKOFF, misses), draft.moment.dice),
        HoldReason::Pair => limits::PAIR_GAP,
        _ => Duration::ZERO,
    };
    let gap = retry_after.unwrap_or_else(backoff);
    let misses = if reason == HoldReason::Carrier {
        misses.saturating_add(1)
    } else {
        misses
    };
    let try_at = now + gap;
    draft.call.state = CallState::Waiting {
        due_at,
        try_at,
        misses,
    };
    let message = clipped(message);
    let known = draft.call.hold.as_ref().filter(|hold| hold.reason == reason);
    let since = known.map_or(now, |hold| hold.since);
    let said = known.is_some_and(|hold| hold.message == message);
    let hold = Hold {
        reason,
        since,
        until: (gap > Duration::ZERO).then_some(try_at),
        message,
    };
    draft.call.hold = Some(hold.clone());
    // A long trouble is one entry, not one for every try.
    (!said).then_some(hold)
}

/// The carrier has made the leg. Always accepted, however late: the permit is the authority.
pub(super) fn placed(draft: &mut Draft<'_>, attempt: u32, sid: Sid) -> Result<(), Refusal> {
    let of_another = draft
        .call
        .attempt_with(&sid)
        .is_some_and(|owner| owner.number != attempt);
    if of_another || draft.call.extras.iter().any(|extra| extra.sid == sid) {
        // An answer to another request, out of a proxy's memory perhaps: it says nothing of this one.
        return in_doubt(
            draft,
            attempt,
            format!("answered with leg {sid}, which is not its own"),
        );
    }
    let index = open_attempt(draft, attempt)?;
    if let Some(from) = bind(draft, index, sid)? {
        corrected(draft, index, from);
    }
    follow::follow(draft);
    Ok(())
}

/// The carrier refused for good: the attempt is used, the call is over.
pub(super) fn refused(
    draft: &mut Draft<'_>,
    attempt: u32,
    code: Option<u32>,
    message: String,
) -> Result<(), Refusal> {
    let now = draft.moment.now;
    let message = clipped(message);
    let permitted =
        matches!(draft.call.state, CallState::Dialling { attempt: permitted, .. } if permitted == attempt);
    if !permitted && draft.call.attempt(attempt).is_none() {
        // Without a permit no request was sent, and no leg shows that one was.
        return Err(Refusal::NoSuchAttempt);
    }
    let index = open_attempt(draft, attempt)?;
    let record = &mut draft.call.attempts[index];
    let before = record.status;
    if record.sid.is_some() || (!before.is_open() && before != AttemptStatus::Unconfirmed) {
        return Err(Refusal::AlreadyKnown);
    }
    record.status = AttemptStatus::Failed;
    record.refused = true;
    record.ended_at = Some(now);
    record.error_code = code;
    record.error_message = Some(message.clone());
    record.ask = None;
    draft.note(EventKind::Refused {
        attempt,
        code,
        message,
    });
    if !before.is_open() {
        corrected(draft, index, before);
    }
    follow::follow(draft);
    Ok(())
}

/// Nobody knows whether the request was executed: the carrier is asked, at once.
pub(super) fn in_doubt(draft: &mut Draft<'_>, attempt: u32, why: String) -> Result<(), Refusal> {
    let now = draft.moment.now;
    if !matches!(draft.call.state, CallState::Dialling { attempt: permitted, .. } if permitted == attempt) {
        // A callback was faster, or it is settled already.
        return Err(Refusal::AlreadyKnown);
    }
    let index = open_attempt(draft, attempt)?;
    let why = clipped(why);
    draft.call.attempts[index].ask = Some(Ask {
        at: now,
        tries: 0,
        since: now,
    });
    draft.call.attempts[index].error_message = Some(why.clone());
    draft.note(EventKind::InDoubt { attempt, why });
    follow::follow(draft);
    Ok(())
}

/// The place of this attempt among the call's attempts; made when it is the one that comes next.
/// Its permit's time is the permit's own while that is out, else now (a leg without a permit that
/// we remember: the truth of the ring counts, and it is an incident).
pub(super) fn open_attempt(draft: &mut Draft<'_>, attempt: u32) -> Result<usize, Refusal> {
    let now = draft.moment.now;
    let index = usize::try_from(attempt)
        .unwrap_or(usize::MAX)
        .checked_sub(1)
        .ok_or(Refusal::NoSuchAttempt)?;
    if index < draft.call.attempts.len() {
        return Ok(index);
    }
    if index > draft.call.attempts.len() {
        return Err(Refusal::NoSuchAttempt);
    }
    let (permit_at, unwanted) = match draft.call.state {
        CallState::Dialling { permit_at, .. } => (permit_at, false),
        _ => {
            let what = "a leg of an attempt that was believed not sent".to_owned();
            draft.note(EventKind::Incident {
                attempt: Some(attempt),
                what,
            });
            (now, comes_too_late(draft, index))
        }
    };
    draft.call.attempts.push(Attempt {
        unwanted,
        ..Attempt::new(attempt, permit_at, now)
    });
    draft.call.hold = None;
    if !draft.call.is_over() {
        draft.call.state = CallState::Live;
    }
    Ok(index)
}

/// Makes the leg the attempt's own. The first that is known wins; a second is hung up. Gives what
/// stood there before, when the attempt's record was closed; the caller writes down the correction
/// and lets the call follow, once it knows all that is said.
pub(super) fn bind(draft: &mut Draft<'_>, index: usize, sid: Sid) -> Result<Option<AttemptStatus>, Refusal> {
    let now = draft.moment.now;
    let attempt = draft.call.attempts[index].number;
    match &draft.call.attempts[index].sid {
        Some(known) if *known == sid => return Err(Refusal::AlreadyKnown),
        Some(_) => return second_leg(draft, attempt, sid).map(|()| None),
        None => {}
    }
    let before = draft.call.attempts[index].status;
    let reopened = (!before.is_open()).then_some(before);
    let too_late = reopened.is_some() && comes_too_late(draft, index);
    let record = &mut draft.call.attempts[index];
    record.sid = Some(sid.clone());
    record.last_word_at = now;
    record.error_message = None;
    record.error_code = None;
    if reopened.is_some() {
        record.status = AttemptStatus::Initiated;
        record.refused = false;
        record.ended_at = None;
        record.unwanted |= too_late;
    }
    draft.note(EventKind::Sent { attempt, sid });
    follow::ask_later(draft, index);
    Ok(reopened)
}

/// Whether a leg that nobody counted on any more must not speak: a later dial is out or was made,
/// another leg has the word, the policy allows no such attempt, or the call has its outcome already.
pub(super) fn comes_too_late(draft: &Draft<'_>, index: usize) -> bool {
    let call = &draft.call;
    let outcome_stands =
        matches!(call.state, CallState::Ended { status } if status != CallStatus::Unconfirmed);
    let permit_out =
        matches!(call.state, CallState::Dialling { attempt: next, .. } if next as usize > index + 1);
    let beyond_policy = index >= call.request.policy.max_attempts as usize;
    let mut others = call.attempts.iter().enumerate().filter(|(i, _)| *i != index);
    outcome_stands
        || permit_out
        || beyond_policy
        || others.any(|(i, a)| i > index || (a.is_open() && !a.unwanted))
}

/// A closed record was put right.
pub(super) fn corrected(draft: &mut Draft<'_>, index: usize, from: AttemptStatus) {
    let (attempt, to) = (
        draft.call.attempts[index].number,
        draft.call.attempts[index].status,
    );
    if from != to {
        draft.note(EventKind::Corrected {
            attempt: Some(attempt),
            from: from.into(),
            to: to.into(),
        });
    }
}

fn second_leg(draft: &mut Draft<'_>, attempt: u32, sid: Sid) -> Result<(), Refusal> {
    let now = draft.moment.now;
    if draft.call.extras.iter().any(|extra| extra.sid == sid) || !Extra::fits(&draft.call.extras) {
        return Err(Refusal::AlreadyKnown);
    }
    let what = format!("the carrier made a second leg {sid} of this attempt; it is hung up");
    draft.note(EventKind::Incident {
        attempt: Some(attempt),
        what,
    });
    draft.call.extras.push(Extra::new(sid, attempt, now));
    Ok(())
}

pub(super) fn next_number(draft: &Draft<'_>) -> u32 {
    u32::try_from(draft.call.attempts.len() + 1).expect("a policy allows far fewer attempts")
}

/// Somebody else's words, kept to a bound.
pub(super) fn clipped(mut words: String) -> String {
    if words.len() > limits::WORDS_KEPT {
        let end = (0..=limits::WORDS_KEPT)
            .rev()
            .find(|&i| words.is_char_boundary(i))
            .unwrap_or(0);
        words.truncate(end);
    }
    words
}
