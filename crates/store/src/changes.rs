//! What a step changed, as a store's own tables see it. Pure, so that every store keeps its indexes,
//! permits and counters by the same rule.

use domain::{Call, CallState, CallStatus, Sid};

/// Where a permit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermitState {
    /// Its request may be under way.
    Granted,
    /// Given back: its request is proven never to have been executed.
    NotSent,
    /// The carrier refused the request for good.
    Refused,
    /// The carrier made a leg.
    Placed,
    /// Nobody knows yet.
    InDoubt,
    /// Nobody will know, unless proof comes late.
    Unconfirmed,
}

impl PermitState {
    /// Every state, in the order of their codes.
    pub const ALL: [PermitState; 6] = [
        PermitState::Granted,
        PermitState::NotSent,
        PermitState::Refused,
        PermitState::Placed,
        PermitState::InDoubt,
        PermitState::Unconfirmed,
    ];

    /// Whether the pair of numbers is still taken by it.
    pub fn is_undecided(self) -> bool {
        matches!(self, PermitState::Granted | PermitState::InDoubt)
    }
}

/// What a step changed beside the call itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Legs that are an attempt's from now on, a second one that is to be hung up included: attempt
    /// and leg. No other attempt may ever take one of them for its own.
    pub bound: Vec<(u32, Sid)>,
    /// Permits that moved: attempt and where it stands now.
    pub permits: Vec<(u32, PermitState)>,
    /// The status shown, before and after, where it differs; before is `None` for a new call.
    pub status: Option<(Option<CallStatus>, CallStatus)>,
    /// Calls live or being dialled: one more, one fewer, or as many.
    pub live: i64,
}

impl Changes {
    /// Compares a call before a step (`None`: it is new) and after it.
    pub fn between(before: Option<&Call>, after: &Call) -> Changes {
        let mut changes = Changes::default();
        for attempt in &after.attempts {
            let known = before
                .and_then(|call| call.attempt(attempt.number))
                .and_then(|a| a.sid.as_ref());
            if let Some(sid) = &attempt.sid
                && known != Some(sid)
            {
                changes.bound.push((attempt.number, sid.clone()));
            }
        }
        for extra in &after.extras {
            if before.is_none_or(|call| call.extras.iter().all(|known| known.sid != extra.sid)) {
                changes.bound.push((extra.attempt, extra.sid.clone()));
            }
        }
        let newest = highest_permit(after).max(before.map_or(0, highest_permit));
        for number in 1..=newest {
            let now = permit_state(after, number);
            if now != before.and_then(|call| permit_state(call, number)) {
                // A permit that is gone without a trace among the attempts was given back.
                changes
                    .permits
                    .push((number, now.unwrap_or(PermitState::NotSent)));
            }
        }
        let (was, is) = (before.map(Call::status), after.status());
        if was != Some(is) {
            changes.status = Some((was, is));
        }
        changes.live = i64::from(after.is_live()) - i64::from(before.is_some_and(Call::is_live));
        changes
    }
}

fn highest_permit(call: &Call) -> u32 {
    match call.state {
        CallState::Dialling { attempt, .. } => attempt,
        _ => call.attempts.last().map_or(0, |a| a.number),
    }
}

fn permit_state(call: &Call, number: u32) -> Option<PermitState> {
    if let CallState::Dialling { attempt, .. } = call.state
        && attempt == number
    {
        return Some(PermitState::Granted);
    }
    call.attempt(number).map(|attempt| match attempt {
        a if a.sid.is_some() => PermitState::Placed,
        a if a.refused => PermitState::Refused,
        a if a.in_doubt() => PermitState::InDoubt,
        _ => PermitState::Unconfirmed,
    })
}

#[cfg(test)]
mod tests;
