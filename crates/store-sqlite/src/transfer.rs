//! This store as one side of a copy: everything in a file, read or written in the form that all
//! stores share.
//!
//! The right to dial is held meanwhile, so that nobody dials from the file. A new file is written
//! under another name and gets its own once it is whole, so that a copy which is cut leaves nothing
//! that could be taken for one. Called by the command.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use store::StoreError;
use store::transfer::{Kind, ROWS, Row, Seal, Side, Value, refusal};

use crate::connect::{self, beside};
use crate::error::{Fault, broken, from_sqlite};
use crate::lock::{self, Held};
use crate::migrate::{self, Standing};
use crate::{clock, rows};

/// A file, and nobody else who dials from it.
pub struct SqliteSide {
    path: PathBuf,
    open: Open,
    seal: Option<Seal>,
    _right: Held,
}

/// What is open of it.
enum Open {
    /// Nothing: it is whole as it lies there, or is not there yet.
    Nothing,
    /// The database, being read.
    Source(Connection),
    /// The new file under its other name, being written.
    New(Connection),
}

impl SqliteSide {
    /// Opens a database to copy it: as it stands from now on, whatever is written meanwhile.
    ///
    /// # Errors
    /// `Held`: another process dials from it, and is named. `Broken`, in words for an operator: no
    /// database, or one with another schema.
    pub fn source(path: &Path) -> Result<SqliteSide, StoreError> {
        connect::check_version()?;
        if !path.exists() {
            return Err(words(format!("there is no database at {}", path.display())));
        }
        connect::refuse_network(path)?;
        let right = lock::acquire(&beside(path, ".lock"), Duration::ZERO)?;
        let conn = connect::writer(path)?;
        let seal = seal_of(&conn)?;
        if seal.is_none() && migrate::standing(&conn)? != Standing::Current {
            return Err(words(format!(
                "{} has an older schema; start the server once",
                path.display()
            )));
        }
        // The first reading fixes what is seen until the end.
        conn.execute_batch("BEGIN; SELECT boots FROM dialling")
            .map_err(from_sqlite)?;
        Ok(SqliteSide {
            path: path.to_owned(),
            open: Open::Source(conn),
            seal,
            _right: right,
        })
    }

    /// Prepares a file to copy into it. It must not be there yet, but for what a copy left that was
    /// cut at its end.
    ///
    /// # Errors
    /// As [`SqliteSide::source`].
    pub fn target(path: &Path) -> Result<SqliteSide, StoreError> {
        connect::check_version()?;
        let right = lock::acquire(&beside(path, ".lock"), Duration::ZERO)?;
        let seal = match path.exists() {
            true => seal_of(&connect::reader(path).map_err(from_sqlite)?)?,
            false => None,
        };
        Ok(SqliteSide {
            path: path.to_owned(),
            open: Open::Nothing,
            seal,
            _right: right,
        })
    }

    fn part(&self) -> PathBuf {
        beside(&self.path, ".part")
    }

    fn conn(&self) -> Result<&Connection, Fault> {
        match &self.open {
            Open::Source(conn) | Open::New(conn) => Ok(conn),
            Open::Nothing => Err(words(format!("{} is not open", self.path.display())).into()),
        }
    }

