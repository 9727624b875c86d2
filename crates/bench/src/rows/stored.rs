//! The same work with many calls stored and with few: callbacks, lists, the start.

use std::net::SocketAddr;

use super::callbacks::{group, send};
use crate::child::Server;
use crate::failure::Failure;
use crate::figures::short;
use crate::forms;
use crate::load::{self, Outcome, Ready, Way};
use crate::pair::{Sample, all, in_turn, sample};
use crate::seed::{BIG_USER, Field, Stage};
use crate::table::{Goal, Line};
use crate::world::{KEY, World, say};

/// Calls in a page.
const PAGE: u32 = 50;

/// A large database behind one server, a small one behind another, asked in turn.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    let many = world.amounts.stored;
    say(format_args!("stored: writing {many} finished calls"));
    let database = world.path("large.db");
    let field = Field::new(&database, &world.runtime);
    field.sow(0, many, |_| Stage::Finished)?;
    // Those that are reported on are the newest, as they are in life.
    field.sow(many, many + reported_on(world), |_| Stage::Placed)?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    let note = format!("{} stored; until it listens", short(f64::from(many)));
    let began_in = server.began_in.as_secs_f64();
    let lines = vec![
        callbacks(world, &field, &server, &carrier)?,
        pages(world, &server, &carrier)?,
        Line::single("start", began_in, "s", Goal::at_most(0.5, 0.5), note),
    ];
    server.stop()?;
    world.drop_database(&database);
    Ok(lines)
}

/// Calls whose callbacks are sent: one group for each sample, and one more for the base, which is asked once more.
fn reported_on(world: &World) -> u32 {
    world.amounts.called_back * (world.amounts.samples as u32 + 1)
}

fn callbacks(world: &World, large: &Field<'_>, server: &Server, carrier: &Server) -> Result<Line, Failure> {
    say("stored: callbacks");
    let database = world.path("small.db");
    let small = Field::new(&database, &world.runtime);
    small.sow(0, reported_on(world), |_| Stage::Placed)?;
    let base = world.serve(&database, carrier.address)?;
    let each = world.amounts.called_back;
    let of_small = |at: usize| group(world, &small, &base, at as u32 * each);
    let of_large = |at: usize| group(world, large, server, world.amounts.stored + at as u32 * each);
    let paired = in_turn(
        world.amounts.samples,
        |at| sample(&base, || of_small(at).and_then(send)),
        |at| sample(server, || of_large(at).and_then(send)),
    )?;
    base.stop()?;
    world.drop_database(&database);
    let goal = Goal::at_least(0.80, 0.97);
    Ok(Line::ratio(
        "callbacks with many stored, over none",
        &paired,
        goal,
    ))
}

fn pages(world: &World, server: &Server, carrier: &Server) -> Result<Line, Failure> {
    say("stored: lists");
    let (few, many) = (world.amounts.few, world.amounts.stored);
    let database = world.path("few.db");
    Field::new(&database, &world.runtime).sow(0, few, |_| Stage::Finished)?;
    let base = world.serve(&database, carrier.address)?;
    let (small, large) = (
        lists(world, "lists-few", base.address, few / 5)?,
        lists(world, "lists-many", server.address, many / 5)?,
    );
    let ask = |lists: &Ready, server: &Server| -> Result<Outcome, Failure> {
        let way = Way {
            to: server.address,
            connections: 1,
            seconds: None,
        };
        let outcome = load::send(lists, way)?;
        outcome.all(200)?;
        Ok(outcome)
    };
    // Neither has read its pages yet.
    ask(&small, &base)?;
    ask(&large, server)?;
    let paired = in_turn(
        world.amounts.samples,
        |_| sample(&base, || ask(&small, &base)),
        |_| sample(server, || ask(&large, server)),
    )?;
    base.stop()?;
    world.drop_database(&database);
    let p99 = |samples: &[Sample]| short(all(samples, |it| it.outcome.p99_us as f64 / 1_000.0).median());
    let sizes = format!("{} calls over {}", short(f64::from(many)), short(f64::from(few)));
    Ok(Line {
        what: "list p99 with many stored, over few".to_owned(),
        figure: paired.of_p99(),
        unit: "ratio",
        goal: Goal::at_most(2.0, 1.1),
        note: format!("{} ms over {} ms; {sizes}", p99(&paired.row), p99(&paired.base)),
    })
}

/// Requests for pages of the user that has every fifth call, at several depths, by status and without.
fn lists(world: &World, name: &str, to: SocketAddr, calls: u32) -> Result<Ready, Failure> {
    let mut frames = world.frames(name)?;
    let depth = calls.saturating_sub(PAGE).min(1_000);
    for number in 0..world.amounts.lists {
        let offset = number as u32 * 37 % (depth + 1);
        let status = if number % 2 == 0 { "" } else { "&status=completed" };
        let target = format!("/users/{BIG_USER}/calls?limit={PAGE}&offset={offset}{status}");
        frames.push(&forms::get(&to.to_string(), KEY, &target))?;
    }
    frames.done()
}
