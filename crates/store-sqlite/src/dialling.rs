//! The one row that all calls share, and what the metrics count.

use domain::Timestamp;
use rusqlite::Connection;
use store::{AccountHold, Depths, Dialling};

use crate::error::Fault;
use crate::writer::Tx;

/// How many permits are undecided. The index is named, because SQLite would sooner read every permit
/// there ever was.
const UNDECIDED: &str = "SELECT count(*) FROM permits INDEXED BY permits_undecided WHERE state IN (0, 4)";

/// Whether and how fast may be dialled.
pub(crate) fn read(conn: &Connection) -> Result<Dialling, Fault> {
    let read = conn
        .prepare_cached(
            "SELECT paused_at, pace_clear_at, live, hold_since, hold_probe_at, hold_message,
                    nullif(restored, 0)
             FROM dialling",
        )?
        .query_row([], |row| {
            let moment = |column| {
                row.get::<_, Option<i64>>(column)
                    .map(|at| at.map(Timestamp::from_millis))
            };
            let hold = match (moment(3)?, moment(4)?, row.get(5)?) {
                (Some(since), Some(probe_at), Some(message)) => Some(AccountHold {
                    since,
                    probe_at,
                    message,
                }),
                _ => None,
            };
            let live = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
            Ok(Dialling {
                paused_at: moment(0)?,
                account_hold: hold,
                pace_clear_at: moment(1)?,
                live,
                restored: moment(6)?,
            })
        })?;
    Ok(read)
}

/// Pauses or resumes. A pause that lasts already keeps its beginning.
pub(crate) fn set_paused(tx: &mut Tx<'_>, paused: bool, now: Timestamp) -> Result<Dialling, Fault> {
    let at = paused.then_some(now.millis());
    tx.prepare_cached(
        "UPDATE dialling SET paused_at = CASE WHEN ?1 IS NULL THEN NULL ELSE ifnull(paused_at, ?1) END",
    )?
    .execute([at])?;
    let mut read = read(tx)?;
    // What the same batch has counted before is not in the row yet.
    read.live = read.live.saturating_add_signed(tx.tally().live_so_far());
    Ok(read)
}

/// Notes that the carrier refuses the account, or that it takes it again.
pub(crate) fn set_account_hold(tx: &Tx<'_>, hold: Option<&AccountHold>) -> Result<(), Fault> {
    tx.prepare_cached("UPDATE dialling SET hold_since = ?1, hold_probe_at = ?2, hold_message = ?3")?
        .execute((
            hold.map(|hold| hold.since.millis()),
            hold.map(|hold| hold.probe_at.millis()),
            hold.map(|hold| &hold.message),
        ))?;
    Ok(())
}

/// Notes that the file is a copy from `copied_at`, or that what is missing in it has been made good.
/// The column is 0 for the latter: a moment before 1970 is none.
pub(crate) fn set_restored(tx: &Tx<'_>, copied_at: Option<Timestamp>) -> Result<(), Fault> {
    let mark = copied_at.map_or(0, |at| at.millis().max(1));
    tx.prepare_cached("UPDATE dialling SET restored = ?1")?
        .execute([mark])?;
    Ok(())
}

/// How much there is of each kind of work; counted along indexes that hold little else.
pub(crate) fn depths(conn: &Connection, now: Timestamp) -> Result<Depths, Fault> {
    let number = |sql: &str| -> Result<u64, Fault> {
        let count: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let (due, oldest): (i64, Option<i64>) = conn
        .prepare_cached("SELECT count(*), min(due_at) FROM calls WHERE due_at <= ?1")?
        .query_row([now.millis()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Depths {
        waiting: number("SELECT count(*) FROM calls WHERE due_at IS NOT NULL")?,
        due: u64::try_from(due).unwrap_or(0),
        live: number("SELECT live FROM dialling")?,
        undecided: number(UNDECIDED)?,
        orphans: number("SELECT count(*) FROM orphans")?,
        oldest_due: oldest.map(|at| now.since(Timestamp::from_millis(at))),
    })
}

#[cfg(test)]
mod tests;
