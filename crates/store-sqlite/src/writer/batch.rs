//! The writer thread itself: one batch after the other, and the log emptied between them.
//!
//! The only place that begins, commits or rolls back a transaction, and the only one that runs
//! checkpoints: SQLite's automatic one would hide a failed sync, and two at once are what its worst
//! known fault needed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB};

use super::job::{Job, Ran, panic_words};
use super::lanes::{BATCH, Lanes, Taken};
use super::{Memory, Tx};
use crate::error::{self, BatchFailure};
use crate::health::Health;

/// Pages in the log at which it is emptied while work goes on: 32 MiB at 4 KiB. Often enough to
/// bound the file and the time of a start, seldom enough that pages written again and again are
/// moved once.
const CHECKPOINT_PAGES: i32 = 8_192;

/// Further pages after which it is tried again, when a long read kept the log from beginning anew:
/// each try costs a sync of the file.
const CHECKPOINT_STEP: i32 = 2_048;

/// A pause in the work after which the log is emptied, so that nobody waits for it.
const IDLE: Duration = Duration::from_millis(500);

/// The body of the thread. Returns when the lanes are closed and empty.
pub(super) fn run(mut conn: Connection, lanes: &Lanes, health: &Health) {
    let log_pages = Arc::new(AtomicI32::new(0));
    let seen = Arc::clone(&log_pages);
    // The hook replaces SQLite's own checkpoint at commit.
    let hooked = conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
        seen.store(pages, Ordering::Relaxed);
        Ok(())
    }));
    if let Err(error) = hooked {
        health.break_with(format!("the writer cannot watch the log: {error}"));
    }
    let mut batch = Vec::with_capacity(BATCH);
    let worked = catch_unwind(AssertUnwindSafe(|| {
        work(&conn, lanes, health, &log_pages, &mut batch)
    }));
    if let Err(panic) = worked {
        health.break_with(format!("the writer stopped: {}", panic_words(panic.as_ref())));
        // Whoever still waits finds its answer dropped, which reads as a closed store.
        lanes.close();
        batch.clear();
        while lanes.take(&mut batch, None) == Taken::Batch {
            batch.clear();
        }
    }
    checkpoint(&conn, CheckpointMode::TRUNCATE, health);
    if health.broken().is_some() {
        // Closing the last connection would empty the log once more; on a failed disk it must stay
        // as it is.
        let _ = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

fn work(
    conn: &Connection,
    lanes: &Lanes,
    health: &Health,
    log_pages: &AtomicI32,
    batch: &mut Vec<Box<dyn Job>>,
) {
    let mut memory = Memory::default();
    let mut checkpoints = Checkpoints::new(log_pages);
    loop {
        match lanes.take(batch, checkpoints.is_wanted().then_some(IDLE)) {
            Taken::Batch => {
                let failure = write(conn, batch, &mut memory, health).err();
                if let Some(failure) = &failure {
                    tracing::warn!(error = %failure.to_store(), size = batch.len(), "a batch was not stored");
                }
                for job in batch.drain(..) {
                    job.answer(failure.as_ref());
                }
                if checkpoints.is_due() {
                    checkpoint(conn, CheckpointMode::PASSIVE, health);
                }
            }
            Taken::Nothing => {
                checkpoints.idle();
                checkpoint(conn, CheckpointMode::PASSIVE, health);
            }
            Taken::Closed => return,
        }
    }
}

/// When the log is next emptied.
struct Checkpoints<'a> {
    /// As the last COMMIT left the log.
    log_pages: &'a AtomicI32,
    /// At the last look.
    pages: i32,
    due_at: i32,
}

impl<'a> Checkpoints<'a> {
    fn new(log_pages: &'a AtomicI32) -> Self {
        Checkpoints {
            log_pages,
            pages: 0,
            due_at: CHECKPOINT_PAGES,
        }
    }

    /// Whether an idle moment should be used.
    fn is_wanted(&self) -> bool {
        self.pages > 0
    }

