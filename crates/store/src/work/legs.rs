//! What the carrier says of legs: brought to the attempt that owns the leg, or kept until one does.

use std::sync::Arc;
use std::time::Duration;

use domain::step::{Answer, Input, step};
use domain::{Call, CallId, Leg, Refusal, Sid};

use super::Transaction;
use crate::{Applied, At, Reported, Stray};

/// The carrier's dates have whole seconds: a leg may be younger than it says by this much.
const COARSE: Duration = Duration::from_secs(1);

/// Takes one step of a call, and applies what was kept about the legs that became known by it.
///
/// # Errors
/// The transaction's own.
pub fn apply<T: Transaction>(tx: &mut T, id: CallId, input: &Input, at: &At) -> Result<Applied, T::Stop> {
    let Some(stored) = tx.call(id)? else {
        return Ok(Applied::NoSuchCall);
    };
    if let Input::Forgotten { leg, .. } = input
        && tx.owner(&leg.sid)?.is_some()
    {
        return Ok(Applied::Refused(
            Arc::unwrap_or_clone(stored.into()),
            Refusal::AlreadyKnown,
        ));
    }
    let input = without_foreign_legs(tx, &stored, input.clone())?;
    match take(tx, &stored, input, at)? {
        Ok(call) if has_grown(stored.as_ref(), &call) => {
            let call = with_orphans(tx, call, at)?;
            Ok(Applied::Done(Arc::unwrap_or_clone(call)))
        }
        Ok(call) => Ok(Applied::Done(Arc::unwrap_or_clone(call))),
        Err(refusal) => Ok(Applied::Refused(Arc::unwrap_or_clone(stored.into()), refusal)),
    }
}

/// Takes what the carrier said of a leg.
///
/// # Errors
/// The transaction's own.
pub fn report<T: Transaction>(tx: &mut T, stray: &Stray, at: &At) -> Result<Reported, T::Stop> {
    match deliver(tx, stray, at)? {
        Delivered::Applied { grown: true, call } => Ok(Reported::Applied(with_orphans(tx, call, at)?)),
        Delivered::Applied { grown: false, call } => Ok(Reported::Applied(call)),
        Delivered::Known(call) => Ok(Reported::Known(call)),
        Delivered::Misdirected => Ok(Reported::Misdirected),
        Delivered::Nobodys => {
            tx.keep_orphan(stray, at.now)?;
            Ok(Reported::Orphan)
        }
    }
}

