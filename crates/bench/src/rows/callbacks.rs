//! Durable status callbacks: signed forms of real size, each new, answered after the disk has them.

use crate::child::Server;
use crate::clock;
use crate::failure::Failure;
use crate::forms::{self, EVENTS, Leg};
use crate::load::{self, Outcome, Ready, Way};
use crate::pair::with_hello;
use crate::seed::{Field, Stage};
use crate::table::{Goal, Line};
use crate::world::{ACCOUNT, CONNECTIONS, FROM, TOKEN, World, say};

/// Callbacks into an empty database, in turn with greetings; afterwards every record is read.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    let amounts = &world.amounts;
    let calls = amounts.called_back * amounts.samples as u32;
    say(format_args!("callbacks: placing {calls} calls"));
    let database = world.database("callbacks")?;
    let field = Field::new(&database, &world.runtime);
    field.sow(0, calls, |_| Stage::Placed)?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    let paired = with_hello(world, &server, |at| {
        group(world, &field, &server, at as u32 * amounts.called_back).and_then(send)
    })?;
    server.stop()?;
    let complete = field.complete(0, calls)?;
    if complete != calls {
        return Err(format!(
            "{} of {calls} records lack a callback that was answered 200",
            calls - complete
        )
        .into());
    }
    world.drop_database(&database);
    let goal = if world.has_several_nodes() {
        Goal::at_least(0.12, 0.30)
    } else {
        Goal::at_least(0.30, 0.50)
    };
    let mut line = Line::ratio("durable status callbacks", &paired, goal);
    line.note += &format!("; all {} in the record", calls * EVENTS.len() as u32);
    Ok(vec![line])
}

/// The callbacks of one sample, for the calls from `first` on: the first of every call, then the second of every
/// call, and so on.
pub fn group<'a>(
    world: &World,
    field: &Field<'_>,
    server: &'a Server,
    first: u32,
) -> Result<(Ready, &'a Server), Failure> {
    let (host, date) = (server.address.to_string(), forms::date(clock::now()));
    let each = world.amounts.called_back;
    let calls: Vec<_> = (first..first + each).map(|number| field.call(number)).collect();
    let mut frames = world.frames("callbacks")?;
    for event in 0..EVENTS.len() {
        for call in &calls {
            let leg = Leg {
                account: ACCOUNT,
                sid: call.sid.as_str(),
                from: FROM,
                to: &call.to,
            };
            frames.push(&forms::status(
                &host,
                &forms::status_target(call.id, 1),
                TOKEN,
                &leg,
                event,
                &date,
            ))?;
        }
    }
    Ok((frames.done()?, server))
}

/// Sends a group; every answer must be 200.
pub fn send((frames, server): (Ready, &Server)) -> Result<Outcome, Failure> {
    let outcome = load::send(
        &frames,
        Way {
            to: server.address,
            connections: CONNECTIONS,
            seconds: None,
        },
    )?;
    outcome.all(200)?;
    Ok(outcome)
}
