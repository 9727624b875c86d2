//! Many calls wait, a few become due: how late the carrier hears of each, and what the waiting ones cost in memory.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock;
use crate::failure::Failure;
use crate::figures::{percentile, short};
use crate::instant::{COUNTS, LEDGER, Ledger};
use crate::seed::{Field, Stage};
use crate::table::{Goal, Line};
use crate::world::{self, World, say};

/// Between two retries: 200 a second, which leaves the server idle most of the time.
const GAP: Duration = Duration::from_millis(5);

/// Before the first retry the server must have started.
const HEAD_START: Duration = Duration::from_secs(3);

/// Retries that become due one by one while many calls wait for tomorrow.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    let (waiting, retries) = (world.amounts.waiting, world.amounts.retries);
    say(format_args!("lateness: writing {waiting} waiting calls"));
    let database = world.database("waiting")?;
    let field = Field::new(&database, &world.runtime);
    let tomorrow = clock::now() + Duration::from_secs(86_400);
    field.sow(0, waiting, move |number| {
        Stage::Waiting(tomorrow + Duration::from_millis(u64::from(number.wrapping_mul(7_919) % 86_400_000)))
    })?;
    let first = clock::now() + HEAD_START + Duration::from_micros(u64::from(retries) * 100);
    let due_at = move |number: u32| first + GAP * (number - waiting);
    field.sow(waiting, waiting + retries, move |number| {
        Stage::Retrying(due_at(number))
    })?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    let begun = clock::now();
    let left = first.since(begun);
    let before = server.resident_mib()?;
    let expected = u64::from(retries);
    world::wait_for(carrier.address, COUNTS, |it: &Ledger| it.created >= expected)?;
    let ledger: Ledger = world::ask(carrier.address, LEDGER)?;
    let after = server.resident_mib()?;
    server.stop()?;
    world.drop_database(&database);
    if left.is_zero() {
        return Err(
            "the server was not up before the first retry was due; its lateness would be the start's".into(),
        );
    }
    let due: HashMap<String, i64> = (waiting..waiting + retries)
        .map(|number| (field.call(number).to, due_at(number).millis() * 1_000))
        .collect();
    let mut late = Vec::with_capacity(due.len());
    for (to, arrived) in &ledger.arrivals {
        let due = due.get(to).ok_or("a number was dialled that no due call has")?;
        late.push(u64::try_from(arrived - due).map_err(|_| "a call was dialled before it was due")?);
    }
    late.sort_unstable();
    let ms = |share| percentile(&late, share) as f64 / 1_000.0;
    let beside = short(f64::from(waiting));
    let note = format!("{retries} retries, {beside} waiting; from due until the carrier has the request");
    Ok(vec![
        Line::single("lateness, p50", ms(0.5), "ms", Goal::at_most(50.0, 5.0), note),
        Line::single(
            "lateness, p99",
            ms(0.99),
            "ms",
            Goal::at_most(50.0, 50.0),
            format!("worst {} ms", short(ms(1.0))),
        ),
        Line::single(
            "memory with the waiting",
            after,
            "MiB",
            None,
            format!("{beside} waiting; {} MiB right after the start", short(before)),
        ),
    ])
}