fn take<T: Transaction>(
    tx: &mut T,
    stored: &T::Stored,
    input: Input,
    at: &At,
) -> Result<Result<Arc<Call>, Refusal>, T::Stop> {
    match step(stored.as_ref(), input, at.moment()) {
        Ok(step) => Ok(Ok(tx.save(stored, step, None)?)),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// What became of a fact before anything is kept.
enum Delivered {
    /// Taken; `grown` says that a leg or an attempt became known by it.
    Applied {
        grown: bool,
        call: Arc<Call>,
    },
    Known(Arc<Call>),
    Misdirected,
    Nobodys,
}

fn deliver<T: Transaction>(tx: &mut T, stray: &Stray, at: &At) -> Result<Delivered, T::Stop> {
    let named = match stray.named {
        Some((id, attempt)) => tx.call(id)?.map(|stored| (stored, attempt)),
        None => None,
    };
    // Almost always the named attempt is the leg's known owner, and nothing else has to be looked up.
    if let Some((stored, attempt)) = named
        .as_ref()
        .filter(|(stored, attempt)| owns(stored.as_ref(), *attempt, &stray.sid))
    {
        return hand_over(tx, stored, *attempt, stray, at);
    }
    if let Some((id, _)) = stray.named {
        // If nobody has the leg yet, the named attempt will.
        tx.may_be_bound(id, &stray.sid);
    }
    match (named, tx.owner(&stray.sid)?) {
        (Some((stored, attempt)), None) => hand_over(tx, &stored, attempt, stray, at),
        (Some((stored, attempt)), Some(_)) => {
            let input = Input::Misdirected {
                attempt,
                sid: stray.sid.clone(),
            };
            // An incident is written down whatever state the call is in.
            let _ = take(tx, &stored, input, at)?;
            Ok(Delivered::Misdirected)
        }
        (None, Some(_)) if stray.named.is_some() => Ok(Delivered::Misdirected),
        (None, Some((name, attempt))) => match tx.call_named(name)? {
            Some(stored) => hand_over(tx, &stored, attempt, stray, at),
            None => Ok(Delivered::Nobodys),
        },
        (None, None) => Ok(Delivered::Nobodys),
    }
}

/// Whether a leg is known as this attempt's, or as a second one of it.
fn owns(call: &Call, attempt: u32, sid: &Sid) -> bool {
    let owner = call.attempt_with(sid);
    let mut extras = call.extras.iter();
    owner.is_some_and(|owner| owner.number == attempt)
        || extras.any(|extra| extra.sid == *sid && extra.attempt == attempt)
}

fn hand_over<T: Transaction>(
    tx: &mut T,
    stored: &T::Stored,
    attempt: u32,
    stray: &Stray,
    at: &At,
) -> Result<Delivered, T::Stop> {
    let input = Input::Fact {
        attempt: Some(attempt),
        sid: stray.sid.clone(),
        fact: stray.fact.clone(),
    };
    Ok(match take(tx, stored, input, at)? {
        Ok(call) => Delivered::Applied {
            grown: has_grown(stored.as_ref(), &call),
            call,
        },
        Err(Refusal::NoSuchAttempt) => Delivered::Nobodys,
        Err(_) => Delivered::Known(Arc::clone(stored.as_ref())),
    })
}

/// Whether a leg or an attempt is known after a step that was not before: then there may be orphans of it.
fn has_grown(before: &Call, after: &Call) -> bool {
    before.attempts.len() != after.attempts.len() || before.legs().count() != after.legs().count()
}

/// Applies, in the order in which they came, the orphans whose leg or attempt a call has now.
///
/// # Errors
/// The transaction's own.
pub fn with_orphans<T: Transaction>(tx: &mut T, mut call: Arc<Call>, at: &At) -> Result<Arc<Call>, T::Stop> {
    while let Some((n, orphan)) = tx.first_orphan(&call)? {
        tx.orphan_done(n)?;
        // One that says nothing new, or that should never have been sent, is done with too.
        deliver(tx, &orphan, at)?;
        if let Some(stored) = tx.call(call.id)? {
            call = stored.into();
        }
    }
    Ok(call)
}

/// The input as far as it may be believed: whatever the carrier says, a leg that an attempt has is
/// never another's.
fn without_foreign_legs<T: Transaction>(
    tx: &mut T,
    stored: &T::Stored,
    input: Input,
) -> Result<Input, T::Stop> {
    let name = T::name(stored);
    let is_foreign = |tx: &mut T, sid: &Sid, attempt: u32| -> Result<bool, T::Stop> {
        Ok(tx.owner(sid)?.is_some_and(|owner| owner != (name, attempt)))
    };
    match input {
        Input::Placed { attempt, ref sid } if is_foreign(tx, sid, attempt)? => {
            let why = format!("the carrier answered with leg {sid}, which is another attempt's");
            Ok(Input::InDoubt { attempt, why })
        }
        Input::Fact {
            attempt: Some(attempt),
            sid,
            ..
        } if is_foreign(tx, &sid, attempt)? => Ok(Input::Misdirected { attempt, sid }),
        Input::Asked {
            attempt,
            begun_at,
            answer: Answer::Legs(legs),
        } => {
            let next = tx.next_permit(stored, attempt)?;
            let mut possible: Vec<Leg> = Vec::with_capacity(legs.len());
            for leg in legs {
                let in_time = next.is_none_or(|next| leg.created_at + COARSE <= next);
                if in_time && !is_foreign(tx, &leg.sid, attempt)? {
                    possible.push(leg);
                }
            }
            Ok(Input::Asked {
                attempt,
                begun_at,
                answer: Answer::Legs(possible),
            })
        }
        other => Ok(other),
    }
}
