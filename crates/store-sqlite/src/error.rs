//! From SQLite's errors to the seam's, in one place.
//!
//! Queries return [`Fault`], so that `?` works on both kinds and the writer still sees SQLite's own
//! code when it decides whether the file can be trusted. Nothing above this crate sees a `rusqlite`
//! error but as a source.

use std::sync::Arc;

use rusqlite::ErrorCode;
use store::StoreError;

/// Why a query failed: the store's own reason, or SQLite's.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A reason of the seam, passed on as it is.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQLite's reason, translated when it leaves the crate.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Fault {
    /// What the seam shows of it.
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sqlite(error) => from_sqlite(error),
        }
    }
}

/// Translates one error of SQLite.
pub(crate) fn from_sqlite(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        _ if is_busy(&error) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => StoreError::Full(Box::new(error)),
        _ => broken(words(&error), Some(Box::new(error))),
    }
}

/// Another connection holds the lock, and held it longer than the busy time-out.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Why a whole batch was not stored. Every caller in it gets its own copy.
#[derive(Debug, Clone)]
pub(crate) enum BatchFailure {
    /// SQLite refused BEGIN, the counters or COMMIT.
    Sqlite(Arc<rusqlite::Error>),
    /// One piece of work ran into something that made SQLite undo the others as well.
    Lost,
    /// The file is not trusted any more.
    Untrusted(Arc<str>),
}

impl From<rusqlite::Error> for BatchFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl BatchFailure {
    pub(crate) fn untrusted(reason: &str) -> Self {
        Self::Untrusted(reason.into())
    }

    /// SQLite's error, if it was one.
    pub(crate) fn sqlite(&self) -> Option<&rusqlite::Error> {
        match self {
            Self::Sqlite(error) => Some(error),
            Self::Lost | Self::Untrusted(_) => None,
        }
    }

    pub(crate) fn to_store(&self) -> StoreError {
        match self {
            Self::Sqlite(error) => {
                let source = Box::new(Shared(Arc::clone(error)));
                match error.sqlite_error_code() {
                    _ if is_busy(error) => StoreError::Busy,
                    Some(ErrorCode::DiskFull) => StoreError::Full(source),
                    _ => broken(words(error), Some(source)),
                }
            }
            Self::Lost => broken("the database undid the whole batch: nothing was stored", None),
            Self::Untrusted(reason) => untrusted(reason),
        }
    }
}

/// One error with many owners, as a source.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Shared(Arc<rusqlite::Error>);

/// What an operator has to know, by the code alone.
fn words(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::SystemIoFailure) => "the disk failed: it is not known whether this was stored",
        Some(ErrorCode::DatabaseCorrupt) => "the database file is damaged",
        Some(ErrorCode::NotADatabase) => "the file is not a database",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "the database file may not be written",
        Some(ErrorCode::CannotOpen) => "the database file cannot be opened",
        Some(ErrorCode::OutOfMemory) => "out of memory: nothing was stored",
        _ => "the database refused the statement: nothing was stored",
    }
}

/// Something that trying again does not mend.
pub(crate) fn broken(
    message: impl Into<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Broken(message.into(), source)
}

/// The writer has been closed or has died.
pub(crate) fn stopped() -> StoreError {
    broken("the store has been closed", None)
}

/// A piece of work panicked; it was rolled back.
pub(crate) fn panicked(words: &str) -> StoreError {
    broken(format!("a fault in the program: {words}"), None)
}

/// The file is not trusted any more.
pub(crate) fn untrusted(reason: &str) -> StoreError {
    broken(reason, None)
}
