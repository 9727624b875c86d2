//! What processes that dial from this database together agree on: who is there, who leads, the pace,
//! and whether what was committed would survive the server.

use std::time::Duration;

use crate::connect::{Pool, Query, values};
use crate::error::Fault;
use crate::load::BEGIN;
use crate::news::Ear;
use crate::right::Durability;
use crate::{claims, epoch, lock};
use async_trait::async_trait;
use domain::rate::{APART_US, Owed, micros};
use domain::{Rate, Timestamp};
use store::{CLAIMED_FOR, News, Slots, Standing, StoreError, Together, furthest_claim};

/// A process that has not said for this long that it is there is not listed any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);

/// How long the standby is given, and how often it is asked after.
const PROVEN_WITHIN: Duration = Duration::from_millis(500);
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// The number of a process that does not dial.
pub(crate) const NOBODY: i64 = 0;

/// Gives this process a number that none had before.
pub(crate) async fn join(pool: &Pool) -> Result<i64, Fault> {
    let sql = "SELECT nextval(pg_get_serial_sequence('nodes', 'node'))";
    Ok(pool.one(Query::new(sql, [])).await?.try_get(0)?)
}

/// Frees what processes had claimed, and the place of a leader, whose lock is gone although they held it
/// when they were last here. Such a one has ended, or has lost its connection and is well: then somebody
/// else connects for the same call, and the permit decides. So its permits stay what they are.
fn free_of_the_dead() -> String {
    // Two that miss each other do not wait for each other.
    format!(
        "WITH gone AS MATERIALIZED (
             SELECT node FROM nodes WHERE node <> $1 AND listens AND NOT {} FOR UPDATE SKIP LOCKED),
         forgotten AS (DELETE FROM nodes WHERE node IN (SELECT node FROM gone)),
         freed AS (DELETE FROM claims WHERE node IN (SELECT node FROM gone))
         UPDATE dialling SET leader = NULL, leads_until = NULL WHERE leader IN (SELECT node FROM gone)",
        lock::is_present("node")
    )
}

/// One process's part in it.
pub(crate) struct Shared {
    node: i64,
    pool: Pool,
    ear: Ear,
    durability: Durability,
}

impl Shared {
    pub(crate) fn new(node: i64, pool: Pool, ear: Ear, durability: Durability) -> Shared {
        Shared {
            node,
            pool,
            ear,
            durability,
        }
    }

    async fn say_here(&self, now: Timestamp) -> Result<bool, Fault> {
        let (at, until) = (now.millis(), (now + CLAIMED_FOR).millis());
        let name = format!("redial process {}", std::process::id());
        let queries = vec![
            Query::new(
                format!(
                    "INSERT INTO nodes (node, name, seen_at, listens)
                     VALUES ($1, $2::text || coalesce(' at ' || host(inet_client_addr()), ''), $3, {})
                     ON CONFLICT (node) DO UPDATE SET seen_at = excluded.seen_at, listens = excluded.listens",
                    lock::is_present("$1::bigint")
                ),
                values![self.node, name, at],
            ),
            Query::new(
                "DELETE FROM nodes WHERE seen_at <= $1",
                values![(now - FORGOTTEN_AFTER).millis()],
            ),
            Query::new(free_of_the_dead(), values![self.node]),
            Query::new(claims::DROP_OLD, values![at, furthest_claim(now).millis()]),
            // The moment may fall: a clock that was ahead must not vouch for what came after. Of a leader that
            // says nothing any more somebody else takes the place.
            Query::new(
                "UPDATE dialling SET seen_at = $2,
                        leader = CASE WHEN free THEN $1 ELSE leader END,
                        leads_until = CASE WHEN free THEN $3 ELSE leads_until END
                 FROM (SELECT leader IS NULL OR leader = $1 OR leads_until NOT BETWEEN $2 AND $4 AS free
                       FROM dialling FOR UPDATE) AS place
                 RETURNING leader = $1",
                values![self.node, at, until, furthest_claim(now).millis()],
            ),
        ];
        let answers = self.pool.transaction(BEGIN, queries).await?;
        let row = answers.last().and_then(|rows| rows.first());
        let row = row.ok_or_else(|| StoreError::broken("the row of the dialling is gone"))?;
        Ok(row.try_get(0)?)
    }

