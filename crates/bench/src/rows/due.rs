//! Everything due at once, on one, two and three nodes that share one database: each call is dialled exactly once.

use std::collections::HashSet;
use std::time::Duration;

use crate::child::Server;
use crate::clock;
use crate::failure::Failure;
use crate::figures::{percentile, short};
use crate::instant::{COUNTS, LEDGER, Ledger};
use crate::seed::{Field, Stage};
use crate::table::Line;
use crate::world::{self, World, say};

/// The most nodes.
const NODES: usize = 3;
/// How long writing the calls and starting the nodes may take before the calls are due.
const HEAD_START: Duration = Duration::from_secs(25);
/// After the last dial: one too many would have come by then.
const ONE_TOO_MANY: Duration = Duration::from_secs(2);

/// One to three nodes on a server; one on a file.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    let most = if world.has_several_nodes() { NODES } else { 1 };
    let mut lines = Vec::new();
    for nodes in 1..=most {
        lines.extend(dialled_by(world, nodes)?);
    }
    Ok(lines)
}

fn dialled_by(world: &World, nodes: usize) -> Result<Vec<Line>, Failure> {
    let count = world.amounts.due;
    say(format_args!("due: writing {count} calls for {nodes} nodes"));
    let database = world.database(&format!("due_{nodes}"))?;
    let due_at = clock::now() + HEAD_START;
    Field::new(&database, &world.runtime).sow(0, count, move |_| Stage::Waiting(due_at))?;
    let carrier = world.carrier(0)?;
    let servers = (0..nodes).map(|_| world.serve(&database, carrier.address));
    let servers: Vec<Server> = servers.collect::<Result<_, _>>()?;
    if clock::now() > due_at {
        return Err("the nodes were not up before the calls were due".into());
    }
    world::wait_for(carrier.address, COUNTS, |it: &Ledger| {
        it.created >= u64::from(count)
    })?;
    std::thread::sleep(ONE_TOO_MANY);
    let ledger: Ledger = world::ask(carrier.address, LEDGER)?;
    for server in servers {
        server.stop()?;
    }
    world.drop_database(&database);
    let dialled: HashSet<&str> = ledger.arrivals.iter().map(|(to, _)| to.as_str()).collect();
    if ledger.arrivals.len() != count as usize || dialled.len() != count as usize {
        let words = format!(
            "{count} calls, {} dials to {} numbers",
            ledger.arrivals.len(),
            dialled.len()
        );
        return Err(words.into());
    }
    let late = ledger
        .arrivals
        .iter()
        .map(|(_, arrived)| u64::try_from(arrived - due_at.millis() * 1_000));
    let mut late: Vec<u64> = late
        .collect::<Result<_, _>>()
        .map_err(|_| "a call was dialled before it was due")?;
    late.sort_unstable();
    let seconds = |share| percentile(&late, share) as f64 / 1e6;
    let note = format!(
        "{} due at once, each dialled once; lateness p50 {:.2} s",
        short(f64::from(count)),
        seconds(0.5)
    );
    let what = |of: &str| format!("{of} of what is due, nodes: {nodes}");
    Ok(vec![
        Line::single(&what("dials"), f64::from(count) / seconds(1.0), "/s", None, note),
        Line::single(&what("lateness p99"), seconds(0.99), "s", None, String::new()),
    ])
}
