//! A look at a database without changing it, for whoever checks a set-up.

use store::{CLAIMED_FOR, StoreError};

use crate::connect::{self, Conn, Pool, Query, values};
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
}

/// Looks at the database at `url`.
///
/// # Errors
/// As [`crate::PostgresStore::open`].
pub async fn examine(url: &str) -> Result<Examination, StoreError> {
    let pool = Pool::new(connect::config(url)?, 1)?;
    look(&pool).await.map_err(Fault::into_store)
}

async fn look(pool: &Pool) -> Result<Examination, Fault> {
    let mut conn = pool.get().await?;
    let is_current = migrate::is_current(&mut conn).await?;
    let dialled_by = match is_current {
        true => diallers(&mut conn).await?,
        false => Vec::new(),
    };
    Ok(Examination {
        is_current,
        dialled_by,
    })
}

async fn diallers(conn: &mut Conn) -> Result<Vec<String>, Fault> {
    let sql = "SELECT name FROM nodes, dialling WHERE nodes.seen_at > dialling.seen_at - $1 ORDER BY name";
    let lately = i64::try_from(CLAIMED_FOR.as_millis()).unwrap_or(0);
    let rows = conn.all(Query::new(sql, values![lately])).await?;
    let names = rows.iter().map(|row| Ok(row.try_get(0)?));
    names.collect()
}
