//! What the state of its attempts means for the call: the one place that decides whether it is
//! live, waits for another attempt, or is over.

use super::Draft;
use crate::attempt::Ask;
use crate::call::{CallState, Closing};
use crate::event::{Event, EventKind, Hold, HoldReason};
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::retry::doubling;
use crate::time::Timestamp;

/// Makes the call follow its attempts. Does nothing while a permit is out: what comes back for the
/// permit is followed then.
pub(super) fn follow(draft: &mut Draft<'_>) {
    let call = &draft.call;
    if matches!(call.state, CallState::Dialling { .. }) {
        return;
    }
    if let Some(open) = call.open_attempt() {
        let to = open.status.into();
        if let CallState::Ended { status } = call.state {
            if status != CallStatus::Unconfirmed || call.cancel_requested_at.is_some() {
                // Over already, and not for want of proof: its leg is hung up, the outcome stands.
                return;
            }
            comes_to_life(draft, to);
        }
        draft.call.state = CallState::Live;
        return;
    }
    if call.cancel_requested_at.is_some() {
        return end(draft, CallStatus::Canceled, "cancel was requested");
    }
    if call.attempts.iter().any(|a| a.status == AttemptStatus::Completed) {
        return end(draft, CallStatus::Completed, "the call was answered");
    }
    if call.closing == Some(Closing::GaveUp) {
        return end(draft, CallStatus::Failed, "the call had been given up");
    }
    let Some(last) = call.attempts.last() else { return };
    let (status, refused) = (last.status, last.refused);
    let stopped = status == AttemptStatus::Unconfirmed && draft.moment.rules.stop_on_unconfirmed;
    match call.request.policy.next(&call.attempts) {
        Some(gap) if call.closing.is_none() && !stopped => retry(draft, gap),
        Some(_) => end(draft, status.into(), "no further attempt is made"),
        None if refused => end(draft, status.into(), "the carrier refused the call"),
        None if status == AttemptStatus::Canceled => {
            end(draft, status.into(), "the carrier canceled the call")
        }
        None => end(
            draft,
            status.into(),
            "no attempt is left, or this ending is not retried",
        ),
    }
}

/// A call that had ended for want of proof has a leg. Of an attempt that it knew the history says so already; of one
/// that it did not know, as in a copy from before the dial, only this does.
fn comes_to_life(draft: &mut Draft<'_>, to: CallStatus) {
    let is_said = |event: &Event| matches!(event.kind, EventKind::Corrected { .. });
    if !draft.events.iter().any(is_said) {
        draft.note(EventKind::Corrected {
            attempt: None,
            from: CallStatus::Unconfirmed,
            to,
        });
    }
}

/// Another attempt follows. A retry that is waiting already keeps its time.
fn retry(draft: &mut Draft<'_>, gap: std::time::Duration) {
    if matches!(draft.call.state, CallState::Waiting { .. }) {
        return;
    }
    let now = draft.moment.now;
    let due_at = now + gap;
    draft.call.state = CallState::Waiting {
        due_at,
        try_at: due_at,
        misses: 0,
    };
    draft.call.hold = None;
    let message = format!("attempt {} is due at {due_at}", draft.call.attempts.len() + 1);
    let hold = Hold {
        reason: HoldReason::Retry,
        since: now,
        until: Some(due_at),
        message,
    };
    draft.note(EventKind::Held(hold));
}

/// The call is over; once it is, only a correction changes how.
pub(super) fn end(draft: &mut Draft<'_>, status: CallStatus, why: &str) {
    if let CallState::Ended { status: before } = draft.call.state {
        if before != status {
            draft.call.state = CallState::Ended { status };
            draft.note(EventKind::Corrected {
                attempt: None,
                from: before,
                to: status,
            });
        }
        return;
    }
    let again = draft.call.closing.is_some();
    draft.call.state = CallState::Ended { status };
    draft.call.hold = None;
    draft.call.closing.get_or_insert(Closing::Ended);
    if again {
        // Only a call that ended so comes to life again ([`follow`]).
        let from = CallStatus::Unconfirmed;
        if from != status {
            draft.note(EventKind::Corrected {
                attempt: None,
                from,
                to: status,
            });
        }
    } else {
        draft.note(EventKind::Ended {
            status,
            why: why.to_owned(),
        });
    }
}

/// Sets when the carrier is asked about an attempt that has just been heard of (or first known).
pub(super) fn ask_later(draft: &mut Draft<'_>, index: usize) {
    let now = draft.moment.now;
    let ends_now = draft.call.wants_ended(&draft.call.attempts[index]);
    let rules = draft.moment.rules;
    let attempt = &mut draft.call.attempts[index];
    if !attempt.is_open() {
        return;
    }
    let gap = if rules.poll {
        limits::POLL_GAP.0
    } else {
        rules.silence_after
    };
    let at = if ends_now { now } else { now + gap };
    attempt.ask = Some(Ask {
        at,
        tries: 0,
        since: now,
    });
}

/// The last moment at which the leg of a live attempt can still be alive.
pub(super) fn deadline(draft: &Draft<'_>, index: usize) -> Timestamp {
    let attempt = &draft.call.attempts[index];
    let policy = &draft.call.request.policy;
    match attempt.status {
        AttemptStatus::InProgress => attempt.last_word_at + policy.time_limit,
        _ => attempt.last_word_at + policy.ring_timeout + limits::RING_SLACK + policy.time_limit,
    }
}

/// The next question after `tries` without anything new.
pub(super) fn silence_gap(draft: &Draft<'_>, tries: u32) -> std::time::Duration {
    if draft.moment.rules.poll {
        return doubling(limits::POLL_GAP, tries);
    }
    doubling((draft.moment.rules.silence_after, limits::SILENCE_GAP), tries)
}
