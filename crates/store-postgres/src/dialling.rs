//! Whether may be dialled, as operators and the account decide; and what the metrics count.
//!
//! These changes are rare and wait for nobody but each other, so each is a transaction of its own
//! beside the writer's batches.

use crate::connect::{Pool, Query, values};
use crate::epoch::TIMELINE;
use crate::error::Fault;
use crate::load::BEGIN;
use crate::lock::Lock;
use crate::news;
use domain::Timestamp;
use store::{AccountHold, Depths, Dialling, News, StoreError};
use tokio_postgres::Row;

const READ: &str = "SELECT paused_at, hold_since, hold_probe_at, hold_message, nullif(restored, 0),
                           (SELECT max(pace_clear_at) FROM live), (SELECT sum(n)::bigint FROM live)
                    FROM dialling";

/// Whether and how fast may be dialled.
pub(crate) async fn read(pool: &Pool) -> Result<Dialling, Fault> {
    dialling(&pool.one(Query::new(READ, [])).await?)
}

fn dialling(row: &Row) -> Result<Dialling, Fault> {
    let moment = |column: usize| -> Result<Option<Timestamp>, Fault> {
        let at: Option<i64> = row.try_get(column)?;
        Ok(at.map(Timestamp::from_millis))
    };
    let account_hold = match (moment(1)?, moment(2)?, row.try_get(3)?) {
        (Some(since), Some(probe_at), Some(message)) => Some(AccountHold {
            since,
            probe_at,
            message,
        }),
        _ => None,
    };
    Ok(Dialling {
        paused_at: moment(0)?,
        account_hold,
        pace_clear_at: moment(5)?,
        live: count(row.try_get(6)?),
        restored: moment(4)?,
    })
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Pauses or resumes. A pause that lasts already keeps its beginning. Waits for permits that are
/// being granted: none is granted once this has returned.
pub(crate) async fn set_paused(
    pool: &Pool,
    node: i64,
    paused: bool,
    now: Timestamp,
) -> Result<Dialling, Fault> {
    let at = paused.then_some(now.millis());
    let change = Query::new(
        "UPDATE dialling SET paused_at = CASE WHEN $1::bigint IS NOT NULL THEN coalesce(paused_at, $1) END",
        values![at],
    );
    dialling(&change_gate(pool, Some(node), change).await?)
}

/// Notes that everything is a copy from `copied_at`, or that what is missing in it has been made
/// good. The column is 0 for the latter: a moment before 1970 is none.
pub(crate) async fn set_restored(pool: &Pool, node: i64, copied_at: Option<Timestamp>) -> Result<(), Fault> {
    let mark = copied_at.map_or(0, |at| at.millis().max(1));
    let change = Query::new(
        format!(
            "UPDATE dialling SET restored = $1::bigint WHERE $1::bigint <> 0 OR timeline IS NOT DISTINCT FROM {TIMELINE}"
        ),
        values![mark],
    );
    change_gate(pool, Some(node), change).await.map(|_| ())
}

/// Changes what every permit looks at, and reads what came of it. The other processes are told; with
/// no `node`, this one too.
pub(crate) async fn change_gate(pool: &Pool, node: Option<i64>, change: Query) -> Result<Row, Fault> {
    let told = news::tell(News::Dialling, node.unwrap_or_default());
    let queries = vec![
        Query::new(Lock::Pause.alone(), []),
        change,
        told,
        Query::new(READ, []),
    ];
    let mut answers = pool.transaction(BEGIN, queries).await?;
    let row = answers.pop().and_then(|mut rows| rows.pop());
    Ok(row.ok_or_else(|| StoreError::broken("the row of the dialling is gone"))?)
}

/// Notes that the carrier refuses the account, or that it takes it again.
pub(crate) async fn set_account_hold(
    pool: &Pool,
    node: i64,
    hold: Option<&AccountHold>,
) -> Result<(), Fault> {
    let change = Query::new(
        "UPDATE dialling SET hold_since = $1, hold_probe_at = $2, hold_message = $3",
        values![
            hold.map(|hold| hold.since.millis()),
            hold.map(|hold| hold.probe_at.millis()),
            // The one character that the database has no room for.
            hold.map(|hold| hold.message.replace('\0', " ")),
        ],
    );
    let queries = vec![change, news::tell(News::Dialling, node)];
    pool.transaction(BEGIN, queries).await.map(|_| ())
}

/// How much there is of each kind of work; counted along indexes that hold little else.
pub(crate) async fn depths(pool: &Pool, now: Timestamp) -> Result<Depths, Fault> {
    let query = Query::new(
        "SELECT (SELECT count(*) FROM calls WHERE due_at IS NOT NULL),
                (SELECT count(*) FROM calls WHERE due_at <= $1),
                (SELECT min(due_at) FROM calls WHERE due_at <= $1),
                (SELECT sum(n)::bigint FROM live),
                (SELECT count(*) FROM permits WHERE state IN (0, 4)),
                (SELECT count(*) FROM orphans)",
        values![now.millis()],
    );
    let row = pool.one(query).await?;
    let oldest: Option<i64> = row.try_get(2)?;
    Ok(Depths {
        waiting: count(row.try_get(0)?),
        due: count(row.try_get(1)?),
        live: count(row.try_get(3)?),
        undecided: count(row.try_get(4)?),
        orphans: count(row.try_get(5)?),
        oldest_due: oldest.map(|at| now.since(Timestamp::from_millis(at))),
    })
}