    /// Makes the new file. Nothing of it is synced before it is whole.
    fn make(&self) -> Result<Connection, Fault> {
        let part = self.part();
        let fail = |source: std::io::Error| {
            let what = format!(
                "{} cannot be made; is its folder there and writable?",
                part.display()
            );
            broken(what, Some(Box::new(source)))
        };
        if part.exists() {
            std::fs::remove_file(&part).map_err(fail)?;
        }
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part);
        made.map_err(fail)?;
        connect::refuse_network(&part)?;
        let mut conn = Connection::open(&part)?;
        connect::for_bulk(&conn)?;
        conn.pragma_update_and_check(None, "journal_mode", "OFF", |row| row.get::<_, String>(0))?;
        conn.pragma_update(None, "synchronous", "OFF")?;
        migrate::run(&mut conn, clock::now().millis())?;
        conn.execute_batch("BEGIN")?;
        Ok(conn)
    }

    /// Ends what is under way with this seal, and gives a new file its name.
    fn end(&mut self, seal: Option<&Seal>) -> Result<(), Fault> {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => sealed_anew(connect::writer(&self.path)?, seal),
            Open::Source(conn) => {
                // What was read is let go before anything can be written.
                conn.execute_batch("COMMIT")?;
                sealed_anew(conn, seal)
            }
            Open::New(conn) => {
                migrate::seal(&conn, seal, clock::now().millis())?;
                conn.execute_batch("COMMIT")?;
                close(conn)?;
                connect::put_in_place(&self.part(), &self.path).map_err(|error| {
                    let what = format!("the copy could not be put in place as {}", self.path.display());
                    broken(what, Some(Box::new(error))).into()
                })
            }
        }
    }
}

/// Changes the seal of a database that is otherwise left alone.
fn sealed_anew(conn: Connection, seal: Option<&Seal>) -> Result<(), Fault> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    migrate::seal(&conn, seal, clock::now().millis())?;
    conn.execute_batch("COMMIT")?;
    close(conn)
}

/// Closes the last connection, which also empties the log.
fn close(conn: Connection) -> Result<(), Fault> {
    Ok(conn.close().map_err(|(_, error)| error)?)
}

/// The seal on a database. One that this version does not know is refused.
fn seal_of(conn: &Connection) -> Result<Option<Seal>, StoreError> {
    match migrate::sealed(conn).map_err(Fault::into_store)? {
        Some(note) => Seal::read(&note).map(Some).ok_or_else(|| refusal(&note)),
        None => Ok(None),
    }
}

fn words(what: String) -> StoreError {
    broken(what, None)
}

#[async_trait]
impl Side for SqliteSide {
    fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    async fn empty(&mut self) -> Result<(), StoreError> {
        if self.path.exists() && self.seal.is_none() {
            return Err(words(format!(
                "{} is there already; name a file that is not",
                self.path.display()
            )));
        }
        // A log that lies beside it would be taken for the copy's own.
        let log = beside(&self.path, "-wal");
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(words(format!(
                "{} belongs to another database; move it away first",
                log.display()
            )));
        }
        self.open = Open::New(self.make().map_err(Fault::into_store)?);
        Ok(())
    }

    async fn read(&mut self, kind: Kind, after: Option<&Row>) -> Result<Vec<Row>, StoreError> {
        read(self.conn().map_err(Fault::into_store)?, kind, after).map_err(Fault::into_store)
    }

    async fn write(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), StoreError> {
        write(self.conn().map_err(Fault::into_store)?, kind, &rows).map_err(Fault::into_store)
    }

    async fn keep(&mut self, seal: Option<Seal>) -> Result<(), StoreError> {
        self.end(seal.as_ref()).map_err(Fault::into_store)?;
        self.seal = seal;
        Ok(())
    }
}

/// How a kind is read: its columns, where they are, what comes after a row, and the order.
fn select(kind: Kind) -> [&'static str; 4] {
    match kind {
        Kind::Calls => [
            "id, user_id, to_number, from_number, status, attempt_count, should_retry, created_at, shelf,
             alive, due_at, check_at, events, body",
            "calls",
            "id > ?1",
            "id",
        ],
        Kind::Events => [
            "id, seq, at, events.body",
            "calls CROSS JOIN events ON call_n = n",
            "id >= ?1 AND (id > ?1 OR seq > ?2)",
            "id, seq",
        ],
        Kind::Legs => [
            "sid, id, attempt",
            "sids CROSS JOIN calls ON n = call_n",
            "sid > ?1",
            "sid",
        ],
        Kind::Permits => [
            "id, attempt, account, permits.from_number, permits.to_number, state, granted_at",
            "calls CROSS JOIN permits ON call_n = n",
            "id >= ?1 AND (id > ?1 OR attempt > ?2)",
            "id, attempt",
        ],
        Kind::Keys => [
            "key, body_hash, id, keys.created_at",
            "keys CROSS JOIN calls ON n = call_n",
            "key > ?1",
            "key",
        ],
        Kind::Orphans => [
            "n, sid, CASE WHEN length(named_id) > 0 THEN named_id END, named_attempt, received_at, body",
            "orphans",
            "n > ?1",
            "n",
        ],
        Kind::Totals => [
            "user_id, status, n",
            "totals",
            "n <> 0 AND (user_id, status) > (?1, ?2)",
            "user_id, status",
        ],
        Kind::Dialling => [
            "paused_at, hold_since, hold_probe_at, hold_message, restored, live, pace_clear_at",
            "dialling",
            "false",
            "one",
        ],
    }
}

