//! How often this file was opened for dialling, kept in it and beside it, so that an older copy put
//! in its place is noticed: a copy does not know which calls were sent after it was made.
//!
//! Called when the store is opened for dialling, after the right to dial is held.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::Connection;
use store::StoreError;

use crate::connect::beside;
use crate::error::{broken, from_sqlite};

/// What the opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Boot {
    /// The number of this opening, one above every one before.
    pub(crate) number: i64,
    /// The file may be older than what was last dialled from: nothing is dialled until the
    /// carrier's calls since have been listed. Stays so over restarts until it is cleared.
    pub(crate) restored: bool,
}

/// Counts this opening, in the file first and then beside it: a crash in between leaves the file
/// ahead, which is no sign of a copy.
///
/// A missing side file counts as a sign, unless the file has never been dialled from: a copy taken
/// to another machine comes without one.
///
/// # Errors
/// The file or its neighbour cannot be written.
pub(crate) fn count(conn: &Connection, database: &Path) -> Result<Boot, StoreError> {
    let side = beside(database, ".boot");
    let noted = read_side(&side)?;
    let (inside, marked): (i64, bool) = conn
        .query_row("SELECT boots, restored FROM dialling", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(from_sqlite)?;
    let copied = inside > 0 && noted.is_none_or(|noted| noted > inside);
    let boot = Boot {
        number: inside.max(noted.unwrap_or(0)) + 1,
        restored: marked || copied,
    };
    conn.execute(
        "UPDATE dialling SET boots = ?1, restored = ?2",
        (boot.number, boot.restored),
    )
    .map_err(from_sqlite)?;
    write_side(&side, boot.number).map_err(|error| {
        broken(
            format!("{} cannot be written", side.display()),
            Some(Box::new(error)),
        )
    })?;
    Ok(boot)
}

fn read_side(side: &Path) -> Result<Option<i64>, StoreError> {
    match std::fs::read_to_string(side) {
        // Torn or foreign content proves nothing, which is the same as no file.
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(broken(
            format!("{} cannot be read", side.display()),
            Some(Box::new(error)),
        )),
    }
}

/// Replaces the file in one step, so that a crash leaves the old number or the new one.
fn write_side(side: &Path, number: i64) -> std::io::Result<()> {
    let new = beside(side, ".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    writeln!(file, "{number}")?;
    file.sync_all()?;
    std::fs::rename(&new, side)?;
    match side.parent() {
        Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests;
