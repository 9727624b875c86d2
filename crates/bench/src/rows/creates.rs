//! Requests for calls: those that wait for their time, and those that are dialled while the program waits.

use crate::failure::Failure;
use crate::forms;
use crate::instant::{COUNTS, Ledger};
use crate::load::{self, Outcome, Way};
use crate::pair::with_hello;
use crate::table::{Goal, Line};
use crate::world::{self, CONNECTIONS, FROM, KEY, World, say};

/// Accepted for next year: stored, answered, not dialled.
pub fn accepted(world: &World) -> Result<Vec<Line>, Failure> {
    say("calls accepted, not dialled");
    let database = world.database("accepted")?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    let later = crate::clock::now() + std::time::Duration::from_secs(300 * 86_400);
    let more = format!(",\"scheduled_at\":\"{later}\"");
    let each = world.amounts.scheduled;
    let paired = with_hello(world, &server, |at| {
        let outcome = creates(world, server.address, at as u32 * each, each, &more)?;
        outcome.all(202)?;
        Ok(outcome)
    })?;
    server.stop()?;
    world.drop_database(&database);
    Ok(vec![Line::ratio(
        "calls accepted, not dialled",
        &paired,
        world.of_a_file(Goal::at_least(0.25, 0.40)),
    )])
}

/// Dialled inline, each over a fresh connection, by a carrier that answers at once.
pub fn dialled(world: &World) -> Result<Vec<Line>, Failure> {
    say("calls dialled inline");
    let database = world.database("dialled")?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    let each = world.amounts.dialled;
    let paired = with_hello(world, &server, |at| {
        let outcome = creates(world, server.address, at as u32 * each, each, "")?;
        outcome.all(200)?;
        Ok(outcome)
    })?;
    let legs: Ledger = world::ask(carrier.address, COUNTS)?;
    let asked = u64::from(each) * world.amounts.samples as u64;
    if legs.created != asked {
        return Err(format!(
            "{asked} calls were answered as dialled, the carrier made {} legs",
            legs.created
        )
        .into());
    }
    server.stop()?;
    world.drop_database(&database);
    Ok(vec![Line::ratio(
        "calls dialled inline",
        &paired,
        world.of_a_file(Goal::at_least(0.06, 0.12)),
    )])
}

/// Asks for the calls `from..from + count`, each to another number.
pub fn creates(
    world: &World,
    to: std::net::SocketAddr,
    from: u32,
    count: u32,
    more: &str,
) -> Result<Outcome, Failure> {
    let mut frames = world.frames("creates")?;
    for number in from..from + count {
        let callee = format!("+1{}", 2_000_000_000 + number);
        let user = format!("user-{}", number % 500);
        frames.push(&forms::create(&to.to_string(), KEY, &callee, FROM, &user, more))?;
    }
    load::send(
        &frames.done()?,
        Way {
            to,
            connections: CONNECTIONS,
            seconds: None,
        },
    )
}
