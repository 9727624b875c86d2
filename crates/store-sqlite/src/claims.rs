//! The right to send one request for one attempt: asked for, granted under two constraints of the
//! database, and what became of it. Also who is due.
//!
//! What is decided by it is in [`store::work`].

use domain::{Call, CallId, CallState, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use store::codec::permit_to_code;
use store::work::Gate;
use store::{Due, Key, PermitState, StoreError, Terms};

use crate::error::Fault;
use crate::writer::Tx;

/// The permits in one of the two states in which they are not decided. The index is named, because SQLite would
/// sooner read every permit there ever was; its condition stands here too, because otherwise SQLite does not see
/// that it fits.
pub(crate) const UNDECIDED: &str = "SELECT calls.id, permits.attempt
    FROM permits INDEXED BY permits_undecided JOIN calls ON calls.n = permits.call_n
    WHERE permits.state IN (0, 4) AND permits.state = ?1";

/// What stands before all permits; `boot` is the one that this process counted.
pub(crate) fn gate(tx: &mut Tx<'_>, boot: Option<i64>) -> Result<Gate, Fault> {
    let (is_shut, live, boots): (bool, i64, i64) = tx
        .prepare_cached("SELECT paused_at IS NOT NULL OR restored <> 0, live, boots FROM dialling")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if boot != Some(boots) {
        // The lock should make this impossible; a removed lock file or a shared folder can make it
        // possible again.
        return Err(
            StoreError::broken("another process has taken the right to dial from this database").into(),
        );
    }
    let live = live + tx.tally().live_so_far();
    Ok(Gate { is_shut, live })
}

/// Whether a dial between a call's numbers, by this account, is undecided.
pub(crate) fn is_pair_taken(tx: &Tx<'_>, call: &Call, account: &str) -> Result<bool, Fault> {
    Ok(tx
        .prepare_cached(
            "SELECT 1 FROM permits
             WHERE account = ?1 AND from_number = ?2 AND to_number = ?3 AND state IN (0, 4)",
        )?
        .exists((account, call.request.from.reveal(), call.request.to.reveal()))?)
}

/// What an idempotency key stands for: the digest of a request, and its call by its number.
pub(crate) fn key(tx: &Tx<'_>, key: &str) -> Result<Option<([u8; 32], i64)>, Fault> {
    let mut select = tx.prepare_cached("SELECT body_hash, call_n FROM keys WHERE key = ?1")?;
    Ok(select
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Gives a key to the call with number `n`.
pub(crate) fn add_key(tx: &Tx<'_>, key: &Key, n: i64, now: Timestamp) -> Result<(), Fault> {
    tx.prepare_cached("INSERT INTO keys (key, body_hash, call_n, created_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute((&key.key, &key.body[..], n, now.millis()))?;
    Ok(())
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

/// Permits that are granted or in doubt.
pub(crate) fn undecided(conn: &Connection, state: PermitState) -> Result<Vec<(CallId, u32)>, Fault> {
    let mut select = conn.prepare_cached(UNDECIDED)?;
    let of_row = |row: &rusqlite::Row<'_>| Ok((CallId::from_bytes(row.get(0)?), row.get(1)?));
    let rows = select.query_map([permit_to_code(state)], of_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
