//! Connections that only read, each used by one query at a time, on threads that may block.
//!
//! A query sees one state of the database from its beginning to its end and never waits for the
//! writer. It knows no table. Called by every method of the store that only reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use store::StoreError;
use tokio::sync::Semaphore;

use crate::error::{self, Fault};
use crate::health::Health;
use crate::{connect, writer};

/// Connections. Queries are short and mostly in memory: more than the cores of a small machine gain
/// nothing.
const CONNECTIONS: usize = 3;

/// Queries under way or waiting for a connection; more are refused, so that a flood of lists costs
/// no memory.
const WAITING: usize = 1_024;

/// The pool. Clones share it.
#[derive(Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    free: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    health: Health,
}

impl Readers {
    /// Opens the first connection, to fail early; the others are opened when they are needed.
    ///
    /// # Errors
    /// The file cannot be opened for reading.
    pub(crate) fn open(path: PathBuf, health: Health) -> Result<Self, StoreError> {
        Self::with_bounds(path, health, CONNECTIONS, WAITING)
    }

    fn with_bounds(
        path: PathBuf,
        health: Health,
        connections: usize,
        waiting: usize,
    ) -> Result<Self, StoreError> {
        let first = connect::reader(&path).map_err(error::from_sqlite)?;
        let shared = Shared {
            path,
            free: Mutex::new(vec![first]),
            places: Arc::new(Semaphore::new(connections)),
            waiting: Arc::new(Semaphore::new(waiting)),
            health,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Runs one query, or several that must see the same state.
    ///
    /// # Errors
    /// The query's own; `Busy` when too many wait.
    pub(crate) async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let waiting = Arc::clone(&shared.waiting)
            .try_acquire_owned()
            .map_err(|_| StoreError::Busy)?;
        let place = Arc::clone(&shared.places)
            .acquire_owned()
            .await
            .map_err(|_| error::stopped())?;
        let reading = tokio::task::spawn_blocking(move || {
            // Held by the query, not by who asked: a caller that goes away makes no room before the
            // query ends.
            let _held = (waiting, place);
            shared.query(query)
        });
        reading.await.unwrap_or_else(|_| Err(error::stopped()))
    }
}

impl Shared {
    fn query<T>(&self, query: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let free = self.lock().pop();
        let conn = match free {
            Some(conn) => conn,
            None => connect::reader(&self.path).map_err(error::from_sqlite)?,
        };
        let read = || -> Result<T, Fault> {
            let one_state = conn.unchecked_transaction()?;
            let found = query(&conn)?;
            one_state.commit()?;
            Ok(found)
        };
        match catch_unwind(AssertUnwindSafe(read)) {
            Ok(found) => {
                if let Err(Fault::Sqlite(error)) = &found {
                    self.health.judge(error);
                }
                self.lock().push(conn);
                found.map_err(Fault::into_store)
            }
            // The connection is given up with whatever state the panic left it in.
            Err(panic) => Err(error::panicked(writer::panic_words(panic.as_ref()))),
        }
    }

    // Only pushes and pops happen under the lock.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
