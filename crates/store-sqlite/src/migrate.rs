//! Brings a file to the schema that this program knows, one numbered script after the other, never back.
//!
//! The scripts are `migrations/`; a script that was released is never edited, and each file
//! remembers a digest of what was applied to it, so that an edit is noticed. Called once, when the
//! store is opened.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};
use store::StoreError;
use store::transfer::{SEALED, Seal, refusal};

use crate::error::{Fault, broken};

/// `redi` in ASCII, in the header of every file of ours (SQLite's `application_id`), so that
/// another program's database is not taken for one.
const APPLICATION_ID: i64 = 0x7265_6469;

/// One script.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// Every script, in order. The last one's version is the schema's.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "0001_calls",
    sql: include_str!("migrations/0001_calls.sql"),
}];

/// How a file stands to this program's schema.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing to do.
    Current,
    /// Scripts have to be applied; an empty file needs all of them.
    Behind,
}

/// Reads how the file stands, without changing it.
///
/// # Errors
/// `Broken`: not a database, another program's database, a schema newer than this program, or a
/// script that was edited after it was applied.
pub(crate) fn standing(conn: &Connection) -> Result<Standing, StoreError> {
    standing_for(conn, MIGRATIONS)
}

/// Applies what is missing, all of it or nothing. `now` is noted beside each script, in milliseconds.
///
/// # Errors
/// As [`standing`], and whatever a script meets.
pub(crate) fn run(conn: &mut Connection, now: i64) -> Result<(), StoreError> {
    run_all(conn, MIGRATIONS, now)
}

/// What a database says of itself that nobody may use.
pub(crate) fn sealed(conn: &Connection) -> Result<Option<String>, Fault> {
    if pragma(conn, "user_version")? != SEALED {
        return Ok(None);
    }
    let note = "SELECT name FROM migrations WHERE version = ?1";
    Ok(conn.query_row(note, [SEALED], |row| row.get(0)).optional()?)
}

/// Seals a database whose schema is current, or takes the seal off; inside the caller's transaction.
pub(crate) fn seal(conn: &Connection, seal: Option<&Seal>, now: i64) -> Result<(), Fault> {
    conn.execute("DELETE FROM migrations WHERE version = ?1", [SEALED])?;
    if let Some(seal) = seal {
        conn.execute(
            "INSERT INTO migrations (version, name, digest, applied_at) VALUES (?1, ?2, x'', ?3)",
            (SEALED, seal.note(), now),
        )?;
    }
    let version: i64 = conn.query_row("SELECT max(version) FROM migrations", [], |row| row.get(0))?;
    Ok(conn.pragma_update(None, "user_version", version)?)
}

fn standing_for(conn: &Connection, known: &[Migration]) -> Result<Standing, StoreError> {
    check(conn, known).map_err(Fault::into_store)
}

fn check(conn: &Connection, known: &[Migration]) -> Result<Standing, Fault> {
    let version = pragma(conn, "user_version")?;
    let latest = known.last().map_or(0, |last| last.version);
    let owner = pragma(conn, "application_id")?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner != APPLICATION_ID && (tables > 0 || owner != 0) {
        return Err(broken("the file is a database of another program", None).into());
    }
    if let Some(note) = sealed(conn)? {
        return Err(refusal(&note).into());
    }
    if version > latest {
        let message = format!(
            "the database has schema {version}, this program knows {latest}: a newer version wrote it"
        );
        return Err(broken(message, None).into());
    }
    for migration in known.iter().filter(|migration| migration.version <= version) {
        let applied: Option<Vec<u8>> = conn
            .query_row(
                "SELECT digest FROM migrations WHERE version = ?1",
                [migration.version],
                |row| row.get(0),
            )
            .optional()?;
        if applied.as_deref() != Some(&digest(migration)[..]) {
            let message = format!("the schema of the database is not that of {}", migration.name);
            return Err(broken(message, None).into());
        }
    }
    Ok(if version == latest {
        Standing::Current
    } else {
        Standing::Behind
    })
}

fn run_all(conn: &mut Connection, known: &[Migration], now: i64) -> Result<(), StoreError> {
    apply(conn, known, now).map_err(Fault::into_store)
}

fn apply(conn: &mut Connection, known: &[Migration], now: i64) -> Result<(), Fault> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Looked at again under the lock: another process may have been faster.
    if check(&tx, known)? == Standing::Current {
        return Ok(());
    }
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
            version    INTEGER PRIMARY KEY,
            name       TEXT NOT NULL,
            digest     BLOB NOT NULL,
            applied_at INTEGER NOT NULL
        ) STRICT",
    )?;
    let version = pragma(&tx, "user_version")?;
    for migration in known.iter().filter(|migration| migration.version > version) {
        tx.execute_batch(migration.sql)?;
        tx.execute(
            "INSERT INTO migrations (version, name, digest, applied_at) VALUES (?1, ?2, ?3, ?4)",
            (migration.version, migration.name, &digest(migration)[..], now),
        )?;
        tx.pragma_update(None, "user_version", migration.version)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.commit()?;
    Ok(())
}

fn pragma(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, name, |row| row.get(0))
}

fn digest(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests;
