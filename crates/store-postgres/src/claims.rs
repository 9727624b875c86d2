//! Permits as rows: granted under two constraints of the database, and what became of them. Also who
//! is due, and which process was told so. Whether a permit is granted is decided in `store::work`.

use crate::calls;
use crate::connect::{Pool, Query, values};
use crate::error::Fault;
use crate::tx::{Grant, Pair, Tx};

use domain::{Call, CallId, CallState, Timestamp};
use store::codec::permit_to_code;
use store::{CLAIMED_FOR, Due, PermitState, RENEWED_AFTER, StoreError, Terms, furthest_claim};
use tokio_postgres::Row;

/// The numbers and the account of which one dial may be undecided.
pub(crate) fn pair(call: &Call, account: &str) -> Pair {
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

/// Forgets claims that have run out at `$1`, or that a clock which was wrong let run past `$2`.
pub(crate) const DROP_OLD: &str = "DELETE FROM claims WHERE until NOT BETWEEN $1::bigint + 1 AND $2";

/// Within a statement: what it writes need not be on the disk when it is answered. A claim that is lost
/// costs nothing but work.
const UNHURRIED: &str = "SELECT set_config('synchronous_commit', 'off', true)";

/// What a process was told of a call for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Dial = 0,
    Look = 1,
}

impl Kind {
    fn queue(self) -> &'static str {
        match self {
            Kind::Dial => "due_at",
            Kind::Look => "check_at",
        }
    }
}

/// Reads what is free or this process's own: the rows of `columns`, in the queue's order. The claim of each row is
/// looked up by itself, in a way that cannot be turned into a join, nor (by `+ 0`) into a scan of what runs out: only as
/// many rows are read as are wanted, and those of other processes that come before them.
fn free_or_own(kind: Kind, columns: &str) -> String {
    let (queue, kind) = (kind.queue(), kind as i64);
    format!(
        "SELECT {columns}, {queue}, coalesce(own.until >= $4, false)
         FROM calls LEFT JOIN LATERAL (
             SELECT node, until FROM claims
             WHERE call_id = id AND kind = {kind} AND until + 0 BETWEEN $1::bigint + 1 AND $5 LIMIT 1) AS own ON true
         WHERE {queue} <= $1 AND (own.node IS NULL OR own.node = $3)
         ORDER BY {queue}, id LIMIT $2"
    )
}

/// Claims what is free, and this process's own that was claimed long ago. With `SKIP LOCKED`, so that processes that look
/// at the same time find different ones, and by the row of the claim, so that those who look later do.
fn claim_free(kind: Kind, columns: &str) -> String {
    let (queue, kind) = (kind.queue(), kind as i64);
    format!(
        "WITH found AS MATERIALIZED (
             SELECT {columns}, {queue} AS place FROM calls
             WHERE {queue} <= $1 AND ({UNHURRIED}) = 'off' AND (
                 SELECT call_id FROM claims AS other
                 WHERE other.call_id = id AND other.kind = {kind} AND other.until + 0 BETWEEN $1::bigint + 1 AND $5
                       AND (other.node <> $3 OR other.until >= $4) LIMIT 1) IS NULL
             ORDER BY {queue}, id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED),
         claimed AS (
             INSERT INTO claims AS old (call_id, kind, node, until) SELECT id, {kind}, $3, $6 FROM found
             ON CONFLICT (call_id, kind) DO UPDATE SET node = excluded.node, until = excluded.until
             WHERE old.node = $3 OR old.until NOT BETWEEN $1::bigint + 1 AND $5
             RETURNING call_id)
         SELECT {columns}, place, true FROM found WHERE id IN (SELECT call_id FROM claimed)"
    )
}

/// Finds calls by a queue's column and claims those that this process was not told of lately. The rows
/// are those of `columns`, in the queue's order.
async fn claim(
    pool: &Pool,
    kind: Kind,
    columns: &str,
    node: i64,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Row>, Fault> {
    let until = now + CLAIMED_FOR;
    let (until, fresh) = (until.millis(), (until - RENEWED_AFTER).millis());
    let most = furthest_claim(now).millis();
    let values = values![now.millis(), limit, node, fresh, most];
    // What this process has in hand is told again and again: it is only read, neither locked nor written.
    let found = pool.all(Query::new(free_or_own(kind, columns), values)).await?;
    let mut own = Vec::with_capacity(found.len());
    let mut free = 0;
    for row in found {
        if row.try_get(row.len() - 1)? {
            own.push(row);
        } else {
            free += 1;
        }
    }
    if free == 0 {
        return Ok(own);
    }
    let values = values![now.millis(), i64::from(free), node, fresh, most, until];
    own.extend(pool.all(Query::new(claim_free(kind, columns), values)).await?);
    let mut placed = Vec::with_capacity(own.len());
    for row in own {
        let place: i64 = row.try_get(row.len() - 2)?;
        placed.push(((place, calls::id(&row, 0)?), row));
    }
    placed.sort_by_key(|(place, _)| *place);
    Ok(placed.into_iter().map(|(_, row)| row).collect())
}

/// Waiting calls whose dial may be sent by `now` and that no other process was told of, the longest
/// due first.
pub(crate) async fn due(pool: &Pool, node: i64, now: Timestamp, limit: i64) -> Result<Vec<Due>, Fault> {
    let rows = claim(pool, Kind::Dial, "id, due_at", node, now, limit).await?;
    let due = rows.iter().map(|row| {
        Ok(Due {
            id: calls::id(row, 0)?,
            due_at: Timestamp::from_millis(row.try_get(1)?),
        })
    });
    due.collect()
}

/// Calls that were to be looked at by `now` and that no other process was told of, the most overdue
/// first.
pub(crate) async fn to_check(pool: &Pool, node: i64, now: Timestamp, limit: i64) -> Result<Vec<Call>, Fault> {
    let rows = claim(pool, Kind::Look, calls::COLUMNS, node, now, limit).await?;
    rows.iter().map(calls::call).collect()
}

/// When the next dial after `after` may be sent.
pub(crate) async fn next_due(pool: &Pool, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT due_at FROM calls WHERE due_at > $1 ORDER BY due_at LIMIT 1";
    calls::moment(pool.at_most_one(Query::new(sql, values![after.millis()])).await?)
}

/// Permits that are granted or in doubt.
pub(crate) async fn undecided(pool: &Pool, state: PermitState) -> Result<Vec<(CallId, u32)>, Fault> {
    // Both conditions: the first names the index that holds these few, the second what is wanted.
    let sql = "SELECT call_id, attempt FROM permits WHERE state IN (0, 4) AND state = $1";
    let rows = pool.all(Query::new(sql, values![permit_to_code(state)])).await?;
    let undecided = rows
        .iter()
        .map(|row| Ok((calls::id(row, 0)?, attempt(row.try_get(1)?)?)));
    undecided.collect()
}

/// An attempt's number in a column.
pub(crate) fn attempt(number: i64) -> Result<u32, Fault> {
    let number = u32::try_from(number);
    Ok(number.map_err(|_| StoreError::broken("a row names an attempt that cannot be"))?)
}

#[cfg(test)]
mod tests;
