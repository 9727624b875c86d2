//! Opening a database, step by step, each with its own refusal.

use store::StoreError;

use crate::PostgresStore;
use crate::connect::{self, Pool, refuse_untold};
use crate::error::Fault;
use crate::news::Ear;
use crate::right::{Purpose, Right};
use crate::shared::{self, Shared};
use crate::writer::{BATCHES, Writer};
use crate::{epoch, migrate};

/// Connections that read. Queries are short: more than the cores of a small server gain nothing, and
/// each costs the server some megabytes.
const READERS: usize = 4;

/// What is lost through a pooler, said once at the start.
const POOLED: &str = "the database is reached through a pooler (pgbouncer=true): statements are planned each time, \
                      and what other nodes have done is found by looking, not by being told";

impl PostgresStore {
    /// Opens the database at `url` (`postgres://user:password@host:port/name`), and brings its schema
    /// up to date. Any number of processes may have it open at once.
    ///
    /// # Errors
    /// `Broken`, in words for an operator: the address cannot be read, nobody answers there, the
    /// server is too old or takes no writes, the database is another program's or has a newer schema.
    pub async fn open(url: &str, purpose: Purpose) -> Result<PostgresStore, StoreError> {
        let config = connect::config(url)?;
        let writers = Pool::new(config.clone(), BATCHES + 1)?;
        let readers = Pool::new(config.clone(), READERS)?;
        let mut conn = writers.get().await.map_err(Fault::into_store)?;
        if config.is_pooled() {
            tracing::info!("{POOLED}");
        } else {
            let other = readers.get().await.map_err(Fault::into_store)?;
            refuse_untold(&conn, &other).await.map_err(Fault::into_store)?;
        }
        migrate::run(&mut conn).await.map_err(Fault::into_store)?;
        drop(conn);
        epoch::look(&readers).await.map_err(Fault::into_store)?;
        // Of no meaning but to be another than any before.
        let (node, right, shared) = match purpose {
            Purpose::Dial(durability) => {
                let node = shared::join(&readers).await.map_err(Fault::into_store)?;
                let ear = Ear::open(config, node).await;
                let shared = Shared::new(node, readers.clone(), ear, durability);
                (node, Right::ToDial, Some(shared))
            }
            Purpose::Beside => (shared::NOBODY, Right::None, None),
        };
        Ok(PostgresStore {
            writer: Writer::start(writers, node),
            readers,
            right,
            node,
            shared,
        })
    }
}
