//! A dial that was made after the copy from which the database was put back: the carrier lists its leg,
//! and the call takes it as its next attempt.

use super::{Draft, asked, dial, fact};
use crate::attempt::Attempt;
use crate::call::CallState;
use crate::event::EventKind;
use crate::fact::Leg;
use crate::refusal::Refusal;

/// Takes the leg as the next attempt's. Where it `is_certain` the attempt has it; else the attempt is
/// `unconfirmed`, so that its dial is not made a second time.
pub(super) fn forgotten(draft: &mut Draft<'_>, leg: Leg, is_certain: bool) -> Result<(), Refusal> {
    let call = &draft.call;
    if asked::is_known(call, &leg.sid) {
        return Err(Refusal::AlreadyKnown);
    }
    if !matches!(call.state, CallState::Waiting { .. }) {
        return Err(if call.is_over() {
            Refusal::AlreadyOver
        } else {
            Refusal::Busy
        });
    }
    if call.attempts.len() >= call.request.policy.max_attempts as usize {
        return Err(Refusal::AlreadyOver);
    }
    let (attempt, index) = (dial::next_number(draft), draft.call.attempts.len());
    let now = draft.moment.now;
    let record = Attempt::new(attempt, leg.created_at.min(now), now);
    draft.call.attempts.push(record);
    draft.call.hold = None;
    draft.call.state = CallState::Live;
    let which = if is_certain { "" } else { " or another call's" };
    let what = format!(
        "the database was put back from a copy that knows nothing of this dial; the carrier lists its leg{which}: {}",
        leg.sid
    );
    draft.note(EventKind::Incident {
        attempt: Some(attempt),
        what: what.clone(),
    });
    if is_certain {
        dial::bind(draft, index, leg.sid)?;
        return fact::take(draft, index, &leg.fact, None);
    }
    draft.call.attempts[index].error_message = Some(what);
    asked::unconfirmed(draft, index);
    // A question would find the leg that may be another's.
    draft.call.attempts[index].ask = None;
    Ok(())
}
