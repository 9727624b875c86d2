//! The two queues in front of the writer thread: who waits, who is refused, who goes first.
//!
//! It holds no connection and knows nothing of SQL. Callers push from any task; only the writer
//! thread takes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::job::Job;

/// Work that waits in the first lane before further callers have to wait outside it: some 4 MiB of
/// boxed closures. More than every connection the server accepts at once, so that in practice
/// nobody waits outside.
pub(super) const HAPPENED_BOUND: usize = 16_384;

/// Work that waits in the second lane before more of it is refused: a third of a second at 12 000 a
/// second, after which a client does better to come back later.
pub(super) const ASKED_BOUND: usize = 4_096;

/// Most pieces of work in one transaction: enough to make the sync cheap for each, and little
/// enough that nobody waits longer than some 20 ms for the rest of the batch.
pub(super) const BATCH: usize = 512;

/// Places in a batch that the first lane leaves to the second while both have work, so that a storm
/// of callbacks slows the dialling but never stops it.
const ASKED_SHARE: usize = 64;

/// Why the second lane did not take a piece of work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too much waits already.
    Full,
    /// The writer has stopped.
    Closed,
}

/// What the writer thread finds when it looks for work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A batch of at least one.
    Batch,
    /// Nothing came within the given time.
    Nothing,
    /// Closed, and nothing is left.
    Closed,
}

#[derive(Default)]
struct Queues {
    happened: VecDeque<Box<dyn Job>>,
    asked: VecDeque<Box<dyn Job>>,
    parked: bool,
    closed: bool,
}

/// Both lanes. One short lock guards them: a push is a few tens of nanoseconds.
pub(super) struct Lanes {
    queues: Mutex<Queues>,
    work: Condvar,
    room: Semaphore,
    asked_bound: usize,
}

impl Lanes {
    pub(super) fn new(happened_bound: usize, asked_bound: usize) -> Self {
        Self {
            queues: Mutex::default(),
            work: Condvar::new(),
            room: Semaphore::new(happened_bound),
            asked_bound,
        }
    }

    /// Puts work into the first lane, waiting for room; never refuses while the writer runs.
    pub(super) async fn push_happened(&self, job: Box<dyn Job>) -> Result<(), Refused> {
        self.room.acquire().await.map_err(|_| Refused::Closed)?.forget();
        let queues = self.lock();
        if queues.closed {
            return Err(Refused::Closed);
        }
        self.push(queues, |queues| &mut queues.happened, job);
        Ok(())
    }

    /// Puts work into the second lane, or refuses at once.
    pub(super) fn push_asked(&self, job: Box<dyn Job>) -> Result<(), Refused> {
        let queues = self.lock();
        if queues.closed {
            return Err(Refused::Closed);
        }
        if queues.asked.len() >= self.asked_bound {
            return Err(Refused::Full);
        }
        self.push(queues, |queues| &mut queues.asked, job);
        Ok(())
    }

    fn push(
        &self,
        mut queues: MutexGuard<'_, Queues>,
        lane: impl Fn(&mut Queues) -> &mut VecDeque<Box<dyn Job>>,
        job: Box<dyn Job>,
    ) {
        lane(&mut queues).push_back(job);
        // Only the first after a pause pays for waking the thread.
        let wake = std::mem::take(&mut queues.parked);
        drop(queues);
        if wake {
            self.work.notify_one();
        }
    }

    /// Takes what is waiting, what has happened first. Waits for the first piece: for ever, or as
    /// long as `wait` says.
    pub(super) fn take(&self, batch: &mut Vec<Box<dyn Job>>, wait: Option<Duration>) -> Taken {
        let mut queues = self.lock();
        while queues.happened.is_empty() && queues.asked.is_empty() {
            if queues.closed {
                return Taken::Closed;
            }
            queues.parked = true;
            queues = match wait {
                None => self.work.wait(queues).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let (mut queues, timeout) = self
                        .work
                        .wait_timeout(queues, wait)
                        .unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && queues.happened.is_empty() && queues.asked.is_empty() {
                        queues.parked = false;
                        return if queues.closed {
                            Taken::Closed
                        } else {
                            Taken::Nothing
                        };
                    }
                    queues
                }
            };
        }
        queues.parked = false;
        let reserved = queues.asked.len().min(ASKED_SHARE);
        let happened = queues.happened.len().min(BATCH - reserved);
        let asked = queues.asked.len().min(BATCH - happened);
        batch.extend(queues.happened.drain(..happened));
        batch.extend(queues.asked.drain(..asked));
        drop(queues);
        self.room.add_permits(happened);
        Taken::Batch
    }

    /// Nothing more is taken in; what waits is still handed to the writer.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.room.close();
        self.work.notify_one();
    }

    #[cfg(test)]
    pub(super) fn lengths(&self) -> (usize, usize) {
        let queues = self.lock();
        (queues.happened.len(), queues.asked.len())
    }

    // A panic never happens while the lock is held (only pushes and takes run there), hence poison
    // means nothing.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
