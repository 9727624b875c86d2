//! Deletes calls that ended long ago, with everything that hangs on them.
//!
//! In small transactions of a connection of its own, with a longer pause after each, so that a
//! server beside it writes on. Only calls that nothing is done for any more are touched: not those about
//! which the carrier is still asked, and none younger than an idempotency key must live. The server keeps no
//! such call in memory, and forgets what it keeps whenever another connection has written. Called by the
//! command.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{Call, Timestamp};
use rusqlite::{Connection, TransactionBehavior};
use store::StoreError;

use crate::connect;
use crate::error::{Fault, broken, from_sqlite};
use crate::migrate::{self, Standing};
use crate::tally::Tally;
use crate::{calls, clock};

/// Calls looked at in one transaction: a few milliseconds' work, so that whoever waits for the file hardly
/// notices.
const PORTION: i64 = 50;

/// The pause after a portion, in times of what it took. Who finds the file taken looks again at growing gaps, and
/// must soon find it free: with a pause only as long as the work, a writer was seen to wait for seconds.
const PAUSES: u32 = 3;

/// Longest pause after a portion, however long that took.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A key makes a repeated request find its call for this long at least; a call is as old as its key.
const KEYS_LIVE: Duration = Duration::from_secs(24 * 3_600);

/// Pages in the log at which it is emptied: 8 MiB.
const LOG_PAGES: i64 = 2_048;

/// A call and its number in the file.
type Numbered = (i64, Arc<Call>);

/// What was deleted, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// How many calls.
    pub calls: u64,
    /// How many calls are left.
    pub left: u64,
    /// Bytes inside the file that are free for new calls.
    pub free_bytes: u64,
    /// The file's size, which does not change by this.
    pub file_bytes: u64,
}

/// The moment before which a call must have ended to have been over for `age` now.
pub fn ended_before(age: Duration) -> Timestamp {
    clock::now() - age
}

/// Deletes the calls of the database at `path` that are over and of which nothing was heard since `before`;
/// with `dry_run` only counts them. `progress` is told how many there were so far.
///
/// # Errors
/// `Broken`, in words for an operator: no database, or one with another schema. `Busy`: another program writes
/// without pause. What was deleted before stays deleted.
pub fn prune(
    path: &Path,
    before: Timestamp,
    dry_run: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<Pruned, StoreError> {
    connect::check_version()?;
    if !path.exists() {
        return Err(broken(
            format!("there is no database at {}", path.display()),
            None,
        ));
    }
    connect::refuse_network(path)?;
    let mut conn = connect::writer(path)?;
    if migrate::standing(&conn)? != Standing::Current {
        let what = format!("{} has an older schema; start the server once", path.display());
        return Err(broken(what, None));
    }
    let pruned = prune_all(&mut conn, before, dry_run, progress).map_err(Fault::into_store)?;
    conn.close().map_err(|(_, error)| from_sqlite(error))?;
    Ok(pruned)
}

fn prune_all(
    conn: &mut Connection,
    before: Timestamp,
    dry_run: bool,
    progress: &mut dyn FnMut(u64),
) -> Result<Pruned, Fault> {
    let accepted_before = before.min(clock::now() - KEYS_LIVE);
    // A call that is written from now on gets a higher number: it is not looked at.
    let last: i64 = conn.query_row("SELECT ifnull(max(n), 0) FROM calls", [], |row| row.get(0))?;
    list_keys(conn, accepted_before)?;
    let mut deleted = 0;
    let mut after = 0;
    while after < last {
        let begun = clock::now();
        let tx = conn.transaction_with_behavior(match dry_run {
            true => TransactionBehavior::Deferred,
            false => TransactionBehavior::Immediate,
        })?;
        let (portion, next) = old_calls(&tx, after, last, accepted_before, before)?;
        if !dry_run && !portion.is_empty() {
            delete(&tx, &portion)?;
        }
        tx.commit()?;
        after = next;
        deleted += u64::try_from(portion.len()).unwrap_or(0);
        progress(deleted);
        if !dry_run && !portion.is_empty() {
            let took = clock::now().since(begun);
            std::thread::sleep((took * PAUSES).min(LONGEST_PAUSE));
        }
    }
    if !dry_run {
        // Users who have no call left.
        conn.execute("DELETE FROM totals WHERE n = 0", [])?;
    }
    let number = |sql: &str| -> Result<u64, Fault> {
        let found: i64 = conn.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(found).unwrap_or(0))
    };
    let page = number("PRAGMA page_size")?;
    Ok(Pruned {
        calls: deleted,
        left: number("SELECT ifnull(sum(n), 0) FROM totals")?,
        free_bytes: page * number("PRAGMA freelist_count")?,
        file_bytes: page * number("PRAGMA page_count")?,
    })
}

/// Lists the keys by call, on the disk and outside the database: in it they are found by key alone.
fn list_keys(conn: &Connection, accepted_before: Timestamp) -> rusqlite::Result<()> {
    conn.pragma_update(None, "temp_store", "FILE")?;
    // Without a server nobody else moves what is written out of the log.
    conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    conn.execute_batch(
        "CREATE TEMP TABLE keys_by_call (call_n INTEGER NOT NULL, key TEXT NOT NULL,
                                         PRIMARY KEY (call_n, key)) STRICT, WITHOUT ROWID",
    )?;
    conn.execute(
        "INSERT INTO temp.keys_by_call SELECT call_n, key FROM keys WHERE created_at < ?1",
        [accepted_before.millis()],
    )?;
    Ok(())
}

/// The calls of one portion that are to go, by their numbers, and where the next portion begins.
fn old_calls(
    conn: &Connection,
    after: i64,
    last: i64,
    accepted_before: Timestamp,
    before: Timestamp,
) -> Result<(Vec<Numbered>, i64), Fault> {
    // A call that waits is due, and one that is asked about is to be looked at.
    let candidates: Vec<i64> = conn
        .prepare_cached(
            "SELECT n FROM calls
             WHERE n > ?1 AND n <= ?2 AND created_at < ?3 AND due_at IS NULL AND check_at IS NULL
             ORDER BY n LIMIT ?4",
        )?
        .query_map((after, last, accepted_before.millis(), PORTION), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let full = candidates.len() == usize::try_from(PORTION).unwrap_or(usize::MAX);
    let next = candidates.last().copied().filter(|_| full).unwrap_or(last);
    let mut old = Vec::new();
    for n in candidates {
        if let Some(stored) = calls::load_by_number(conn, n)?
            && stored.call.is_over()
            && stored.call.updated_at < before
        {
            old.push((n, stored.call));
        }
    }
    Ok((old, next))
}

fn delete(conn: &Connection, portion: &[Numbered]) -> Result<(), Fault> {
    let mut tally = Tally::default();
    for (n, call) in portion {
        for sql in [
            "DELETE FROM keys WHERE key IN (SELECT key FROM temp.keys_by_call WHERE call_n = ?1) AND call_n = ?1",
            "DELETE FROM events WHERE call_n = ?1",
            "DELETE FROM permits WHERE call_n = ?1",
            "DELETE FROM calls WHERE n = ?1",
        ] {
            conn.prepare_cached(sql)?.execute([n])?;
        }
        for sid in call.legs() {
            conn.prepare_cached("DELETE FROM sids WHERE sid = ?1 AND call_n = ?2")?
                .execute((sid.as_str(), n))?;
        }
        tally.total(call.request.user_id.as_str(), call.status(), -1);
    }
    tally.keep();
    Ok(tally.write(conn)?)
}

#[cfg(test)]
mod tests;
