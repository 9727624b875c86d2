//! Opening a database, step by step, each with its own refusal.

use store::StoreError;

use crate::PostgresStore;
use crate::connect::{self, Pool};
use crate::error::Fault;
use crate::migrate;
use crate::right::{Held, Purpose, Right};
use crate::writer::{BATCHES, Writer};

/// Connections that read. Queries are short: more than the cores of a small server gain nothing, and
/// each costs the server some megabytes.
const READERS: usize = 4;

impl PostgresStore {
    /// Opens the database at `url` (`postgres://user:password@host:port/name`), and brings its schema
    /// up to date. Any number of processes may have it open at once.
    ///
    /// # Errors
    /// `Held`: another process has the right to dial, and is named. `Broken`, in words for an operator: the address cannot be read, nobody answers there, the
    /// server is too old or takes no writes, the database is another program's or has a newer schema.
    pub async fn open(url: &str, purpose: Purpose) -> Result<PostgresStore, StoreError> {
        let config = connect::config(url)?;
        let writers = Pool::new(config.clone(), BATCHES + 1)?;
        let readers = Pool::new(config.clone(), READERS)?;
        let mut conn = writers.get().await.map_err(Fault::into_store)?;
        migrate::run(&mut conn).await.map_err(Fault::into_store)?;
        drop(conn);
        let held = match purpose {
            Purpose::Dial { wait } => Some(Held::take(config, wait).await?),
            Purpose::Together | Purpose::Beside => None,
        };
        let right = match (&held, purpose) {
            (Some(held), _) => held.right(),
            (None, Purpose::Together) => Right::Everybody,
            (None, _) => Right::Nobody,
        };
        Ok(PostgresStore {
            writer: Writer::start(writers),
            readers,
            right,
            held,
        })
    }
}
