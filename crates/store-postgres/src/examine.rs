//! A look at a database and its server without changing either, for whoever checks a set-up.

use std::net::IpAddr;

use store::{CLAIMED_FOR, StoreError};
use tokio_postgres::config::{Host, TargetSessionAttrs};

use crate::connect::{self, Config, Conn, Pool, Query, values};
use crate::error::Fault;
use crate::migrate;

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// The schema is there and the one that this program knows; otherwise the next start brings it
    /// up to date.
    pub is_current: bool,
    /// Who dials from it, by what they said of themselves less than half a minute ago.
    pub dialled_by: Vec<String>,
    /// What the server says of itself.
    pub server: Server,
}

/// A server, as far as this role may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its version, such as `15.8`.
    pub version: String,
    /// The way to it does not leave this machine.
    pub is_local: bool,
    /// How the way to it is encrypted, such as `TLSv1.3`.
    pub encryption: Option<String>,
    /// The server's certificate is looked at.
    pub is_checked: bool,
    /// A pooler is between here and there, which hands out another connection for each transaction.
    pub is_pooled: bool,
    /// It takes no writes.
    pub is_read_only: bool,
    /// Settings that are off, and without which a crash of the server's machine loses what was
    /// answered.
    pub unsafe_settings: Vec<String>,
    /// `synchronous_commit` as connections find it; ours set their own.
    pub synchronous_commit: String,
    /// Standbys are to have a change before it is answered.
    pub has_synchronous_standbys: bool,
    /// Standbys that stream from it: synchronous ones, and others. `None`: this role may not see them.
    pub standbys: Option<(u64, u64)>,
}

/// Looks at the database at `url`.
///
/// # Errors
/// As [`crate::PostgresStore::open`], but that a server which takes no writes is looked at too.
pub async fn examine(url: &str) -> Result<Examination, StoreError> {
    let mut config = connect::config(url)?;
    config.target_session_attrs(TargetSessionAttrs::Any);
    let pool = Pool::new(config.clone(), 1)?;
    look(&pool, &config).await.map_err(Fault::into_store)
}

async fn look(pool: &Pool, config: &Config) -> Result<Examination, Fault> {
    let mut conn = pool.get().await?;
    let server = server(&mut conn, config).await?;
    let is_current = migrate::is_current(&mut conn).await?;
    let dialled_by = match is_current {
        true => diallers(&mut conn).await?,
        false => Vec::new(),
    };
    Ok(Examination {
        is_current,
        dialled_by,
        server,
    })
}

async fn diallers(conn: &mut Conn) -> Result<Vec<String>, Fault> {
    let sql = "SELECT name FROM nodes, dialling WHERE nodes.seen_at > dialling.seen_at - $1 ORDER BY name";
    let lately = i64::try_from(CLAIMED_FOR.as_millis()).unwrap_or(0);
    let rows = conn.all(Query::new(sql, values![lately])).await?;
    let names = rows.iter().map(|row| Ok(row.try_get(0)?));
    names.collect()
}

const SERVER: &str = "
    SELECT split_part(current_setting('server_version'), ' ', 1),
           (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl),
           pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on',
           ARRAY(SELECT name FROM unnest(ARRAY['fsync', 'full_page_writes']) AS name
                 WHERE current_setting(name) = 'off'),
           (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'),
           current_setting('synchronous_standby_names') <> '',
           (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
           (SELECT count(*) FROM pg_stat_replication WHERE sync_state NOT IN ('sync', 'quorum')),
           pg_has_role('pg_read_all_stats', 'USAGE')";

async fn server(conn: &mut Conn, config: &Config) -> Result<Server, Fault> {
    let row = conn.one(Query::new(SERVER, [])).await?;
    let count = |column| -> Result<u64, Fault> {
        let found: i64 = row.try_get(column)?;
        Ok(u64::try_from(found).unwrap_or(0))
    };
    let standbys = (count(6)?, count(7)?);
    let sees: bool = row.try_get(8)?;
    Ok(Server {
        version: row.try_get(0)?,
        is_local: config.hosts().iter().all(is_local),
        encryption: row.try_get(1)?,
        is_checked: config.checks_certificate(),
        is_pooled: config.is_pooled(),
        is_read_only: row.try_get(2)?,
        unsafe_settings: row.try_get(3)?,
        synchronous_commit: row.try_get(4)?,
        has_synchronous_standbys: row.try_get(5)?,
        standbys: sees.then_some(standbys),
    })
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}
