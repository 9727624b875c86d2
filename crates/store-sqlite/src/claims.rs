//! The right to send one request for one attempt: asked for, granted under two constraints of the
//! database, and what became of it. Also who is due.
//!
//! Whether a call may be dialled is the domain's rule; here are the obstacles that only the store
//! can see (a pause, the live limit, another dial between the same numbers), looked at in the
//! transaction that writes the permit.

use std::sync::Arc;

use domain::step::{Input, step};
use domain::{Call, CallId, CallState, HoldReason, Refusal, Timestamp};
use rusqlite::Connection;
use store::codec::permit_to_code;
use store::{Accepted, At, Due, Key, NewCall, PermitState, Permitted, StoreError, Terms};

use crate::calls;
use crate::error::Fault;
use crate::writer::Tx;

/// The permits that are granted. The index is named, because SQLite would sooner read every permit there
/// ever was; its condition stands here too, because otherwise SQLite does not see that it fits.
pub(crate) const GRANTED: &str = "SELECT calls.id, permits.attempt
    FROM permits INDEXED BY permits_undecided JOIN calls ON calls.n = permits.call_n
    WHERE permits.state IN (0, 4) AND permits.state = 0";

/// What is said of a call that waits for another dial to the same person.
const PAIR_TAKEN: &str = "another dial between the same two numbers is still undecided";

/// Takes a call, its key and, where nothing stands in the way, the permit for its first dial.
pub(crate) fn accept(tx: &mut Tx<'_>, new: &NewCall, at: &At, boot: Option<i64>) -> Result<Accepted, Fault> {
    if let Some(key) = &new.key
        && let Some(known) = known_key(tx, key)?
    {
        return Ok(known);
    }
    let now = at.now;
    let mut accepted = domain::step::accept(new.id, new.request.clone(), now);
    let terms = new.permit.as_ref();
    if let Some(terms) = terms.filter(|_| accepted.call.due_at().is_some_and(|due| due <= now)) {
        let input = match obstacle(tx, &accepted.call, terms, boot)? {
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
    let n = calls::insert(tx, &call, &accepted.events, terms)?;
    if let Some(key) = &new.key {
        tx.prepare_cached("INSERT INTO keys (key, body_hash, call_n, created_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute((&key.key, &key.body[..], n, now.millis()))?;
    }
    Ok(Accepted::New(call))
}

fn known_key(tx: &Tx<'_>, key: &Key) -> Result<Option<Accepted>, Fault> {
    let mut select = tx.prepare_cached("SELECT body_hash, call_n FROM keys WHERE key = ?1")?;
    let mut rows = select.query([&key.key])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    if row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)? != key.body {
        return Ok(Some(Accepted::KeyTaken));
    }
    let stored = calls::load_by_number(tx, row.get(1)?)?;
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
    tx: &mut Tx<'_>,
    id: CallId,
    terms: &Terms,
    at: &At,
    boot: Option<i64>,
) -> Result<Permitted, Fault> {
    let Some(stored) = calls::load_to_change(tx, id)? else {
        return Ok(Permitted::Refused(Refusal::AlreadyOver));
    };
    let dialled = match step(&stored.call, due_input(terms), at.moment()) {
        Ok(dialled) => dialled,
        Err(refusal) => return Ok(Permitted::Refused(refusal)),
    };
    match obstacle(tx, &stored.call, terms, boot)? {
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

fn obstacle(
    tx: &mut Tx<'_>,
    call: &Call,
    terms: &Terms,
    boot: Option<i64>,
) -> Result<Option<Obstacle>, Fault> {
    let (paused, live, boots): (bool, i64, i64) = tx
        .prepare_cached("SELECT paused_at IS NOT NULL OR restored <> 0, live, boots FROM dialling")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if boot != Some(boots) {
        // The lock should make this impossible; a removed lock file or a shared folder can make it
        // possible again.
        return Err(
            StoreError::broken("another process has taken the right to dial from this database").into(),
        );
    }
    if paused {
        return Ok(Some(Obstacle::Paused));
    }
    let live = live + tx.tally().live_so_far();
    if terms.max_live.is_some_and(|most| live >= i64::from(most)) {
        return Ok(Some(Obstacle::LiveLimit));
    }
    let taken = tx
        .prepare_cached(
            "SELECT 1 FROM permits
             WHERE account = ?1 AND from_number = ?2 AND to_number = ?3 AND state IN (0, 4)",
        )?
        .exists((
            &terms.account,
            call.request.from.reveal(),
            call.request.to.reveal(),
        ))?;
    Ok(taken.then_some(Obstacle::Pair))
}

/// Notes where a permit stands. A new one needs its terms, and is refused by the database itself if
/// the attempt or the pair of numbers is taken.
pub(crate) fn move_permit(
    tx: &mut Tx<'_>,
    n: i64,
    attempt: u32,
    state: PermitState,
    call: &Call,
    terms: Option<&Terms>,
) -> Result<(), Fault> {
    let code = permit_to_code(state);
    if state != PermitState::Granted {
        tx.prepare_cached("UPDATE permits SET state = ?3 WHERE call_n = ?1 AND attempt = ?2")?
            .execute((n, attempt, code))?;
        return Ok(());
    }
    let terms = terms.ok_or_else(|| StoreError::broken("a dial was permitted without terms"))?;
    let CallState::Dialling { permit_at, .. } = call.state else {
        return Err(StoreError::broken("a dial was permitted that is not being made").into());
    };
    let granted = tx
        .prepare_cached(
            "INSERT INTO permits (call_n, attempt, account, from_number, to_number, state, granted_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (call_n, attempt) DO UPDATE
                 SET account = excluded.account, state = excluded.state, granted_at = excluded.granted_at
                 WHERE state = 1",
        )?
        .execute((
            n,
            attempt,
            &terms.account,
            call.request.from.reveal(),
            call.request.to.reveal(),
            code,
            permit_at.millis(),
        ))?;
    if granted != 1 {
        return Err(
            StoreError::broken(format!("attempt {attempt} of call {} was sent before", call.id)).into(),
        );
    }
    tx.tally().pace_clear_at(terms.pace_clear_at);
    Ok(())
}

/// Waiting calls whose dial may be sent by `now`, the longest due first.
pub(crate) fn due(conn: &Connection, now: Timestamp, limit: i64) -> Result<Vec<Due>, Fault> {
    let mut select =
        conn.prepare_cached("SELECT id, due_at FROM calls WHERE due_at <= ?1 ORDER BY due_at, id LIMIT ?2")?;
    let rows = select.query_map((now.millis(), limit), |row| {
        Ok(Due {
            id: CallId::from_bytes(row.get(0)?),
            due_at: Timestamp::from_millis(row.get(1)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next dial after `after` may be sent.
pub(crate) fn next_due(conn: &Connection, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let mut select = conn.prepare_cached("SELECT min(due_at) FROM calls WHERE due_at > ?1")?;
    let at: Option<i64> = select.query_row([after.millis()], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

/// Permits whose request may be under way, or was when a process died.
pub(crate) fn granted(conn: &Connection) -> Result<Vec<(CallId, u32)>, Fault> {
    let mut select = conn.prepare_cached(GRANTED)?;
    let rows = select.query_map([], |row| Ok((CallId::from_bytes(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
