//! A look at a database without changing it, for whoever checks a set-up.

use store::StoreError;

use crate::connect::{self, Pool};
use crate::error::Fault;
use crate::{migrate, right};

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// The schema is there and the one that this program knows; otherwise the next start brings it
    /// up to date.
    pub is_current: bool,
    /// Who dials from it just now, in words.
    pub held_by: Option<String>,
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
    Ok(Examination {
        is_current: migrate::is_current(&mut conn).await?,
        held_by: right::holder(&mut conn).await?,
    })
}
