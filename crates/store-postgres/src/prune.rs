//! Deletes calls that ended long ago, with everything that hangs on them.
//!
//! In small transactions with a pause after each, so that servers beside it dial and answer on. Only
//! calls that nothing is done for any more are touched: not those about which the carrier is still
//! asked, and none younger than an idempotency key must live. Calls and keys are walked in the order
//! of their names, so that no statement grows with what is stored. Called by the command.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Call, Timestamp};
use store::StoreError;
use store::codec::status_to_code;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::calls::{COLUMNS, stored, uuid};
use crate::clock;
use crate::connect::{self, Conn, Pool, Query, values};
use crate::error::Fault;
use crate::load::BEGIN;
use crate::migrate;

/// Calls, or keys, looked at in one transaction: some milliseconds' work.
const PORTION: i64 = 200;

/// The pause after a portion: longer than one takes, so that the server is left to others for most of
/// the time. A million calls are gone in some seven minutes.
const PAUSE: Duration = Duration::from_millis(50);

/// A key makes a repeated request find its call for this long at least; a call is as old as its key.
const KEYS_LIVE: Duration = Duration::from_secs(24 * 3_600);

/// What was deleted, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The moment before which they ended.
    pub before: Timestamp,
    /// How many calls.
    pub calls: u64,
    /// How many calls are left.
    pub left: u64,
    /// The database's size, which does not change by this: what is free in it is used for new calls.
    pub bytes: u64,
}

/// What a call must be to go.
#[derive(Clone, Copy)]
struct Old {
    accepted_before: Timestamp,
    ended_before: Timestamp,
}

impl Old {
    fn is(self, call: &Call) -> bool {
        call.created_at < self.accepted_before && call.is_over() && call.updated_at < self.ended_before
    }
}

