//! A look at a database from outside, for whoever asks whether it is sound. It takes no right, makes no database and
//! changes none, so that it may be had beside a running server; SQLite may leave its own two files beside a log.

use std::path::Path;

use rusqlite::Connection;
use store::StoreError;

use crate::connect::{self, beside};
use crate::error::from_sqlite;
use crate::lock;
use crate::migrate::{self, Standing};

/// Faults of one file that are told; a damaged one has thousands, and the first few say which it is.
const MOST_FAULTS: usize = 20;

/// What a look at a database found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// Whether the schema is this program's; else the next server that opens the file changes it.
    pub is_current: bool,
    /// Who has the right to dial from it now, in words.
    pub held_by: Option<String>,
    /// What is damaged, in SQLite's words; looked for only where asked.
    pub faults: Vec<String>,
}

/// Looks at the file at `path`; nothing when there is none. With `deep` every page and every reference is
/// read, which takes a minute for each few gigabytes.
///
/// # Errors
/// `Broken`, in words for an operator: the file is no database, is another program's, or has a newer schema.
pub fn examine(path: &Path, deep: bool) -> Result<Option<Examination>, StoreError> {
    connect::check_version()?;
    if !path.exists() {
        return Ok(None);
    }
    connect::refuse_network(path)?;
    let conn = connect::reader(path).map_err(from_sqlite)?;
    let is_current = migrate::standing(&conn)? == Standing::Current;
    let faults = if deep {
        faults(&conn).map_err(from_sqlite)?
    } else {
        Vec::new()
    };
    Ok(Some(Examination {
        is_current,
        held_by: lock::holder(&beside(path, ".lock"))?,
        faults,
    }))
}

fn faults(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found: Vec<String> = conn
        .prepare(&format!("PRAGMA integrity_check({MOST_FAULTS})"))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    let strays = statement.query_map([], |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!(
            "a row of {table} refers to one of {parent} that is not there"
        ))
    })?;
    for stray in strays.take(MOST_FAULTS) {
        found.push(stray?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
