//! Opening connections: which SQLite, which file, which settings. The reasons for the settings stand here.
//!
//! It knows no table. Called when the store is opened, and by the readers when a connection has to
//! be replaced.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use store::StoreError;

use crate::error::{broken, from_sqlite};

/// The first release without the fault that could lose a commit when one connection wrote while
/// another emptied the log (3.7.0 to 3.51.2).
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long a writer waits for a program beside the server (a backup, an import). Far above any
/// transaction of ours.
const BUSY: Duration = Duration::from_secs(5);

/// Statements kept ready per connection. More than the crate has, so that none is prepared twice.
const STATEMENTS: usize = 128;

/// Page cache of the writer, in KiB. It fills with use: an idle server that has just started holds
/// a few pages.
const WRITER_CACHE_KIB: i64 = 8_192;

/// Page cache of a writer that is alone and writes in bulk, in KiB: half of the indexes of a million
/// calls, whose entries come in no order. With the usual cache a page is read and written several
/// times in one transaction of twenty thousand; twice as much memory was measured to gain nothing.
const BULK_CACHE_KIB: i64 = 128 * 1024;

/// Page cache of each reader, in KiB. The system's own cache does the rest.
const READER_CACHE_KIB: i64 = 1_024;

/// Bytes of the log file that are kept for re-use once it has been emptied.
const LOG_KEPT_BYTES: i64 = 64 * 1024 * 1024;

/// Bytes in a page of a new file. Measured with `examples/sqlite_rate.rs`: at 2 KiB the writer needs a
/// tenth to a third more time for each change; 8 and 16 KiB gain nothing and write more.
const PAGE_BYTES: i64 = 4_096;

/// Refuses a SQLite that is known to lose commits.
///
/// # Errors
/// `Broken`, naming both versions.
pub(crate) fn check_version() -> Result<(), StoreError> {
    accept_version(rusqlite::version_number(), rusqlite::version())
}

fn accept_version(number: i32, name: &str) -> Result<(), StoreError> {
    if number >= OLDEST_SQLITE {
        return Ok(());
    }
    Err(broken(
        format!("SQLite {name} can lose commits; 3.51.3 or newer is needed"),
        None,
    ))
}

/// Makes sure that the file is there (readable by its owner alone, because it holds phone numbers)
/// and that its disk is a local one. Returns whether it was made just now.
///
/// # Errors
/// `Broken`: the folder is missing, the file is a folder or out of reach, or the file system is a
/// network's.
pub(crate) fn prepare_file(path: &Path) -> Result<bool, StoreError> {
    let made = match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(error) => {
            let message = format!(
                "{} cannot be made; is its folder there and writable?",
                path.display()
            );
            return Err(broken(message, Some(Box::new(error))));
        }
    };
    refuse_network(path)?;
    Ok(made)
}

/// Locks and shared memory of a network's file system cannot be relied upon, and both are needed.
#[cfg(target_os = "linux")]
pub(crate) fn refuse_network(path: &Path) -> Result<(), StoreError> {
    // Numbers from the kernel's list of file systems (linux/magic.h and the sources of those not in it).
    const NETWORKS: [(u32, &str); 9] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x0102_1997, "9P"),
        (0x5346_414F, "AFS"),
        (0x00C3_6400, "Ceph"),
        (0x0BD0_0BD0, "Lustre"),
        (0x0116_1970, "GFS2"),
    ];
    let found = rustix::fs::statfs(path).map_err(|error| {
        broken(
            format!("{} cannot be examined", path.display()),
            Some(Box::new(error)),
        )
    })?;
    // The field's width and sign differ between processors; the number is 32 bits everywhere.
    let kind = found.f_type as u32;
    match NETWORKS.iter().find(|(number, _)| *number == kind) {
        None => Ok(()),
        Some((_, name)) => {
            let message = format!(
                "{} lies on {name}; the database needs a local disk",
                path.display()
            );
            Err(broken(message, None))
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_network(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// A file beside the database, `redial.db` and `.lock` giving `redial.db.lock`.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Gives a finished file its name, in one step and on the disk: a crash leaves what was there, or this.
pub(crate) fn put_in_place(new: &Path, to: &Path) -> std::io::Result<()> {
    File::open(new)?.sync_all()?;
    std::fs::rename(new, to)?;
    let folder = to.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Opens the connection that may write.
///
/// # Errors
/// `Broken`: the file is not a database or cannot be written. `Busy`: another program holds it.
pub(crate) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(from_sqlite)?;
    writer_settings(&conn).map_err(from_sqlite)?;
    Ok(conn)
}

fn writer_settings(conn: &Connection) -> rusqlite::Result<()> {
    common_settings(conn)?;
    // Only a file without pages takes it.
    conn.pragma_update(None, "page_size", PAGE_BYTES)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        .map(drop)?;
    // With less, a power cut takes back what has been answered.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    // The writer thread does it: an automatic one would hide that a sync failed.
    conn.pragma_update(None, "wal_autocheckpoint", 0)
}

/// Gives a connection that writes in bulk the memory for it.
///
/// # Errors
/// As [`writer`].
pub(crate) fn for_bulk(conn: &Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "cache_size", -BULK_CACHE_KIB)
        .map_err(from_sqlite)
}

/// Opens a connection that can only read.
///
/// # Errors
/// As [`writer`].
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    common_settings(&conn)?;
    conn.pragma_update(None, "query_only", "ON")?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(conn)
}

fn common_settings(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it a statement is prepared anew whenever a value is bound that the planner has once
    // looked at.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // A write through a mapping that goes wrong is not seen by SQLite.
    conn.pragma_update(None, "mmap_size", 0)
}

#[cfg(test)]
mod tests;
