//! A server that has nothing to do.

use std::time::Duration;

use crate::failure::Failure;
use crate::table::{Goal, Line};
use crate::world::{World, say};

/// After so long everything that a start does is done.
const SETTLED: Duration = Duration::from_secs(2);

/// Memory and start of a server over an empty database.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    say("idle");
    let database = world.database("idle")?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    std::thread::sleep(SETTLED);
    let note = format!("empty database; it began in {} ms", server.began_in.as_millis());
    let line = Line::single(
        "memory, idle",
        server.resident_mib()?,
        "MiB",
        Goal::at_most(25.0, 25.0),
        note,
    );
    server.stop()?;
    world.drop_database(&database);
    Ok(vec![line])
}
