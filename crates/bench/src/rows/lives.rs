//! Whole lives: asked for over HTTP, dialled, four callbacks, the question what to say. The carrier of this run
//! tells each life without letting it ring, on the same cores as everything else.

use super::creates::creates;
use crate::failure::Failure;
use crate::instant::{COUNTS, Ledger};
use crate::load::Outcome;
use crate::pair::{all, with_hello};
use crate::table::{Goal, Line};
use crate::world::{self, World, say};

/// Connections over which the carrier calls back.
const CALLERS: usize = 128;

/// Lives a second, from the first request to the last callback that was answered.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    say("whole lives");
    let database = world.database("lives")?;
    let carrier = world.carrier(CALLERS)?;
    let server = world.serve(&database, carrier.address)?;
    let each = world.amounts.lives;
    let paired = with_hello(world, &server, |at| {
        let asked = creates(world, server.address, at as u32 * each, each, "")?;
        let ended = u64::from(each) * (at as u64 + 1);
        let ledger: Ledger = world::wait_for(carrier.address, COUNTS, |it: &Ledger| {
            it.ended + it.refused >= ended
        })?;
        if ledger.refused > 0 {
            return Err(format!("{} of the carrier's requests were refused", ledger.refused).into());
        }
        let seconds = (ledger.last_ended_us - asked.began_us) as f64 / 1e6;
        Ok(Outcome {
            answers: u64::from(each),
            seconds,
            ..asked
        })
    })?;
    server.stop()?;
    world.drop_database(&database);
    let ratio = Line::ratio("whole lives, as a ratio", &paired, None);
    let rates = Line {
        what: "whole lives".to_owned(),
        figure: all(&paired.row, |it| it.outcome.rate()),
        unit: "/s",
        goal: world.of_a_file(Goal::at_least(1_200.0, 1_200.0)),
        note: "create, dial, four callbacks, document; the carrier's own work included".to_owned(),
    };
    Ok(vec![rates, ratio])
}