/// Deletes the calls of the database at `url` that have been over, without a word of news, for `age`;
/// with `dry_run` only counts them. `progress` is told how many there were so far.
///
/// # Errors
/// `Broken`, in words for an operator: as [`crate::PostgresStore::open`], or a database without a
/// schema. What was deleted before stays deleted.
pub async fn prune(
    url: &str,
    age: Duration,
    dry_run: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Pruned, StoreError> {
    let mut config = connect::config(url)?;
    config.application_name("redial prune");
    let pool = Pool::new(config, 1)?;
    let pruned = prune_all(&pool, age, dry_run, progress).await;
    pruned.map_err(Fault::into_store)
}

async fn prune_all(
    pool: &Pool,
    age: Duration,
    dry_run: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Pruned, Fault> {
    let now = clock::now(pool).await?;
    let mut conn = pool.get().await?;
    if !migrate::is_current(&mut conn).await? {
        return Err(StoreError::broken("the database has an older schema; start the server once").into());
    }
    let before = now - age;
    let old = Old {
        accepted_before: before.min(now - KEYS_LIVE),
        ended_before: before,
    };
    if !dry_run {
        // First: a call may lose an old key, but a key must find its call.
        keys(&mut conn, old).await?;
    }
    let calls = calls(&mut conn, old, dry_run, progress).await?;
    if !dry_run {
        // Users who have no call left.
        conn.all(Query::new("DELETE FROM totals WHERE n = 0", [])).await?;
    }
    let sql = "SELECT (SELECT coalesce(sum(n), 0)::bigint FROM totals), pg_database_size(current_database())";
    let row = conn.one(Query::new(sql, [])).await?;
    let number = |column| -> Result<u64, Fault> {
        let found: i64 = row.try_get(column)?;
        Ok(u64::try_from(found).unwrap_or(0))
    };
    Ok(Pruned {
        before,
        calls,
        left: number(0)?,
        bytes: number(1)?,
    })
}

/// Deletes the keys of the calls that are to go.
async fn keys(conn: &mut Conn, old: Old) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let sql = format!(
            "SELECT {COLUMNS}, key
             FROM (SELECT key, call_id FROM keys WHERE $1::text IS NULL OR key > $1 ORDER BY key LIMIT {PORTION})
                  AS page LEFT JOIN calls ON id = call_id
             ORDER BY key"
        );
        let rows = conn.all(Query::new(sql, values![after.clone()])).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = Some(last.try_get(11)?);
        let mut gone: Vec<String> = Vec::new();
        for row in &rows {
            let finds_none = row.try_get::<_, Option<Uuid>>(0)?.is_none();
            if finds_none || old.is(&stored(row)?.call) {
                gone.push(row.try_get(11)?);
            }
        }
        if !gone.is_empty() {
            let delete = "DELETE FROM keys WHERE key = ANY($1)";
            conn.all(Query::new(delete, values![gone])).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Deletes the calls, portion by portion; says how many there were.
async fn calls(
    conn: &mut Conn,
    old: Old,
    dry_run: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<u64, Fault> {
    let mut deleted = 0;
    let mut after = Uuid::nil();
    loop {
        let sql = format!(
            "SELECT id, created_at < $2 AND due_at IS NULL AND check_at IS NULL
             FROM calls WHERE id > $1 ORDER BY id LIMIT {PORTION}"
        );
        let look = Query::new(sql, values![after, old.accepted_before.millis()]);
        let rows = conn.all(look).await?;
        let Some(last) = rows.last() else {
            return Ok(deleted);
        };
        after = last.try_get(0)?;
        let candidates = rows.iter().filter(|row| row.get(1)).map(|row| row.get(0));
        let candidates: Vec<Uuid> = candidates.collect();
        if candidates.is_empty() {
            continue;
        }
        deleted += portion(conn, old, candidates, dry_run).await?;
        progress(deleted);
        if !dry_run {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// One transaction. A call that somebody else has in hand just now stays.
async fn portion(conn: &mut Conn, old: Old, candidates: Vec<Uuid>, dry_run: bool) -> Result<u64, Fault> {
    conn.script(BEGIN).await?;
    let done = delete(conn, old, candidates, dry_run).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = conn.script(end).await;
    let done = done?;
    ended.map(|()| done)
}

async fn delete(conn: &mut Conn, old: Old, candidates: Vec<Uuid>, dry_run: bool) -> Result<u64, Fault> {
    let lock = if dry_run { "" } else { " FOR UPDATE SKIP LOCKED" };
    let sql = format!(
        "SELECT {COLUMNS} FROM calls
         WHERE id = ANY($1) AND due_at IS NULL AND check_at IS NULL ORDER BY id{lock}"
    );
    let rows = conn.all(Query::new(sql, values![candidates])).await?;
    let calls: Vec<_> = rows.iter().map(call).collect::<Result<_, _>>()?;
    let gone: Vec<&Call> = calls.iter().filter(|call| old.is(call)).collect();
    if !dry_run && !gone.is_empty() {
        conn.run(deletions(&gone)).await?;
    }
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

fn call(row: &Row) -> Result<Call, Fault> {
    Ok(std::sync::Arc::unwrap_or_clone(stored(row)?.call))
}

/// Everything that hangs on calls, and the calls; the counters last, as whoever writes does.
fn deletions(calls: &[&Call]) -> Vec<Query> {
    let ids: Vec<Uuid> = calls.iter().map(|call| uuid(call.id)).collect();
    let legs = calls.iter().flat_map(|call| call.legs());
    let legs: Vec<String> = legs.map(|sid| sid.as_str().to_owned()).collect();
    let mut totals: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for call in calls {
        let key = (call.request.user_id.as_str(), status_to_code(call.status()));
        *totals.entry(key).or_default() -= 1;
    }
    let users: Vec<String> = totals.keys().map(|(user, _)| (*user).to_owned()).collect();
    let statuses: Vec<i64> = totals.keys().map(|(_, status)| *status).collect();
    let fewer: Vec<i64> = totals.into_values().collect();
    vec![
        Query::new(
            "DELETE FROM sids WHERE sid = ANY($1) AND call_id = ANY($2)",
            values![legs, ids.clone()],
        ),
        Query::new("DELETE FROM events WHERE call_id = ANY($1)", values![ids.clone()]),
        Query::new(
            "DELETE FROM permits WHERE call_id = ANY($1)",
            values![ids.clone()],
        ),
        Query::new("DELETE FROM calls WHERE id = ANY($1)", values![ids]),
        Query::new(
            "INSERT INTO totals (user_id, status, slot, n)
             SELECT user_id, status, pg_backend_pid() % 32, n
             FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new (user_id, status, n)
             ON CONFLICT (user_id, status, slot) DO UPDATE SET n = totals.n + excluded.n",
            values![users, statuses, fewer],
        ),
    ]
}
