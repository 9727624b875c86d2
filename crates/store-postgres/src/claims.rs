//! Permits as rows: granted under two constraints of the database, and what became of them. Also who
//! is due. Whether one is granted is decided in `store::work`.

use domain::{Call, CallId, CallState, Timestamp};
use store::{Due, PermitState, StoreError, Terms};

use crate::calls;
use crate::connect::{Pool, Query, values};
use crate::error::Fault;
use crate::tx::{Grant, Pair, Tx};

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
