//! The right to dial, which one process at a time has: a lock at the server that tells the others,
//! and a count that no permit gets past once another process has counted on.
//!
//! The lock belongs to a connection, and so may be lost while the process lives; it is then taken
//! again. The count is what nobody gets round. Taken when the store is opened, kept until it is
//! dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::StoreError;
use tokio::task::AbortHandle;
use tokio_postgres::Config;

use crate::connect::{Conn, Pool, Query};
use crate::error::Fault;
use crate::load::BEGIN;
use crate::lock::Lock;

/// What a process opens a database for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To dial, which only one process at a time may.
    Dial {
        /// How long to wait for a process that still holds the right.
        wait: Duration,
    },
    /// To dial together with others that do so. Whoever stands on it must not take a permit of
    /// another process for one that was left behind.
    Together,
    /// For anything else, beside processes that may be dialling. Permits are refused.
    Beside,
}

/// What permits are granted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// This is the process that counted last, and so is the only one that dials.
    Counted(i64),
    /// Whoever asks.
    Everybody,
    /// Nobody here.
    Nobody,
}

impl Right {
    /// Whether it still holds, given what was counted last.
    pub(crate) fn check(self, counted: i64) -> Result<(), StoreError> {
        match self {
            Right::Everybody => Ok(()),
            Right::Counted(own) if own == counted => Ok(()),
            Right::Counted(_) => Err(StoreError::broken(
                "another process has taken the right to dial from this database",
            )),
            Right::Nobody => Err(StoreError::broken(
                "this process has not taken the right to dial from this database",
            )),
        }
    }
}

/// How often a process that waits for the right asks for it.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// How often the holder sees whether its connection still stands.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The right, until this is dropped.
pub(crate) struct Held {
    right: Right,
    is_lost: Arc<AtomicBool>,
    watch: AbortHandle,
}

impl Held {
    /// Takes the right, waiting so long for a process that still holds it.
    ///
    /// # Errors
    /// `Held`, naming the holder; or the database's own.
    pub(crate) async fn take(mut config: Config, wait: Duration) -> Result<Held, StoreError> {
        config.application_name(format!("redial process {}", std::process::id()));
        let pool = Pool::new(config, 1)?;
        let mut conn = pool.get().await.map_err(Fault::into_store)?;
        let taking = async {
            while !lock(&mut conn).await? {
                tokio::time::sleep(ASK_EVERY).await;
            }
            Ok(())
        };
        match tokio::time::timeout(wait, taking).await {
            Ok(taken) => taken.map_err(Fault::into_store)?,
            // Not even one answer came within no time at all, or the last was no.
            Err(_) if lock(&mut conn).await.map_err(Fault::into_store)? => {}
            Err(_) => {
                let holder = holder(&mut conn).await.map_err(Fault::into_store)?;
                // It may have ended just now.
                let holder = holder.unwrap_or_else(|| "another process held the right to dial".to_owned());
                return Err(StoreError::Held(holder));
            }
        }
        let counted = count(&mut conn).await.map_err(Fault::into_store)?;
        let is_lost = Arc::new(AtomicBool::new(false));
        let watching = watch(pool, conn, counted, Arc::clone(&is_lost));
        Ok(Held {
            right: Right::Counted(counted),
            is_lost,
            watch: tokio::spawn(watching).abort_handle(),
        })
    }

    pub(crate) fn right(&self) -> Right {
        self.right
    }

    /// Another process has it now.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Asks for the lock; says whether it is ours.
async fn lock(conn: &mut Conn) -> Result<bool, Fault> {
    let query = Query::new(Lock::Right.for_the_connection(), []);
    Ok(conn.one(query).await?.try_get(0)?)
}

/// Who holds the lock, in words.
pub(crate) async fn holder(conn: &mut Conn) -> Result<Option<String>, Fault> {
    let sql = format!(
        "SELECT application_name, host(client_addr), current_database()::text
         FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND classid = {} AND objid = {} AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        Lock::CLASS,
        Lock::Right as i32
    );
    let rows = conn.all(Query::new(sql, [])).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let (name, address, database): (Option<&str>, Option<&str>, &str) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let name = name.filter(|name| !name.is_empty()).unwrap_or("another process");
    let address = address.unwrap_or("the server's own machine");
    Ok(Some(format!(
        "{name} at {address} holds the right to dial (database {database})"
    )))
}

/// Counts this process. Permits that are being granted are waited for; the next ones see the count.
async fn count(conn: &mut Conn) -> Result<i64, Fault> {
    let queries = vec![
        Query::new(BEGIN, []),
        Query::new(Lock::Pause.alone(), []),
        Query::new("UPDATE dialling SET boots = boots + 1 RETURNING boots", []),
        Query::new("COMMIT", []),
    ];
    let answers = conn.run(queries).await?;
    let row = answers.get(2).and_then(|rows| rows.first());
    let row = row.ok_or_else(|| StoreError::broken("the row of the dialling is gone"))?;
    Ok(row.try_get(0)?)
}

/// Keeps the lock: a connection that is lost is replaced, and the lock taken again, unless another
/// process has counted meanwhile.
async fn watch(pool: Pool, conn: Conn, counted: i64, is_lost: Arc<AtomicBool>) {
    let mut held = Some(conn);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        held = match held.take() {
            Some(conn) => Some(conn),
            None => take_again(&pool).await,
        };
        let Some(mut conn) = held.take() else { continue };
        match last_counted(&mut conn).await {
            Ok(last) if last == counted => held = Some(conn),
            Ok(_) => {
                is_lost.store(true, Ordering::Relaxed);
                tracing::error!("another process has taken the right to dial from this database");
                return;
            }
            Err(_) => conn.discard(),
        }
    }
}

async fn take_again(pool: &Pool) -> Option<Conn> {
    let mut conn = pool.get().await.ok()?;
    // Where another process has it, that one has counted, or is about to.
    lock(&mut conn).await.ok()?;
    Some(conn)
}

async fn last_counted(conn: &mut Conn) -> Result<i64, Fault> {
    let query = Query::new("SELECT boots FROM dialling", []);
    Ok(conn.one(query).await?.try_get(0)?)
}