    async fn take(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, Fault> {
        // Word for word `Rate::take`, done where the row is locked.
        let is_back = "as_of_us - $1 > $4";
        let clear = format!("(clear_us - CASE WHEN {is_back} THEN as_of_us - $1 ELSE 0 END)");
        let slots = format!(
            "CASE WHEN {clear} - $2 > $1 THEN 0
                  ELSE least($5, ($1 + $2 - greatest({clear}, $1)) / $3 + 1) END"
        );
        let sql = format!(
            "UPDATE pace SET taken = {slots},
                    clear_us = CASE WHEN {slots} = 0 THEN {clear} ELSE greatest({clear}, $1) + {slots} * $3 END,
                    as_of_us = CASE WHEN {is_back} THEN $1 ELSE greatest(as_of_us, $1) END
             RETURNING taken, clear_us, as_of_us"
        );
        let (gap, burst, at) = (rate.gap_us(), rate.burst_us(), micros(now));
        let values = values![at, burst, gap, APART_US, i64::from(wish)];
        let queries = vec![
            // The permit that comes after it takes it to the disk along with itself.
            Query::new("SET LOCAL synchronous_commit = off", []),
            Query::new(sql, values),
        ];
        let answers = self.pool.transaction(BEGIN, queries).await?;
        let row = answers.last().and_then(|rows| rows.first());
        let row = row.ok_or_else(|| StoreError::broken("the row of the pace is gone"))?;
        let taken: i64 = row.try_get(0)?;
        Ok(Slots {
            taken: u32::try_from(taken).unwrap_or(0),
            next_at: rate.next_at(Owed {
                clear_us: row.try_get(1)?,
                as_of_us: row.try_get(2)?,
            }),
        })
    }

    async fn is_on_a_standby(&self) -> Result<bool, Fault> {
        let last = "SELECT pg_current_wal_flush_lsn()::text";
        let lsn: String = self.pool.one(Query::new(last, [])).await?.try_get(0)?;
        // Of a server that has taken over meanwhile nothing is proven.
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_stat_replication
                            WHERE sync_state IN ('sync', 'quorum') AND flush_lsn >= $1::text::pg_lsn)
                    AND EXISTS (SELECT FROM dialling WHERE restored = 0 AND timeline = {})",
            epoch::TIMELINE
        );
        let asking = async {
            loop {
                let query = Query::new(sql.as_str(), values![lsn.clone()]);
                if self.pool.one(query).await?.try_get(0)? {
                    return Ok(true);
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
        };
        let answered = tokio::time::timeout(PROVEN_WITHIN, asking).await;
        answered.unwrap_or(Ok(false))
    }
}

#[async_trait]
impl Together for Shared {
    async fn slots(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, StoreError> {
        self.take(wish, rate, now).await.map_err(Fault::into_store)
    }

    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError> {
        epoch::look(&self.pool).await.map_err(Fault::into_store)?;
        let leads = self.say_here(now).await.map_err(Fault::into_store)?;
        Ok(Standing { leads })
    }

    async fn leave(&self) -> Result<(), StoreError> {
        let queries = vec![
            Query::new("DELETE FROM nodes WHERE node = $1", values![self.node]),
            Query::new("DELETE FROM claims WHERE node = $1", values![self.node]),
            Query::new(
                "UPDATE dialling SET leader = NULL, leads_until = NULL WHERE leader = $1",
                values![self.node],
            ),
        ];
        let left = self.pool.transaction(BEGIN, queries).await;
        left.map(|_| ()).map_err(Fault::into_store)
    }

    async fn proven(&self) -> Result<(), StoreError> {
        if self.durability == Durability::Local {
            return Ok(());
        }
        match self.is_on_a_standby().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::broken(
                "no synchronous standby of the database server is known to have it; REDIAL_DURABILITY=required \
                 wants one (synchronous_standby_names), and a role that may see it (GRANT pg_read_all_stats)",
            )),
            Err(fault) => Err(fault.into_store()),
        }
    }

    async fn news(&self) -> News {
        self.ear.news().await
    }
}
