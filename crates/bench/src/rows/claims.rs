//! Everything due at once: how fast permits are granted, by the store alone and by the whole server.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{CallId, Timestamp};
use store::{Permitted, Store, Terms};
use tokio::task::JoinSet;

use crate::clock;
use crate::database::Purpose;
use crate::failure::Failure;
use crate::figures::short;
use crate::instant::{COUNTS, LEDGER, Ledger};
use crate::seed::{Field, Stage, at};
use crate::table::{Goal, Line};
use crate::world::{self, ACCOUNT, World, say};

/// Permits asked for at once, as many as the engine dials at once.
const AT_ONCE: usize = 256;

/// The store alone, then the server with a carrier that answers at once.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    Ok(vec![store_alone(world)?, whole(world)?])
}

fn store_alone(world: &World) -> Result<Line, Failure> {
    let count = world.amounts.claimed;
    say(format_args!("claims: writing {count} calls"));
    let database = world.database("claims")?;
    let due_at = clock::now();
    let field = Field::new(&database, &world.runtime);
    field.sow(0, count, move |_| Stage::Waiting(due_at))?;
    let store = world.runtime.block_on(database.open(Purpose::Dial))?;
    let began = Instant::now();
    let claimed = world
        .runtime
        .block_on(claim_all(&store, due_at + Duration::from_secs(1)))?;
    let seconds = began.elapsed().as_secs_f64();
    drop(store);
    world.drop_database(&database);
    if claimed != count {
        return Err(format!("{count} calls were due, {claimed} permits were granted").into());
    }
    let note = format!(
        "{} due at once, {AT_ONCE} asked for at once",
        short(f64::from(count))
    );
    let goal = Goal::at_least(10_000.0, 10_000.0);
    Ok(Line::single(
        "permits, the store alone",
        f64::from(count) / seconds,
        "/s",
        goal,
        note,
    ))
}

/// Asks who is due and for their permits, until nobody is.
async fn claim_all(store: &Arc<dyn Store>, now: Timestamp) -> Result<u32, Failure> {
    let (mut claimed, mut in_hand, mut tasks) = (0, HashSet::new(), JoinSet::new());
    loop {
        let due = store.due(now, AT_ONCE).await?;
        for due in due.into_iter().filter(|due| in_hand.insert(due.id)) {
            let store = Arc::clone(store);
            tasks.spawn(async move { (due.id, permit(&*store, due.id, now).await) });
        }
        // Half of them make room for the next look; at the end all.
        let keep = if tasks.len() > AT_ONCE / 2 { AT_ONCE / 2 } else { 0 };
        if tasks.is_empty() {
            return Ok(claimed);
        }
        while tasks.len() > keep {
            let Some(done) = tasks.join_next().await else {
                break;
            };
            let (id, granted) = done?;
            in_hand.remove(&id);
            claimed += u32::from(granted?);
        }
    }
}

async fn permit(store: &dyn Store, id: CallId, now: Timestamp) -> Result<bool, Failure> {
    let terms = Terms {
        account: ACCOUNT.to_owned(),
        max_live: None,
        pace_clear_at: now,
        held: None,
    };
    Ok(matches!(
        store.permit(id, terms, at(now)).await?,
        Permitted::Granted(_)
    ))
}

fn whole(world: &World) -> Result<Line, Failure> {
    let count = world.amounts.due_at_once;
    say(format_args!("claims: writing {count} calls for the server"));
    let database = world.database("claims_due")?;
    let due_at = clock::now();
    Field::new(&database, &world.runtime).sow(0, count, move |_| Stage::Waiting(due_at))?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    world::wait_for(carrier.address, COUNTS, |it: &Ledger| {
        it.created >= u64::from(count)
    })?;
    let ledger: Ledger = world::ask(carrier.address, LEDGER)?;
    server.stop()?;
    world.drop_database(&database);
    let times = ledger.arrivals.iter().map(|(_, arrived)| *arrived);
    let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let rate = f64::from(count) / ((last - first).max(1) as f64 / 1e6);
    let note = format!(
        "{} due at once: connect, permit, send, write down",
        short(f64::from(count))
    );
    Ok(Line::single(
        "dials of what is due, the server",
        rate,
        "/s",
        None,
        note,
    ))
}
