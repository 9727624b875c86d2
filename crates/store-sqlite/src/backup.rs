//! A copy of a database in use, as it stood at one moment.
//!
//! Page by page through SQLite's own backup interface, inside one read transaction of a connection of its
//! own: a writer beside it is never held up (in WAL mode readers block nobody), and what it writes meanwhile
//! neither gets into the copy nor makes it begin again, which without that transaction every commit would.
//! `VACUUM INTO` would give a smaller file, but it builds every index anew, takes several times as long while
//! the log beside the database grows, and cannot say how far it has come. Called by the command.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use store::StoreError;

use crate::clock;
use crate::connect::{self, beside};
use crate::error::{broken, from_sqlite};
use crate::lock;
use crate::migrate::{self, Standing};

/// Pages between two words of progress: 8 MiB, some hundredths of a second.
const STEP: i32 = 2_048;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its size.
    pub bytes: u64,
    /// How many calls are in it.
    pub calls: u64,
    /// Its schema.
    pub schema: i64,
}

/// Copies the database at `from` to `to`, whatever was there, and tells `progress` how many pages of how
/// many are done. The copy is readable by its owner alone, whole and on the disk when it appears under its
/// name, and marked as a copy: whoever dials from it asks the carrier first what was dialled since.
///
/// # Errors
/// `Broken`, in words for an operator: no database, an older schema, a target that is in use, a disk that is
/// full, a copy that is damaged. Nothing is left of the copy then.
pub fn back_up(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, StoreError> {
    connect::check_version()?;
    if !from.exists() {
        return Err(words(format!("there is no database at {}", from.display())));
    }
    refuse_target(from, to)?;
    let part = beside(to, ".part");
    let copied = copy(from, &part, progress).and_then(|copied| {
        connect::put_in_place(&part, to).map_err(|error| {
            let what = format!("the copy could not be put in place as {}", to.display());
            broken(what, Some(Box::new(error)))
        })?;
        Ok(copied)
    });
    if copied.is_err() {
        // What failed is told; that something is left of it as well would hide that.
        let _ = std::fs::remove_file(&part);
        let _ = std::fs::remove_file(beside(&part, "-journal"));
    }
    copied
}

/// A target that is the database itself, one of its neighbours, or a database that somebody has open.
fn refuse_target(from: &Path, to: &Path) -> Result<(), StoreError> {
    let real = |path: &Path| path.canonicalize().ok();
    let own = ["", "-wal", "-shm", ".lock", ".boot"].map(|ending| beside(from, ending));
    let is_own = |own: &PathBuf| own == to || (real(to).is_some() && real(own) == real(to));
    if own.iter().any(is_own) {
        return Err(words(format!("{} is the database itself", to.display())));
    }
    if let Some(holder) = lock::holder(&beside(to, ".lock"))? {
        return Err(words(format!("{} is in use: {holder}", to.display())));
    }
    // A log that lies beside it would be taken for the copy's own.
    let log = beside(to, "-wal");
    if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(words(format!(
            "{} belongs to the database that {} is; move both away first",
            log.display(),
            to.display()
        )));
    }
    Ok(())
}

fn copy(from: &Path, part: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, StoreError> {
    let source = connect::reader(from).map_err(from_sqlite)?;
    if migrate::standing(&source)? != Standing::Current {
        return Err(words(format!(
            "{} has an older schema; start the server once, or copy the file while none runs",
            from.display()
        )));
    }
    make_empty(part).map_err(|error| {
        let what = format!(
            "{} cannot be made; is its folder there and writable?",
            part.display()
        );
        broken(what, Some(Box::new(error)))
    })?;
    // Read before the copy begins: what it does not know happened later than this.
    let copied_at = clock::now().millis();
    let mut target = Connection::open(part).map_err(from_sqlite)?;
    copy_pages(&source, &mut target, progress).map_err(from_sqlite)?;
    drop(source);
    let schema = mark(&target, copied_at).map_err(from_sqlite)?;
    check(&target)?;
    let calls: i64 = target
        .query_row("SELECT ifnull(sum(n), 0) FROM totals", [], |row| row.get(0))
        .map_err(from_sqlite)?;
    target.close().map_err(|(_, error)| from_sqlite(error))?;
    let bytes = std::fs::metadata(part).map_or(0, |file| file.len());
    Ok(Copied {
        bytes,
        calls: u64::try_from(calls).unwrap_or(0),
        schema,
    })
}

/// An empty file for its owner alone, in place of what an earlier copy left that was broken off.
fn make_empty(part: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(part) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(part);
    made.map(drop)
}

fn copy_pages(
    source: &Connection,
    target: &mut Connection,
    progress: &mut dyn FnMut(u64, u64),
) -> rusqlite::Result<()> {
    // The first reading inside the transaction fixes what is seen until its end.
    source.execute_batch("BEGIN; SELECT boots FROM dialling")?;
    let backup = Backup::new(source, target)?;
    while backup.step(STEP)? != StepResult::Done {
        let (pages, left) = (backup.progress().pagecount, backup.progress().remaining);
        let number = |pages: i32| u64::try_from(pages).unwrap_or(0);
        progress(number(pages - left), number(pages));
    }
    drop(backup);
    source.execute_batch("COMMIT")
}

/// Makes one file of the copy, without a log beside it, and notes in it that it is one; an older mark stays.
/// Returns its schema.
fn mark(target: &Connection, copied_at: i64) -> rusqlite::Result<i64> {
    target.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0))?;
    target.execute(
        "UPDATE dialling SET restored = CASE restored WHEN 0 THEN ?1 ELSE min(restored, ?1) END",
        [copied_at],
    )?;
    target.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Reads the whole copy once.
fn check(target: &Connection) -> Result<(), StoreError> {
    if migrate::standing(target)? != Standing::Current {
        return Err(words("the copy has another schema than the database".to_owned()));
    }
    let found: String = target
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(from_sqlite)?;
    if found == "ok" {
        return Ok(());
    }
    Err(words(format!(
        "the copy is damaged, and so is the database it was made of (`redial doctor --deep` looks at that): {found}"
    )))
}

fn words(what: String) -> StoreError {
    broken(what, None)
}

#[cfg(test)]
mod tests;
