//! The carrier was asked: what its answer, or its silence, means.

use super::{Answer, Draft, fact, follow};
use crate::attempt::Ask;
use crate::call::Call;
use crate::event::EventKind;
use crate::fact::{Fact, Leg};
use crate::ids::Sid;
use crate::limits;
use crate::outcome::AttemptStatus;
use crate::refusal::Refusal;
use crate::retry::doubling;
use crate::step::dial;
use crate::time::Timestamp;

/// Takes what came back from asking about an attempt, and sets the next question.
pub(super) fn asked(
    draft: &mut Draft<'_>,
    attempt: u32,
    begun_at: Timestamp,
    answer: Answer,
) -> Result<(), Refusal> {
    let index = usize::try_from(attempt).unwrap_or(usize::MAX).wrapping_sub(1);
    let Some(record) = draft.call.attempts.get(index) else {
        return Err(Refusal::NoSuchAttempt);
    };
    let (sid, ask) = (record.sid.clone(), record.ask);
    let answer = match (answer, &sid) {
        // The question was for its leg, which has come to light meanwhile.
        (Answer::Legs(legs), Some(sid)) => {
            let own = legs.into_iter().find(|leg| leg.sid == *sid);
            Answer::Leg(own.ok_or(Refusal::AlreadyKnown)?.fact)
        }
        (answer, _) => answer,
    };
    match (answer, sid, ask) {
        (Answer::Leg(said), Some(_), Some(ask)) => {
            stands(draft, index, ask, &said)?;
            if !draft.call.attempts[index].is_open() && draft.call.attempts[index].ask.is_some() {
                // Closed without proof, and still without it.
                nothing(draft, index, ask, begun_at);
            }
            Ok(())
        }
        // A callback was faster. What was fetched counts all the same: it beats what was pushed.
        (Answer::Leg(said), Some(_), None) => fact::take(draft, index, &said, None),
        (Answer::Leg(_), None, _) | (_, _, None) => Err(Refusal::AlreadyKnown),
        (Answer::Legs(legs), _, Some(ask)) => found(draft, index, ask, begun_at, legs),
        (Answer::Nothing, _, Some(ask)) => {
            nothing(draft, index, ask, begun_at);
            Ok(())
        }
        (Answer::Failed(_), _, Some(ask)) => {
            ask_again(draft, index, ask);
            Ok(())
        }
    }
}

/// The carrier says how a leg stands.
fn stands(draft: &mut Draft<'_>, index: usize, ask: Ask, said: &Fact) -> Result<(), Refusal> {
    match fact::take(draft, index, said, None) {
        Ok(()) => {}
        // It stands where it stood: an answer all the same.
        Err(Refusal::AlreadyKnown) => follow::ask_later(draft, index),
        Err(refusal) => return Err(refusal),
    }
    slow_down(draft, index, ask);
    Ok(())
}

/// The legs that the carrier lists between the two numbers: the only one that fits is the attempt's.
fn found(
    draft: &mut Draft<'_>,
    index: usize,
    ask: Ask,
    begun_at: Timestamp,
    legs: Vec<Leg>,
) -> Result<(), Refusal> {
    let record = &draft.call.attempts[index];
    let (attempt, permit_at) = (record.number, record.permit_at);
    let mut fitting: Vec<Leg> = legs.into_iter().filter(|leg| leg.may_be_of(permit_at)).collect();
    fitting.retain(|leg| !is_known(&draft.call, &leg.sid));
    if fitting.len() > 1 {
        let what = "the carrier lists several legs that may be this attempt's; none is taken".to_owned();
        let record = &mut draft.call.attempts[index];
        if record.error_message.as_ref() != Some(&what) {
            record.error_message = Some(what.clone());
            draft.note(EventKind::Incident {
                attempt: Some(attempt),
                what,
            });
        }
    } else if let Some(leg) = fitting.pop() {
        let reopened = dial::bind(draft, index, leg.sid)?;
        return fact::take(draft, index, &leg.fact, reopened);
    }
    nothing(draft, index, ask, begun_at);
    Ok(())
}

