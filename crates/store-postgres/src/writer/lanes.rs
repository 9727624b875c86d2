//! The two queues in front of the batches: who waits, who is refused, who goes first.
//!
//! It holds no connection and knows nothing of SQL. Callers push from any task; only batches take.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore};

use super::job::Job;

/// Work that waits in the first lane before further callers have to wait outside it: some 4 MiB of
/// boxed closures. More than every connection the server accepts at once, so that in practice
/// nobody waits outside.
pub(super) const HAPPENED_BOUND: usize = 16_384;

/// Work that waits in the second lane before more of it is refused: half a second at 8 000 a
/// second, after which a client does better to come back later.
pub(super) const ASKED_BOUND: usize = 4_096;

/// Most pieces of work in one transaction: enough to make the round trips cheap for each, and
/// little enough that nobody waits longer than some 50 ms for the rest of the batch.
pub(super) const BATCH: usize = 512;

/// Places in a batch that the first lane leaves to the second while both have work, so that a storm
/// of callbacks slows the dialling but never stops it.
const ASKED_SHARE: usize = 64;

/// Why a lane did not take a piece of work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too much waits already.
    Full,
    /// The writer has stopped.
    Closed,
}

#[derive(Default)]
struct Queues {
    happened: VecDeque<Box<dyn Job>>,
    asked: VecDeque<Box<dyn Job>>,
    closed: bool,
}

/// Both lanes. One short lock guards them.
pub(super) struct Lanes {
    queues: Mutex<Queues>,
    work: Notify,
    room: Semaphore,
    asked_bound: usize,
}

impl Lanes {
    pub(super) fn new(happened_bound: usize, asked_bound: usize) -> Lanes {
        Lanes {
            queues: Mutex::default(),
            work: Notify::new(),
            room: Semaphore::new(happened_bound),
            asked_bound,
        }
    }

    /// Puts work into the first lane, waiting for room; never refuses while the writer runs.
    pub(super) async fn push_happened(&self, job: Box<dyn Job>) -> Result<(), Refused> {
        self.room.acquire().await.map_err(|_| Refused::Closed)?.forget();
        let mut queues = self.lock();
        if queues.closed {
            return Err(Refused::Closed);
        }
        queues.happened.push_back(job);
        drop(queues);
        self.work.notify_one();
        Ok(())
    }

    /// Puts work into the second lane, or refuses at once.
    pub(super) fn push_asked(&self, job: Box<dyn Job>) -> Result<(), Refused> {
        let mut queues = self.lock();
        if queues.closed {
            return Err(Refused::Closed);
        }
        if queues.asked.len() >= self.asked_bound {
            return Err(Refused::Full);
        }
        queues.asked.push_back(job);
        drop(queues);
        self.work.notify_one();
        Ok(())
    }

    /// Takes what is waiting, what has happened first; waits for the first piece. `None` once the
    /// lanes are closed and empty.
    pub(super) async fn take(&self) -> Option<Vec<Box<dyn Job>>> {
        loop {
            let woken = self.work.notified();
            {
                let mut queues = self.lock();
                let reserved = queues.asked.len().min(ASKED_SHARE);
                let happened = queues.happened.len().min(BATCH - reserved);
                let asked = queues.asked.len().min(BATCH - happened);
                if happened + asked > 0 {
                    let mut batch: Vec<_> = queues.happened.drain(..happened).collect();
                    batch.extend(queues.asked.drain(..asked));
                    let more = !queues.happened.is_empty() || !queues.asked.is_empty();
                    drop(queues);
                    if more {
                        self.work.notify_one();
                    }
                    self.room.add_permits(happened);
                    return Some(batch);
                }
                if queues.closed {
                    return None;
                }
            }
            woken.await;
        }
    }

    /// Nothing more is taken in; what waits is still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.close();
        self.work.notify_waiters();
    }

    /// Nothing more is taken in, and whoever waits finds its answer dropped.
    pub(super) fn abandon(&self) {
        self.close();
        let mut queues = self.lock();
        queues.happened.clear();
        queues.asked.clear();
    }

    // A panic never happens while the lock is held (only pushes and takes run there), hence poison
    // means nothing.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
