//! The right to send one request for one attempt: asked for, granted under two constraints of the
//! database, and what became of it. Also who is due.
//!
//! Whether a call may be dialled is the domain's rule; here are the obstacles that only the store
//! can see (a pause, the live limit, another dial between the same numbers), looked at in the
//! transaction that writes the permit.

use std::sync::Arc;

use domain::step::{Input, step};
use domain::{Call, CallId, CallState, HoldReason, Refusal, Timestamp};
use store::{Accepted, At, Due, Key, NewCall, PermitState, Permitted, StoreError, Terms};

use crate::calls;
use crate::connect::{Pool, Query, values};
use crate::error::Fault;
use crate::right::Right;
use crate::tx::{Grant, Pair, Stop, Tx};

/// What is said of a call that waits for another dial to the same person.
const PAIR_TAKEN: &str = "another dial between the same two numbers is still undecided";

/// Takes a call, its key and, where nothing stands in the way, the permit for its first dial.
pub(crate) fn accept(tx: &mut Tx, new: &NewCall, at: &At, right: Right) -> Result<Accepted, Stop> {
    let now = at.now;
    let mut accepted = domain::step::accept(new.id, new.request.clone(), now);
    let is_due = accepted.call.due_at().is_some_and(|due| due <= now);
    let terms = new.permit.as_ref().filter(|_| is_due);
    if let Some(terms) = terms {
        want_obstacles(tx, &accepted.call, terms);
    }
    if let Some(key) = &new.key
        && let Some(known) = known_key(tx, key)?
    {
        return Ok(known);
    }
    if let Some(terms) = terms {
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
    calls::insert(tx, &call, &accepted.events, terms)?;
    if let Some(key) = &new.key {
        tx.add_key(&key.key, key.body, new.id, now);
    }
    Ok(Accepted::New(call))
}

fn known_key(tx: &mut Tx, key: &Key) -> Result<Option<Accepted>, Stop> {
    let Some((body, id)) = tx.key(&key.key)? else {
        return Ok(None);
    };
    if body != key.body {
        return Ok(Some(Accepted::KeyTaken));
    }
    let stored = tx.call(id)?;
    let stored = stored.ok_or_else(|| StoreError::broken("an idempotency key belongs to no call"))?;
    Ok(Some(Accepted::Repeat(stored.call)))
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
pub(crate) fn permit(
    tx: &mut Tx,
    id: CallId,
    terms: &Terms,
    at: &At,
    right: Right,
) -> Result<Permitted, Stop> {
    tx.want_gate(terms.max_live.is_some());
    let Some(stored) = tx.call(id)? else {
        return Ok(Permitted::Refused(Refusal::AlreadyOver));
    };
    let dialled = match step(&stored.call, due_input(terms), at.moment()) {
        Ok(dialled) => dialled,
        Err(refusal) => return Ok(Permitted::Refused(refusal)),
    };
    match obstacle(tx, &stored.call, terms, right)? {
        None => {
            let call = calls::save(tx, &stored, dialled, Some(terms))?;
            Ok(Permitted::Granted(Arc::unwrap_or_clone(call)))
        }
        Some(Obstacle::Paused) => Ok(Permitted::Paused),
        Some(Obstacle::LiveLimit) => Ok(Permitted::LiveLimit),
        Some(Obstacle::Pair) => match step(&stored.call, pair_taken(), at.moment()) {
            Ok(held) => {
                let call = calls::save(tx, &stored, held, None)?;
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

fn want_obstacles(tx: &mut Tx, call: &Call, terms: &Terms) {
    tx.want_gate(terms.max_live.is_some());
    tx.want_pair(&pair(call, &terms.account));
}

fn obstacle(tx: &mut Tx, call: &Call, terms: &Terms, right: Right) -> Result<Option<Obstacle>, Stop> {
    want_obstacles(tx, call, terms);
    let gate = tx.gate(terms.max_live.is_some())?;
    right.check(gate.counted)?;
    if gate.is_shut {
        return Ok(Some(Obstacle::Paused));
    }
    let is_full = |live: i64| terms.max_live.is_some_and(|most| live >= i64::from(most));
    if gate.live.is_some_and(is_full) {
        return Ok(Some(Obstacle::LiveLimit));
    }
    let taken = tx.is_taken(&pair(call, &terms.account))?;
    Ok(taken.then_some(Obstacle::Pair))
}

fn pair(call: &Call, account: &str) -> Pair {
    Pair {
        account: account.to_owned(),
        from: call.request.from.clone(),
        to: call.request.to.clone(),
    }
}

/// Notes where a permit stands. A new one needs its terms, and is refused by the database itself if
/// the attempt or the pair of numbers is taken.
pub(crate) fn move_permit(
    tx: &mut Tx,
    attempt: u32,
    state: PermitState,
    call: &Call,
    terms: Option<&Terms>,
) -> Result<(), StoreError> {
    if state != PermitState::Granted {
        tx.move_permit(call.id, attempt, state);
        return Ok(());
    }
    let terms = terms.ok_or_else(|| StoreError::broken("a dial was permitted without terms"))?;
    let CallState::Dialling { permit_at, .. } = call.state else {
        return Err(StoreError::broken("a dial was permitted that is not being made"));
    };
    let grant = Grant {
        state,
        granted_at: permit_at,
    };
    tx.grant(call.id, attempt, pair(call, &terms.account), grant)?;
    tx.pace_clear_at(terms.pace_clear_at);
    Ok(())
}

/// Notes the permit of an attempt that another program sent, by an account that is not known.
pub(crate) fn note_permit(tx: &mut Tx, call: &Call, attempt: u32, state: PermitState, granted_at: Timestamp) {
    let grant = Grant { state, granted_at };
    tx.note_permit(call.id, attempt, pair(call, ""), grant);
}

/// Waiting calls whose dial may be sent by `now`, the longest due first.
pub(crate) async fn due(pool: &Pool, now: Timestamp, limit: i64) -> Result<Vec<Due>, Fault> {
    let sql = "SELECT id, due_at FROM calls WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2";
    let rows = pool.all(Query::new(sql, values![now.millis(), limit])).await?;
    let due = rows.iter().map(|row| {
        Ok(Due {
            id: calls::id(row, 0)?,
            due_at: Timestamp::from_millis(row.try_get(1)?),
        })
    });
    due.collect()
}

/// When the next dial after `after` may be sent.
pub(crate) async fn next_due(pool: &Pool, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT due_at FROM calls WHERE due_at > $1 ORDER BY due_at LIMIT 1";
    calls::moment(pool.at_most_one(Query::new(sql, values![after.millis()])).await?)
}

/// Permits whose request may be under way, or was when a process died.
pub(crate) async fn granted(pool: &Pool) -> Result<Vec<(CallId, u32)>, Fault> {
    // Both conditions: the first names the index that holds these few, the second what is wanted.
    let sql = "SELECT call_id, attempt FROM permits WHERE state IN (0, 4) AND state = 0";
    let rows = pool.all(Query::new(sql, [])).await?;
    let granted = rows
        .iter()
        .map(|row| Ok((calls::id(row, 0)?, attempt(row.try_get(1)?)?)));
    granted.collect()
}

/// An attempt's number in a column.
pub(crate) fn attempt(number: i64) -> Result<u32, Fault> {
    let number = u32::try_from(number);
    Ok(number.map_err(|_| StoreError::broken("a row names an attempt that cannot be"))?)
}
