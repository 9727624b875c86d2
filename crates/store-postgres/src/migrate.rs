//! Brings a database to the schema that this program knows, one numbered script after the other,
//! never back.
//!
//! The scripts are `migrations/`; a script that was released is never edited, and each database
//! remembers a digest of what was applied to it, so that an edit is noticed. Called once, when the
//! store is opened. Of several nodes that start at once, one applies and the others wait for it.

use sha2::{Digest, Sha256};
use store::StoreError;
use store::transfer::{SEALED, Seal, refusal};

use crate::connect::{Conn, Query, values};
use crate::error::{Fault, Remedy};
use crate::load::BEGIN;
use crate::lock::Lock;

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

/// The oldest server that is still maintained, and so the oldest that is tried.
const OLDEST_SERVER: i32 = 14;

/// Where what was applied is noted. The comment tells a database of ours from another program's.
const LEDGER: &str = "CREATE TABLE redial_migrations (
    version    bigint NOT NULL PRIMARY KEY,
    name       text   NOT NULL,
    digest     bytea  NOT NULL,
    applied_at bigint NOT NULL
)";

/// What a copy's own lock shuts out.
const BESIDE_NO_COPY: &str = "LOCK TABLE redial_migrations IN ROW EXCLUSIVE MODE";

/// Applies what is missing, all of it or nothing; waits for another node that does so.
///
/// # Errors
/// `Broken`: a server that is too old, another program's database, a schema newer than this
/// program, or a script that was edited after it was applied; and whatever a script meets.
pub(crate) async fn run(conn: &mut Conn) -> Result<(), Fault> {
    check_server(conn).await?;
    run_all(conn, MIGRATIONS).await
}

/// What a database says of itself that nobody may use.
pub(crate) async fn sealed(conn: &mut Conn) -> Result<Option<String>, Fault> {
    let [ours, _] = tables(conn).await?;
    if ours == 0 {
        return Ok(None);
    }
    let note = "SELECT name FROM redial_migrations WHERE version = $1";
    let rows = conn.all(Query::new(note, values![SEALED])).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
}

/// Seals a database whose schema is current, or takes the seal off; inside the caller's transaction.
pub(crate) async fn seal(conn: &mut Conn, seal: Option<&Seal>) -> Result<(), Fault> {
    let off = "DELETE FROM redial_migrations WHERE version = $1";
    let mut queries = vec![Query::new(off, values![SEALED])];
    if let Some(seal) = seal {
        queries.push(note(SEALED, &seal.note(), Vec::new()));
    }
    conn.run(queries).await.map(drop)
}

/// Writes a line of the ledger.
fn note(version: i64, name: &str, digest: Vec<u8>) -> Query {
    let sql = "INSERT INTO redial_migrations (version, name, digest, applied_at)
               SELECT $1, $2, $3, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    Query::new(sql, values![version, name.to_owned(), digest])
}

/// Whether nothing is missing, without changing anything.
///
/// # Errors
/// As [`run`].
pub(crate) async fn is_current(conn: &mut Conn) -> Result<bool, Fault> {
    check_server(conn).await?;
    Ok(standing(conn, MIGRATIONS).await? == MIGRATIONS.len())
}

async fn check_server(conn: &mut Conn) -> Result<(), Fault> {
    let sql = "SELECT current_setting('server_version_num')::integer";
    let version: i32 = conn.one(Query::new(sql, [])).await?.try_get(0)?;
    if version / 10_000 < OLDEST_SERVER {
        let words = format!(
            "the database server is PostgreSQL {}, and {OLDEST_SERVER} is the oldest that works",
            version / 10_000
        );
        return Err(StoreError::broken(words).into());
    }
    Ok(())
}

async fn run_all(conn: &mut Conn, known: &[Migration]) -> Result<(), Fault> {
    // Waits for a copy that is being made of it, and sees what became of that.
    conn.script(BEGIN).await?;
    if tables(conn).await?[0] > 0 {
        conn.script(BESIDE_NO_COPY).await.map_err(in_use)?;
    }
    let standing = standing(conn, known).await;
    conn.script("ROLLBACK").await?;
    if standing? == known.len() {
        return Ok(());
    }
    conn.script(BEGIN).await?;
    let done = apply(conn, known).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = conn.script(end).await;
    done.and(ended)
}

/// Whoever holds the lock longer than it is waited for is no start of another node.
fn in_use(fault: Fault) -> Fault {
    match fault.remedy() {
        Remedy::DecideAgain => {
            let words = "`redial copy` works on the database; start again when it is done";
            StoreError::Held(words.to_owned()).into()
        }
        _ => fault,
    }
}

async fn apply(conn: &mut Conn, known: &[Migration]) -> Result<(), Fault> {
    // Another node may take its time over a large table; how long a lock is waited for is meant for
    // calls.
    conn.script("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
        .await?;
    conn.run(vec![Query::new(Lock::Schema.alone(), [])]).await?;
    // Looked at again under the lock: another node may have been faster.
    let applied = standing(conn, known).await?;
    if applied == 0 {
        conn.script(LEDGER).await?;
    }
    for migration in &known[applied..] {
        conn.script(migration.sql).await?;
        let note = note(migration.version, migration.name, digest(migration));
        conn.run(vec![note]).await?;
    }
    Ok(())
}

/// How many of the known scripts were applied.
async fn standing(conn: &mut Conn, known: &[Migration]) -> Result<usize, Fault> {
    let [ours, tables] = tables(conn).await?;
    if ours == 0 && tables > 0 {
        let words = "the database holds tables of another program: give redial a database of its own, \
                     or a schema (?options=-csearch_path%3Dredial)";
        return Err(StoreError::broken(words).into());
    }
    if ours == 0 {
        return Ok(0);
    }
    let query = Query::new(
        "SELECT version, digest FROM redial_migrations ORDER BY version",
        [],
    );
    let rows = conn.all(query).await?;
    if let Some(newest) = rows.get(known.len()) {
        let newest: i64 = newest.try_get(0)?;
        if let Some(note) = sealed(conn).await? {
            return Err(refusal(&note).into());
        }
        let words = format!(
            "the database has schema {newest}, this program knows {}: a newer version wrote it",
            known.len()
        );
        return Err(StoreError::broken(words).into());
    }
    for (row, migration) in rows.iter().zip(known) {
        let (version, applied): (i64, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        if version != migration.version || applied != digest(migration) {
            let words = format!("the schema of the database is not that of {}", migration.name);
            return Err(StoreError::broken(words).into());
        }
    }
    Ok(rows.len())
}

/// How many of the schema's tables are our ledger, and how many there are: in one look, because another
/// node may be making them.
async fn tables(conn: &mut Conn) -> Result<[i64; 2], Fault> {
    let sql =
        "SELECT count(*) FILTER (WHERE relname = 'redial_migrations'), count(*) FROM pg_catalog.pg_class
               WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')";
    let row = conn.one(Query::new(sql, [])).await?;
    Ok([row.try_get(0)?, row.try_get(1)?])
}

fn digest(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests;
