//! Counters that every change moves, kept in memory during a batch and written once, just before COMMIT.
//!
//! Counting rows for `total` would cost more with every call stored, so each change says what it
//! adds or takes away; and one batch moves the same few counters many times, so that they are
//! summed first. Filled by the closures that the writer runs; it knows the tables `totals` and
//! `dialling`.

use std::collections::HashMap;

use domain::{CallStatus, Timestamp};
use rusqlite::Connection;
use store::codec::status_to_code;

/// The changes of one batch, with those of the piece of work that is still running apart.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    totals: HashMap<(Box<str>, i64), i64>,
    dialling: Dialling,
    open: Vec<(Box<str>, i64, i64)>,
    open_dialling: Dialling,
}

/// What changes in the one row that all calls share.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Dialling {
    live: i64,
    pace_clear_at: Option<i64>,
}

impl Dialling {
    fn add(&mut self, other: Dialling) {
        self.live += other.live;
        self.pace_clear_at = self.pace_clear_at.max(other.pace_clear_at);
    }
}

impl Tally {
    /// So many more calls of `user` have `status`.
    pub(crate) fn total(&mut self, user: &str, status: CallStatus, by: i64) {
        self.open.push((user.into(), status_to_code(status), by));
    }

    /// So many more calls are live or being dialled.
    pub(crate) fn live(&mut self, by: i64) {
        self.open_dialling.live += by;
    }

    /// The pace owes nothing any more at `at`; the latest moment said stays.
    pub(crate) fn pace_clear_at(&mut self, at: Timestamp) {
        self.open_dialling.pace_clear_at = self.open_dialling.pace_clear_at.max(Some(at.millis()));
    }

    /// What the batch has added to the number of live calls so far, the running work included.
    pub(crate) fn live_so_far(&self) -> i64 {
        self.dialling.live + self.open_dialling.live
    }

    /// The running work stays: its changes join the batch.
    pub(crate) fn keep(&mut self) {
        for (user, status, by) in self.open.drain(..) {
            *self.totals.entry((user, status)).or_default() += by;
        }
        self.dialling.add(std::mem::take(&mut self.open_dialling));
    }

    /// The running work was rolled back: its changes never were.
    pub(crate) fn drop_open(&mut self) {
        self.open.clear();
        self.open_dialling = Dialling::default();
    }

    /// The whole batch was rolled back.
    pub(crate) fn clear(&mut self) {
        self.drop_open();
        self.totals.clear();
        self.dialling = Dialling::default();
    }

    /// Writes what the batch changed, inside its transaction, and is empty afterwards.
    pub(crate) fn write(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let dialling = std::mem::take(&mut self.dialling);
        if dialling != Dialling::default() {
            conn.prepare_cached(
                "UPDATE dialling SET live = live + ?1,
                     pace_clear_at = CASE WHEN pace_clear_at > ?2 THEN pace_clear_at
                                          ELSE ifnull(?2, pace_clear_at) END",
            )?
            .execute((dialling.live, dialling.pace_clear_at))?;
        }
        if self.totals.is_empty() {
            return Ok(());
        }
        let mut add = conn.prepare_cached(
            "INSERT INTO totals (user_id, status, n) VALUES (?1, ?2, ?3)
             ON CONFLICT (user_id, status) DO UPDATE SET n = n + excluded.n",
        )?;
        for ((user, status), by) in self.totals.drain().filter(|(_, by)| *by != 0) {
            add.execute((&*user, status, by))?;
        }
        Ok(())
    }
}
