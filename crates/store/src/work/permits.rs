//! A call taken, and the right to send one request for one attempt asked for.
//!
//! Whether a call may be dialled is the domain's rule; here are the obstacles that only a database can
//! see (a pause, the live limit, another dial between the same numbers), looked at in the transaction
//! that writes the permit.

use std::sync::Arc;

use domain::step::{Input, step};
use domain::{Call, CallId, HoldReason, Refusal};

use super::Transaction;
use crate::{Accepted, At, Key, NewCall, Permitted, StoreError, Terms};

/// What is said of a call that waits for another dial to the same person.
const PAIR_TAKEN: &str = "another dial between the same two numbers is still undecided";

/// Takes a call, its key and, where nothing stands in the way, the permit for its first dial.
///
/// # Errors
/// The transaction's own.
pub fn accept<T: Transaction>(
    tx: &mut T,
    new: &NewCall,
    at: &At,
    right: T::Right,
) -> Result<Accepted, T::Stop> {
    if let Some(key) = &new.key
        && let Some(known) = known_key(tx, key)?
    {
        return Ok(known);
    }
    let now = at.now;
    let mut accepted = domain::step::accept(new.id, new.request.clone(), now);
    let is_due = accepted.call.due_at().is_some_and(|due| due <= now);
    let terms = new.permit.as_ref();
    if let Some(terms) = terms.filter(|_| is_due) {
        let input = match obstacle(tx, &accepted.call, terms, right)? {
            None => Some(due_input(terms)),
            Some(Obstacle::Pair) => Some(pair_taken()),
            // Not the call's own matter: it waits, and who looks at it is told of the pause or the
            // limit itself.
            Some(Obstacle::Paused | Obstacle::LiveLimit) => None,
        };
        if let Some(Ok(after)) = input.map(|input| step(&accepted.call, input, at.moment())) {
            accepted.call = after.call;
            accepted.events.extend(after.events);
        }
    }
    let call = Arc::new(accepted.call);
    let name = tx.insert(&call, &accepted.events, terms)?;
    if let Some(key) = &new.key {
        tx.add_key(key, name, now)?;
    }
    Ok(Accepted::New(call))
}

fn known_key<T: Transaction>(tx: &mut T, key: &Key) -> Result<Option<Accepted>, T::Stop> {
    let Some((body, name)) = tx.key(&key.key)? else {
        return Ok(None);
    };
    if body != key.body {
        return Ok(Some(Accepted::KeyTaken));
    }
    let stored = tx.call_named(name)?;
    let stored = stored.ok_or_else(|| StoreError::broken("an idempotency key belongs to no call"))?;
    Ok(Some(Accepted::Repeat(stored.into())))
}

fn due_input(terms: &Terms) -> Input {
    Input::Due {
        held: terms.held.clone(),
    }
}

fn pair_taken() -> Input {
    Input::Held {
        reason: HoldReason::Pair,
        message: PAIR_TAKEN.to_owned(),
        retry_after: None,
    }
}

/// Asks for the permit of a call's due dial.
///
/// # Errors
/// The transaction's own.
pub fn permit<T: Transaction>(
    tx: &mut T,
    id: CallId,
    terms: &Terms,
    at: &At,
    right: T::Right,
) -> Result<Permitted, T::Stop> {
    let Some(stored) = tx.call(id)? else {
        return Ok(Permitted::Refused(Refusal::AlreadyOver));
    };
    let dialled = match step(stored.as_ref(), due_input(terms), at.moment()) {
        Ok(dialled) => dialled,
        Err(refusal) => return Ok(Permitted::Refused(refusal)),
    };
    match obstacle(tx, stored.as_ref(), terms, right)? {
        None => {
            let call = tx.save(&stored, dialled, Some(terms))?;
            Ok(Permitted::Granted(Arc::unwrap_or_clone(call)))
        }
        Some(Obstacle::Paused) => Ok(Permitted::Paused),
        Some(Obstacle::LiveLimit) => Ok(Permitted::LiveLimit),
        Some(Obstacle::Pair) => match step(stored.as_ref(), pair_taken(), at.moment()) {
            Ok(held) => {
                let call = tx.save(&stored, held, None)?;
                Ok(Permitted::Held(Arc::unwrap_or_clone(call)))
            }
            Err(refusal) => Ok(Permitted::Refused(refusal)),
        },
    }
}

enum Obstacle {
    Paused,
    LiveLimit,
    Pair,
}

fn obstacle<T: Transaction>(
    tx: &mut T,
    call: &Call,
    terms: &Terms,
    right: T::Right,
) -> Result<Option<Obstacle>, T::Stop> {
    let gate = tx.gate(right, terms.max_live.is_some())?;
    if gate.is_shut {
        return Ok(Some(Obstacle::Paused));
    }
    if terms.max_live.is_some_and(|most| gate.live >= i64::from(most)) {
        return Ok(Some(Obstacle::LiveLimit));
    }
    let taken = tx.is_pair_taken(call, &terms.account)?;
    Ok(taken.then_some(Obstacle::Pair))
}
