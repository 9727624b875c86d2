//! One batch after the other: read, decide, write, commit, answer.
//!
//! The only place that begins, commits or gives up a transaction of calls, and the only one that
//! tries anything again.

use std::sync::Arc;

use super::job::{Job, Ran};
use super::lanes::Lanes;
use crate::connect::{Conn, Pool};
use crate::error::{Fault, Remedy};
use crate::flush::flush;
use crate::load::load;
use crate::tx::{Tx, Wanted};

/// How often a batch is decided anew because another transaction was faster. Each time somebody has
/// got further, so that more are never needed but under an attack on one row.
const DECISIONS: u32 = 8;

/// How often a batch takes another connection because its own was lost before anything was
/// committed: each of the few in the pool may be stale after the server was restarted.
const CONNECTIONS: u32 = 3;

/// Rounds of reading in one transaction: a chain of orphans may need one after the other.
const ROUNDS: u32 = 64;

/// Makes batches until the lanes are closed and empty.
pub(super) async fn run(lanes: Arc<Lanes>, pool: Pool, node: i64) {
    let mut conn = None;
    while let Some(batch) = lanes.take().await {
        write_and_answer(&pool, node, &mut conn, batch).await;
    }
}

/// Writes a batch and answers everybody in it. When it fails as a whole for what one piece of work
/// wants, each is written alone, so that nobody pays for another's fault.
pub(super) async fn write_and_answer(
    pool: &Pool,
    node: i64,
    conn: &mut Option<Conn>,
    mut batch: Vec<Box<dyn Job>>,
) {
    let fault = write(pool, node, conn, &mut batch).await.err();
    let apart = fault
        .as_ref()
        .is_some_and(|fault| matches!(fault.remedy(), Remedy::DecideAgain | Remedy::None));
    if apart && batch.len() > 1 {
        for job in batch {
            let mut alone = [job];
            let fault = write(pool, node, conn, &mut alone).await.err();
            let [job] = alone;
            answer(job, fault.as_ref());
        }
        return;
    }
    for job in batch {
        answer(job, fault.as_ref());
    }
}

fn answer(job: Box<dyn Job>, fault: Option<&Fault>) {
    if let Some(fault) = fault {
        tracing::warn!(error = fault as &dyn std::error::Error, "a change was not stored");
    }
    job.answer(fault);
}

/// One transaction: everything in `batch` that did not fail by itself, or nothing. Tried again as
/// long as that helps and nothing can have been committed.
async fn write(
    pool: &Pool,
    node: i64,
    conn: &mut Option<Conn>,
    batch: &mut [Box<dyn Job>],
) -> Result<(), Fault> {
    let mut needs = Wanted::default();
    let (mut decisions, mut connections) = (1, 1);
    loop {
        let mut own = match conn.take().filter(|own| !own.is_closed()) {
            Some(own) => own,
            None => pool.get().await?,
        };
        let Err(fault) = attempt(&mut own, node, batch, &mut needs).await else {
            *conn = Some(own);
            return Ok(());
        };
        let is_lost = matches!(fault.remedy(), Remedy::Reconnect | Remedy::LeaveIt);
        if is_lost || own.script("ROLLBACK").await.is_err() {
            own.discard();
        } else {
            *conn = Some(own);
        }
        match fault.remedy() {
            Remedy::DecideAgain if decisions < DECISIONS => decisions += 1,
            Remedy::Reconnect if connections < CONNECTIONS => connections += 1,
            _ => return Err(fault),
        }
    }
}

/// Runs the work until it has read all it needs, then writes. `needs` remembers for another attempt
/// what this one has read.
async fn attempt(
    conn: &mut Conn,
    node: i64,
    batch: &mut [Box<dyn Job>],
    needs: &mut Wanted,
) -> Result<(), Fault> {
    let mut tx = Tx::default();
    let mut first = true;
    if *needs != Wanted::default() {
        load(conn, &mut tx, needs, true).await?;
        first = false;
    }
    let mut waiting: Vec<&mut Box<dyn Job>> = batch.iter_mut().collect();
    for _ in 0..ROUNDS {
        waiting.retain_mut(|job| match job.run(&mut tx) {
            Ran::Kept => {
                tx.keep();
                false
            }
            Ran::Failed => {
                tx.drop_open();
                false
            }
            Ran::Missing => {
                tx.drop_open();
                true
            }
        });
        let wanted = tx.take_wanted();
        if waiting.is_empty() {
            return finish(conn, node, tx, first).await;
        }
        needs.add(&wanted);
        if wanted.alone_with_orphans && !first {
            // Whoever has a lock that others share cannot make it its own: two that tried would wait
            // for each other.
            return Err(Fault::Anew);
        }
        load(conn, &mut tx, &wanted, first).await?;
        first = false;
    }
    Err(Fault::Anew)
}

async fn finish(conn: &mut Conn, node: i64, tx: Tx, first: bool) -> Result<(), Fault> {
    let draft = tx.into_kept();
    if draft.is_empty() {
        return match first {
            true => Ok(()),
            false => conn.script("ROLLBACK").await,
        };
    }
    flush(conn, node, draft, first).await
}
