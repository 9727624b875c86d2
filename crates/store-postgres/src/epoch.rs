//! Which server writes: noticed when another has taken over that may have forgotten what the one
//! before it had answered, as a standby that was behind, or a copy put back.
//!
//! A server that takes over begins a new timeline, and a cluster made anew has another system
//! identifier ("Timelines", "Continuous Archiving" of the PostgreSQL manual). What is found in the
//! database then is complete up to the last moment at which a process said that it was there, because
//! everything before that was written before it.

use tokio_postgres::Row;

use crate::connect::{Pool, Query};
use crate::dialling;
use crate::error::Fault;

/// The timeline on which is written now, as the names of log files begin with it. Any role may ask.
pub(crate) const TIMELINE: &str = "substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";

/// The server's identity.
pub(crate) const SYSTEM: &str = "(SELECT system_identifier FROM pg_control_system())";

/// Compares the server that writes now with the one that wrote last; marks everything as a copy if
/// it is another. The first to look notes it down.
pub(crate) async fn look(pool: &Pool) -> Result<(), Fault> {
    let sql = format!(
        "SELECT timeline IS NOT NULL, timeline IS DISTINCT FROM {TIMELINE} OR system IS DISTINCT FROM {SYSTEM}
         FROM dialling"
    );
    let row: Row = pool.one(Query::new(sql, [])).await?;
    let (is_known, is_another): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
    if !is_another {
        return Ok(());
    }
    let mark = if is_known {
        tracing::error!(
            "another database server has taken over, which may have forgotten what the last one had answered"
        );
        // A mark that is there already says how far an earlier copy went; moved by the least there is, so that whoever
        // is making good what that one did not know sees that it is another.
        "CASE WHEN restored = 0 THEN greatest(coalesce(seen_at, 0), 1) ELSE greatest(restored - 1, 1) END"
    } else {
        "restored"
    };
    let change = format!(
        "UPDATE dialling SET restored = {mark}, timeline = {TIMELINE}, system = {SYSTEM}
         WHERE timeline IS DISTINCT FROM {TIMELINE} OR system IS DISTINCT FROM {SYSTEM}"
    );
    let changed = dialling::change_gate(pool, None, Query::new(change, [])).await;
    changed.map(|_| ())
}
