//! A call is stopped: on request, or because its dial waited longer than it may.

use super::{Draft, follow};
use crate::call::{CallState, Closing};
use crate::event::EventKind;
use crate::outcome::CallStatus;
use crate::refusal::Refusal;
use crate::time::show_duration;

/// Never dialled again from here on; whatever is live is hung up as soon as its leg is known.
pub(super) fn cancel(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let now = draft.moment.now;
    if draft.call.cancel_requested_at.is_some() {
        return Err(Refusal::AlreadyKnown);
    }
    if draft.call.is_over() {
        return Err(Refusal::AlreadyOver);
    }
    draft.call.cancel_requested_at = Some(now);
    draft.note(EventKind::CancelRequested);
    for attempt in draft.call.attempts.iter_mut().filter(|a| a.is_open()) {
        if let Some(ask) = &mut attempt.ask {
            ask.at = now;
            if attempt.sid.is_some() {
                // From looking at it to hanging it up: another kind of try, counted anew.
                ask.tries = 0;
            }
        }
    }
    follow::follow(draft);
    Ok(())
}

/// Ends a call whose dial was due too long ago; no attempt is used.
pub(super) fn give_up(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    let CallState::Waiting { due_at, .. } = draft.call.state else {
        return Err(if draft.call.is_over() {
            Refusal::AlreadyOver
        } else {
            Refusal::Busy
        });
    };
    if draft.call.give_up_at().is_none_or(|at| draft.moment.now < at) {
        return Err(Refusal::NotDue);
    }
    let waited = show_duration(draft.call.request.policy.give_up_after);
    let held = draft
        .call
        .hold
        .take()
        .map_or_else(String::new, |hold| format!(": {}", hold.message));
    let why = format!("given up {waited} after the dial was due at {due_at}{held}");
    draft.call.state = CallState::Ended {
        status: CallStatus::Failed,
    };
    draft.call.closing = Some(Closing::GaveUp);
    draft.note(EventKind::Ended {
        status: CallStatus::Failed,
        why,
    });
    Ok(())
}
