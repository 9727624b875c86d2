//! Opening a database, step by step, each with its own refusal.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::MAIN_DB;
use rusqlite::wal::CheckpointMode;
use store::StoreError;

use crate::connect::beside;
use crate::error::from_sqlite;
use crate::health::Health;
use crate::lock::Held;
use crate::migrate::Standing;
use crate::readers::Readers;
use crate::writer::Writer;
use crate::{SqliteStore, boot, clock, connect, lock, migrate};

/// What a process opens a database for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To dial, which only one process at a time may.
    Dial {
        /// How long to wait for a process that still holds the right.
        wait: Duration,
    },
    /// To write in bulk without dialling, while nobody dials: the right to dial is held, and permits
    /// are refused.
    Alone,
    /// For anything else, beside a process that may be dialling. Permits are refused.
    Beside,
}

impl SqliteStore {
    /// Opens the file at `path`, and makes it where there is none. Blocks the thread: locks,
    /// recovery of the log after a crash, and new schemas take their time.
    ///
    /// # Errors
    /// `Held`: another process holds the right to dial, named by its number. `Broken`, in words for
    /// an operator: the file is no database, is another program's, has a newer schema or lies on a
    /// network's disk. `Busy`: another program writes to it without pause.
    pub fn open(path: &Path, purpose: Purpose) -> Result<SqliteStore, StoreError> {
        connect::check_version()?;
        connect::prepare_file(path)?;
        let side = beside(path, ".lock");
        let right = match purpose {
            Purpose::Dial { wait } => Some(lock::acquire(&side, wait)?),
            Purpose::Alone => Some(lock::acquire(&side, Duration::ZERO)?),
            Purpose::Beside => None,
        };
        let mut conn = connect::writer(path)?;
        bring_up_to_date(&mut conn, right.as_ref(), &side)?;
        if right.is_some() {
            renew_log(&conn)?;
        }
        let boot = match purpose {
            Purpose::Dial { .. } => Some(boot::count(&conn, path)?),
            Purpose::Alone => {
                connect::for_bulk(&conn)?;
                None
            }
            Purpose::Beside => None,
        };
        let health = Health::default();
        let readers = Readers::open(path.to_owned(), health.clone())?;
        let writer = Writer::start(conn, health.clone())?;
        Ok(SqliteStore {
            writer,
            readers,
            health,
            boot,
            _right: right,
        })
    }
}

/// Only the holder of the right to dial changes a schema: under a running server it would be pulled away.
fn bring_up_to_date(conn: &mut Connection, right: Option<&Held>, side: &Path) -> Result<(), StoreError> {
    if migrate::standing(conn)? == Standing::Current {
        return Ok(());
    }
    let _for_now = match right {
        Some(_) => None,
        None => Some(lock::acquire(side, Duration::ZERO)?),
    };
    migrate::run(conn, clock::now().millis())
}

/// Moves everything out of the log and begins it anew. After a failed sync the log may hold pages
/// that the kernel calls written and that are not on the disk; written once more, they are.
fn renew_log(conn: &Connection) -> Result<(), StoreError> {
    match conn.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::TRUNCATE) {
        Ok(_) => Ok(()),
        Err(error) => match from_sqlite(error) {
            // A program beside us reads; the log is emptied when it has finished.
            StoreError::Busy => Ok(()),
            other => Err(other),
        },
    }
}
