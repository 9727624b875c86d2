//! The database's own time: that of the server which takes the writes, the same for every process
//! that uses it; and how long work takes here. Nothing is decided by either but how long old calls are
//! kept and how much the server is left alone.

use std::time::{Duration, Instant};

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

/// Does some work, and says how long it took on this machine.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = work.await;
    (done, begun.elapsed())
}