/// Whether the call knows this leg already, as another attempt's or as one too many.
pub(super) fn is_known(call: &Call, sid: &Sid) -> bool {
    call.attempt_with(sid).is_some() || call.extras.iter().any(|extra| extra.sid == *sid)
}

/// An answer without news: watched ever more slowly while nothing changes.
fn slow_down(draft: &mut Draft<'_>, index: usize, before: Ask) {
    let now = draft.moment.now;
    let wants_ended = draft.call.wants_ended(&draft.call.attempts[index]);
    let poll = draft.moment.rules.poll;
    let unchanged = draft.events.is_empty();
    let attempt = &mut draft.call.attempts[index];
    if let Some(ask) = &mut attempt.ask
        && (wants_ended || (poll && unchanged))
    {
        let gaps = if wants_ended {
            limits::HANG_UP_GAP
        } else {
            limits::POLL_GAP
        };
        let tries = before.tries.saturating_add(1);
        *ask = Ask {
            at: now + doubling(gaps, before.tries),
            tries,
            since: before.since,
        };
    }
}

/// A look-up that succeeded and showed nothing.
fn nothing(draft: &mut Draft<'_>, index: usize, ask: Ask, begun_at: Timestamp) {
    let now = draft.moment.now;
    let settled = begun_at >= ask.since + draft.moment.rules.settle_after;
    let attempt = &draft.call.attempts[index];
    if attempt.in_doubt() && settled {
        return unconfirmed(draft, index);
    }
    if !attempt.is_open() && now >= ask.since + limits::UNCONFIRMED_FOR {
        draft.call.attempts[index].ask = None;
        return;
    }
    ask_again(draft, index, ask);
}

/// Sets the next question after one that brought nothing.
fn ask_again(draft: &mut Draft<'_>, index: usize, ask: Ask) {
    let now = draft.moment.now;
    let attempt = &draft.call.attempts[index];
    let live = attempt.is_open() && attempt.sid.is_some();
    if live && now >= follow::deadline(draft, index) + limits::AFTER_DEADLINE {
        return unconfirmed(draft, index);
    }
    let wants_ended = draft.call.wants_ended(attempt);
    let mut at = now
        + match (attempt.is_open(), live) {
            (false, _) => doubling(limits::UNCONFIRMED_GAP, ask.tries),
            (true, false) => doubling(limits::DOUBT_GAP, ask.tries),
            (true, true) if wants_ended => doubling(limits::HANG_UP_GAP, ask.tries),
            (true, true) => follow::silence_gap(draft, ask.tries),
        };
    let settle_at = ask.since + draft.moment.rules.settle_after;
    if attempt.in_doubt() && now < settle_at {
        // Once more when the doubt is old enough to be decided.
        at = at.min(settle_at);
    }
    draft.call.attempts[index].ask = Some(Ask {
        at,
        tries: ask.tries.saturating_add(1),
        since: ask.since,
    });
}

/// No proof either way: the attempt counts as used, and is asked about for a day more.
pub(super) fn unconfirmed(draft: &mut Draft<'_>, index: usize) {
    let now = draft.moment.now;
    let record = &mut draft.call.attempts[index];
    record.status = AttemptStatus::Unconfirmed;
    record.ended_at = Some(now);
    record.ask = Some(Ask {
        at: now + limits::UNCONFIRMED_GAP.0,
        tries: 1,
        since: now,
    });
    let attempt = record.number;
    draft.note(EventKind::Unconfirmed { attempt });
    follow::follow(draft);
}

/// A leg was to be hung up.
pub(super) fn hung_up(draft: &mut Draft<'_>, sid: &Sid, done: bool) -> Result<(), Refusal> {
    let now = draft.moment.now;
    let extra = draft.call.extras.iter_mut().find(|extra| extra.sid == *sid);
    let Some((extra, ask)) = extra.and_then(|e| e.hang_up.map(|ask| (e, ask))) else {
        return Err(Refusal::AlreadyKnown);
    };
    extra.hang_up = (!done && now < ask.since + limits::UNCONFIRMED_FOR).then(|| Ask {
        at: now + doubling(limits::HANG_UP_GAP, ask.tries),
        tries: ask.tries.saturating_add(1),
        since: ask.since,
    });
    Ok(())
}
