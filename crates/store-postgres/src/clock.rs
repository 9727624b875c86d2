//! The database's own time: that of the server which takes the writes, the same for every process
//! that uses it. Asked by `Store::clock` alone; nothing is decided by it.

use domain::Timestamp;

use crate::connect::{Pool, Query};
use crate::error::Fault;

/// What time it is at the server.
pub(crate) async fn now(pool: &Pool) -> Result<Timestamp, Fault> {
    let query = Query::new(
        "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        [],
    );
    let row = pool.one(query).await?;
    Ok(Timestamp::from_millis(row.try_get(0)?))
}