    /// Looks at the log after a batch; when it says yes, the next yes is a step further, unless the
    /// log has begun anew by then.
    fn is_due(&mut self) -> bool {
        let pages = self.log_pages.load(Ordering::Relaxed);
        if pages < self.pages {
            self.due_at = CHECKPOINT_PAGES;
        }
        self.pages = pages;
        let due = pages >= self.due_at;
        if due {
            self.due_at = pages.saturating_add(CHECKPOINT_STEP);
        }
        due
    }

    /// An idle moment is used: no more of them until there is something new.
    fn idle(&mut self) {
        self.pages = 0;
        self.log_pages.store(0, Ordering::Relaxed);
    }
}

/// One transaction: everything in `batch` that did not fail by itself, or nothing.
fn write(
    conn: &Connection,
    batch: &mut [Box<dyn Job>],
    memory: &mut Memory,
    health: &Health,
) -> Result<(), BatchFailure> {
    if let Some(reason) = health.broken() {
        return Err(BatchFailure::untrusted(reason));
    }
    let mut written = attempt(conn, batch, memory, health, Undo::All);
    if let Ok(Attempted::MustUndoOne) = written {
        written = roll_back(conn, memory).and_then(|()| attempt(conn, batch, memory, health, Undo::Each));
    }
    match written {
        Ok(_) => Ok(()),
        Err(failure) => {
            failure.sqlite().inspect(|error| health.judge(error));
            // Were this to fail as well, the next BEGIN would say so.
            let _ = roll_back(conn, memory);
            Err(failure)
        }
    }
}

fn roll_back(conn: &Connection, memory: &mut Memory) -> Result<(), BatchFailure> {
    memory.tally.clear();
    memory.recent.clear();
    if conn.is_autocommit() {
        Ok(())
    } else {
        Ok(conn.execute_batch("ROLLBACK")?)
    }
}

/// What can be undone while a batch runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// The whole batch. Almost always enough: work that refuses does so before it writes, and a
    /// savepoint for each costs as much as a small change itself.
    All,
    /// Each piece of work, by a savepoint of its own.
    Each,
}

enum Attempted {
    Committed,
    /// One piece of work failed after it had written, and cannot be undone alone; nothing is committed.
    MustUndoOne,
}

fn attempt(
    conn: &Connection,
    batch: &mut [Box<dyn Job>],
    memory: &mut Memory,
    health: &Health,
    undo: Undo,
) -> Result<Attempted, BatchFailure> {
    let execute = |sql| conn.prepare_cached(sql)?.raw_execute();
    execute("BEGIN IMMEDIATE")?;
    memory.recent.begin(conn)?;
    for job in batch.iter_mut() {
        if undo == Undo::Each {
            execute("SAVEPOINT one")?;
        }
        let written = conn.total_changes();
        let ran = job.run(&mut Tx { conn, memory }, health);
        if conn.is_autocommit() {
            // A full disk or want of memory makes SQLite undo the whole transaction, the work
            // before included.
            return Err(BatchFailure::Lost);
        }
        if let Some(reason) = health.broken() {
            return Err(BatchFailure::untrusted(reason));
        }
        match ran {
            Ran::Kept => memory.tally.keep(),
            Ran::Failed => {
                memory.tally.drop_open();
                if conn.total_changes() != written {
                    if undo == Undo::All {
                        return Ok(Attempted::MustUndoOne);
                    }
                    memory.recent.clear();
                    execute("ROLLBACK TO one")?;
                }
            }
        }
        if undo == Undo::Each {
            execute("RELEASE one")?;
        }
    }
    memory.tally.write(conn)?;
    execute("COMMIT")?;
    Ok(Attempted::Committed)
}

/// Moves pages from the log into the file. A reader in the way is no fault; a disk that fails is.
fn checkpoint(conn: &Connection, mode: CheckpointMode, health: &Health) {
    if health.broken().is_some() {
        return;
    }
    let Err(error) = conn.wal_checkpoint_v2(Some(MAIN_DB), mode) else {
        return;
    };
    health.judge(&error);
    if !error::is_busy(&error) {
        tracing::warn!(%error, "the log could not be moved into the database file");
    }
}
