//! The calls that the writer wrote last, as they are in the file: what the carrier says of a call
//! comes in a handful of pieces within a minute or two, and each would otherwise be a search and a
//! reading of the whole call.
//!
//! True because the writer is the only one that writes: whatever else does (an import, a tool
//! beside the server) is seen by the file's change counter, and everything is forgotten. Filled by
//! `calls`, emptied by the batch that had to be undone.

use std::collections::HashMap;

use domain::{CallId, CallState};
use rusqlite::Connection;

use crate::calls::Stored;

/// Calls per generation, of which two are kept. At two hundred dials a second, what is said of a call
/// within its first minute finds it here; full, they take some 30 MiB.
const GENERATION: usize = 16_384;

/// Calls by their ids: those written since the last turn, and those before.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    young: HashMap<CallId, Stored>,
    old: HashMap<CallId, Stored>,
    /// The file's change counter as this connection last saw it.
    version: Option<i64>,
}

impl Recent {
    /// Hands out a call. It comes back with its next change.
    pub(crate) fn take(&mut self, id: CallId) -> Option<Stored> {
        self.young.remove(&id).or_else(|| self.old.remove(&id))
    }

    /// Keeps a call that has just been written, if more will be heard of it soon; what was known of it
    /// before is forgotten.
    pub(crate) fn keep(&mut self, stored: Stored) {
        let id = stored.call.id;
        self.young.remove(&id);
        self.old.remove(&id);
        if !matches!(stored.call.state, CallState::Dialling { .. } | CallState::Live) {
            return;
        }
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, stored);
    }

    /// What was written last has been undone.
    pub(crate) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// Forgets everything if another connection has written since the last batch. To be asked once
    /// the transaction holds the file.
    pub(crate) fn begin(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let version = conn
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if self.version.replace(version) != Some(version) {
            self.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
