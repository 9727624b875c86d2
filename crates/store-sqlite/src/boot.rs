//! How often this file was opened for dialling, kept in it and beside it, so that an older copy put
//! in its place is noticed: a copy does not know which calls were sent after it was made.
//!
//! Called when the store is opened for dialling, after the right to dial is held.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use domain::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use store::StoreError;

use crate::clock;
use crate::connect::{beside, put_in_place};
use crate::error::{broken, from_sqlite};

/// What the opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Boot {
    /// The number of this opening, one above every one before.
    pub(crate) number: i64,
    /// The file is a copy that knows nothing later than this, put in place of something newer. Noted in
    /// the file, where it stays until the carrier's list has made good what is missing.
    pub(crate) restored: Option<Timestamp>,
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
    let (inside, marked): (i64, i64) = conn
        .query_row("SELECT boots, restored FROM dialling", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(from_sqlite)?;
    let copied = inside > 0 && noted.is_none_or(|noted| noted > inside);
    let mark = match marked {
        0 if copied => last_known(conn).map_err(from_sqlite)?,
        marked => marked,
    };
    let boot = Boot {
        number: inside.max(noted.unwrap_or(0)) + 1,
        restored: (mark != 0).then(|| Timestamp::from_millis(mark)),
    };
    conn.execute(
        "UPDATE dialling SET boots = ?1, restored = ?2",
        (boot.number, mark),
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

/// The last moment of which the file knows: its last permit, or its last call. What was dialled without
/// its knowledge was dialled later. Never 0, which stands for no mark.
fn last_known(conn: &Connection) -> rusqlite::Result<i64> {
    let permit: Option<i64> = conn.query_row("SELECT max(granted_at) FROM permits", [], |row| row.get(0))?;
    let call: Option<i64> = conn
        .query_row(
            "SELECT created_at FROM calls ORDER BY n DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(permit.max(call).unwrap_or(1).min(clock::now().millis()).max(1))
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
    put_in_place(&new, side)
}

#[cfg(test)]
mod tests;
