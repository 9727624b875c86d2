//! Whether this file can still be trusted: one flag, set once, never cleared.
//!
//! After a failed sync the kernel may have thrown the unsaved pages away while it calls them clean,
//! so a second sync of the same file can succeed without having stored anything. The only sound
//! answer is to stop writing at once and to begin anew in a fresh process, which moves everything
//! out of the log before it writes. The writer and the readers report every SQLite error here;
//! `/readyz` reads the reason. It knows no SQL and no tables.

use std::sync::{Arc, OnceLock};

use rusqlite::ErrorCode;

/// The shared flag. Clones look at the same flag.
#[derive(Clone, Debug, Default)]
pub struct Health {
    reason: Arc<OnceLock<String>>,
}

impl Health {
    /// Why nothing may be stored any more, or `None` while all is well.
    pub fn broken(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }

    /// Sets the flag; the first reason stays, because what follows is its consequence.
    pub(crate) fn break_with(&self, reason: String) {
        if self.reason.set(reason).is_ok() {
            tracing::error!(
                reason = self.broken(),
                "the database is not trusted any more; restart the process"
            );
        }
    }

    /// Sets the flag if `error` says that the disk or the file has failed.
    pub(crate) fn judge(&self, error: &rusqlite::Error) {
        if is_lasting(error) {
            self.break_with(format!("{error}; nothing more is stored until a restart"));
        }
    }
}

/// Whether an error leaves the file in doubt, as opposed to a full disk or a lock, which pass.
fn is_lasting(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

#[cfg(test)]
mod tests;