fn read(conn: &Connection, kind: Kind, after: Option<&Row>) -> Result<Vec<Row>, Fault> {
    let [columns, place, rest, order] = select(kind);
    let from = match (after, kind) {
        (Some(_), _) => rest,
        (None, Kind::Totals) => "n <> 0",
        (None, _) => "true",
    };
    let limit = rows(ROWS);
    let sql = format!("SELECT {columns} FROM {place} WHERE {from} ORDER BY {order} LIMIT {limit}");
    let mut select = conn.prepare_cached(&sql)?;
    let width = kind.columns().len();
    let key = after.map_or(&[][..], |row| &row[..kind.key()]);
    let mut found = select.query(params_from_iter(key.iter().map(Bound)))?;
    let mut read = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..width).map(|column| Ok(value(row.get_ref(column)?)));
        read.push(values.collect::<Result<Row, Fault>>()?);
    }
    Ok(read)
}

fn value(found: ValueRef<'_>) -> Value {
    match found {
        ValueRef::Null | ValueRef::Real(_) => Value::Nothing,
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
    }
}

/// A value on its way into a statement.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Nothing => ValueRef::Null,
            Value::Number(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// How a row is written: one row of the table, whose call is there already.
fn insert(kind: Kind) -> &'static str {
    match kind {
        Kind::Calls => {
            "INSERT INTO calls (id, user_id, to_number, from_number, status, attempt_count, should_retry,
                                created_at, shelf, alive, due_at, check_at, events, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        }
        Kind::Events => {
            "INSERT INTO events (call_n, seq, at, body) SELECT n, ?2, ?3, ?4 FROM calls WHERE id = ?1"
        }
        Kind::Legs => "INSERT INTO sids (sid, call_n, attempt) SELECT ?1, n, ?3 FROM calls WHERE id = ?2",
        Kind::Permits => {
            "INSERT INTO permits (call_n, attempt, account, from_number, to_number, state, granted_at)
             SELECT n, ?2, ?3, ?4, ?5, ?6, ?7 FROM calls WHERE id = ?1"
        }
        Kind::Keys => {
            "INSERT INTO keys (key, body_hash, call_n, created_at)
             SELECT ?1, ?2, n, ?4 FROM calls WHERE id = ?3"
        }
        Kind::Orphans => {
            "INSERT INTO orphans (n, sid, named_id, named_attempt, received_at, body)
             VALUES (?1, ?2, ifnull(?3, x''), ?4, ?5, ?6)"
        }
        Kind::Totals => "INSERT INTO totals (user_id, status, n) VALUES (?1, ?2, ?3)",
        Kind::Dialling => {
            "UPDATE dialling SET paused_at = ?1, hold_since = ?2, hold_probe_at = ?3, hold_message = ?4,
                                 restored = ?5, live = ?6, pace_clear_at = ?7"
        }
    }
}

fn write(conn: &Connection, kind: Kind, rows: &[Row]) -> Result<(), Fault> {
    let mut insert = conn.prepare_cached(insert(kind))?;
    for row in rows {
        if insert.execute(params_from_iter(row.iter().map(Bound)))? != 1 {
            let name = kind.name();
            return Err(words(format!("a row of {name} belongs to a call that is not there")).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
