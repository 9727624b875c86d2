//! What is written, grouped: everything that waits shares one transaction.
//!
//! A COMMIT costs the same for one change as for five hundred, so each of a few batches in flight
//! takes whatever is waiting, reads all the rows that the work needs in one statement to a table,
//! decides each piece of work in plain code, writes in one statement to a table, commits, and only
//! then answers everybody. Work that fails has written nothing yet, so it fails alone. There is no
//! timer: a lone request is a transaction of its own, and a busy period forms its own batches while
//! others are under way. The database's locks keep batches apart, those of other processes too.
//!
//! It knows no table; the work reads and writes through [`Tx`]. Called by every method of the store
//! that changes a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::connect::Pool;
use crate::error;
use crate::tx::{Stop, Tx};
use store::StoreError;

mod batch;
mod job;
mod lanes;

use lanes::{ASKED_BOUND, HAPPENED_BOUND, Lanes, Refused};

/// Batches in flight: while one waits for its COMMIT, another reads and a third fills.
pub(crate) const BATCHES: usize = 3;

/// The handle of the writer. Dropping it lets the batches finish what waits.
pub(crate) struct Writer {
    lanes: Arc<Lanes>,
    pool: Pool,
    node: i64,
    has_died: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the batches, which take their connections from `pool` and tell the others as `node`.
    pub(crate) fn start(pool: Pool, node: i64) -> Writer {
        let lanes = Arc::new(Lanes::new(HAPPENED_BOUND, ASKED_BOUND));
        let has_died = Arc::new(AtomicBool::new(false));
        for _ in 0..BATCHES {
            let work = batch::run(Arc::clone(&lanes), pool.clone(), node);
            let (lanes, has_died) = (Arc::clone(&lanes), Arc::clone(&has_died));
            tokio::spawn(async move {
                // A panic of the work itself is caught before; this would be one of ours.
                if tokio::spawn(work).await.is_err() {
                    has_died.store(true, Ordering::Relaxed);
                    lanes.abandon();
                }
            });
        }
        Writer {
            lanes,
            pool,
            node,
            has_died,
        }
    }

    /// Stores something that has already happened: a callback, the outcome of a dial. Never refused
    /// for want of room; at worst the caller waits. Returns after the COMMIT.
    ///
    /// Dropping the future does not take the work back once it is queued. The work may run several
    /// times, each time on newer rows: it must not consume what it is given.
    ///
    /// # Errors
    /// The work's own error, with nothing of it written; or that of the transaction.
    pub(crate) async fn happened<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
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
    pub(crate) async fn asked<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        let (job, answer) = job::job(work);
        self.lanes.push_asked(job).map_err(|refused| match refused {
            Refused::Full => StoreError::Busy,
            Refused::Closed => error::stopped(),
        })?;
        answer.await.unwrap_or_else(|_| Err(error::stopped()))
    }

    /// Does something large in a transaction of its own, so that nobody else waits for it.
    ///
    /// # Errors
    /// As [`Writer::happened`].
    pub(crate) async fn alone<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnMut(&mut Tx) -> Result<T, Stop> + Send + 'static,
        T: Send + 'static,
    {
        let (job, answer) = job::job(work);
        let (pool, node) = (self.pool.clone(), self.node);
        // In a task of its own: whoever asks may go away in the middle.
        tokio::spawn(async move { batch::write_and_answer(&pool, node, &mut None, vec![job]).await });
        answer.await.unwrap_or_else(|_| Err(error::stopped()))
    }

    /// Whether batches are still made.
    pub(crate) fn is_alive(&self) -> bool {
        !self.has_died.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lanes.close();
    }
}
