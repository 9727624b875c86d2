//! The one thread that writes, and the grouping of what it writes.
//!
//! A sync costs the same for one change as for five hundred, so the thread takes whatever is
//! waiting, runs each piece of work inside one transaction, commits once, and only then answers
//! everybody. Work that fails is undone alone: if it had written already, the batch is run once
//! more with a savepoint for each piece, which is why work is `FnMut`. There is no timer: a lone
//! request is committed at once, and a busy period forms its own batches while a sync is under way.
//!
//! It knows no table but those that the tally writes; the closures bring the SQL. Called by every
//! method of the store that writes.

use std::ops::Deref;
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use store::StoreError;

use crate::error::{self, Fault};
use crate::health::Health;
use crate::recent::Recent;
use crate::tally::Tally;

mod batch;
mod job;
mod lanes;

pub(crate) use job::panic_words;
use lanes::{ASKED_BOUND, HAPPENED_BOUND, Lanes, Refused};

/// What a piece of work is given: the connection inside the batch's transaction, and the counters.
///
/// It never begins or ends a transaction itself.
pub(crate) struct Tx<'a> {
    conn: &'a Connection,
    memory: &'a mut Memory,
}

/// What the writer has in its head beside the file.
#[derive(Debug, Default)]
struct Memory {
    tally: Tally,
    recent: Recent,
}

impl Tx<'_> {
    /// The counters of this batch. What is added is dropped again if this work is rolled back.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.memory.tally
    }

    /// The calls that were written last. All are forgotten if this work is rolled back.
    pub(crate) fn recent(&mut self) -> &mut Recent {
        &mut self.memory.recent
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}

/// The handle of the writer thread. Dropping it lets the thread finish what waits, and waits for it.
pub struct Writer {
    lanes: Arc<Lanes>,
    health: Health,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which owns `conn` from now on.
    ///
    /// # Errors
    /// The system grants no thread.
    pub fn start(conn: Connection, health: Health) -> Result<Self, StoreError> {
        Self::with_bounds(conn, health, HAPPENED_BOUND, ASKED_BOUND)
    }

    fn with_bounds(
        conn: Connection,
        health: Health,
        happened_bound: usize,
        asked_bound: usize,
    ) -> Result<Self, StoreError> {
        let lanes = Arc::new(Lanes::new(happened_bound, asked_bound));
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let lanes = Arc::clone(&lanes);
                let health = health.clone();
                move || batch::run(conn, &lanes, &health)
            })
            .map_err(|error| error::broken("no thread for the writer", Some(Box::new(error))))?;
        Ok(Self {
            lanes,
            health,
            thread: Some(thread),
        })
    }

    /// Stores something that has already happened: a callback, the outcome of a dial. Never refused
    /// for want of room; at worst the caller waits. Returns after the COMMIT that holds it was
    /// synced.
    ///
    /// Dropping the future does not take the work back once it is queued. The work may run twice,
    /// the first time undone completely: it must not consume what it is given.
    ///
    /// # Errors
    /// The work's own error, with its writes undone; or `Broken`, when the batch could not be
    /// committed, the file is not trusted any more, or the writer is closed.
    pub async fn happened<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.trusted()?;
        let (job, answer) = job::job(work);
        self.lanes
            .push_happened(job)
            .await
            .map_err(|_| error::stopped())?;
        answer.await.unwrap_or_else(|_| Err(error::stopped()))
    }

    /// Does something that is asked for and may be asked for again: a new call, a claim, a cancel.
    ///
    /// # Errors
    /// As [`Writer::happened`], and `Busy` at once when too much of its kind is waiting.
    pub async fn asked<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.trusted()?;
        let (job, answer) = job::job(work);
        self.lanes.push_asked(job).map_err(|refused| match refused {
            Refused::Full => StoreError::Busy,
            Refused::Closed => error::stopped(),
        })?;
        answer.await.unwrap_or_else(|_| Err(error::stopped()))
    }

    /// Takes nothing more in, finishes what waits, empties the log into the file, and closes it.
    /// Blocks until then.
    pub fn close(&mut self) {
        self.lanes.close();
        if let Some(thread) = self.thread.take() {
            // The thread catches panics itself; one that got through has been logged by the panic hook.
            let _ = thread.join();
        }
    }

    fn trusted(&self) -> Result<(), StoreError> {
        self.health
            .broken()
            .map_or(Ok(()), |reason| Err(error::untrusted(reason)))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
