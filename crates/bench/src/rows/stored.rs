//! The same work with many calls stored and with few: callbacks, lists, the start.

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
    let database = world.database("large")?;
    let field = Field::new(&database, &world.runtime);
    field.sow_finished(many)?;
    // Those that are reported on are the newest, as they are in life.
    field.sow(many, many + reported_on(world), |_| Stage::Placed)?;
    let carrier = world.carrier(0)?;
    let server = world.serve(&database, carrier.address)?;
    let note = format!("{} stored; until it listens", short(f64::from(many)));
    let began_in = server.began_in.as_secs_f64();
    let lines = vec![
        callbacks(world, &field, &server, &carrier)?,
        reads(world, Read::Page, (&field, &server), &carrier)?,
        reads(world, Read::Record, (&field, &server), &carrier)?,
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
    let database = world.database("small")?;
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

/// What is read of a small and of a large database.
#[derive(Clone, Copy)]
enum Read {
    /// A page of the user that has every fifth call, at several depths, by status and without.
    Page,
    /// One call with its history.
    Record,
}

impl Read {
    fn what(self) -> &'static str {
        match self {
            Read::Page => "list p99 with many stored, over few",
            Read::Record => "detail p99 with many stored, over few",
        }
    }

    /// The reading with this number, of a database of so many calls.
    fn target(self, number: u32, field: &Field<'_>, calls: u32) -> String {
        match self {
            Read::Page => {
                let depth = (calls / 5).saturating_sub(PAGE).min(1_000);
                let offset = number * 37 % (depth + 1);
                let status = if number.is_multiple_of(2) {
                    ""
                } else {
                    "&status=completed"
                };
                format!("/users/{BIG_USER}/calls?limit={PAGE}&offset={offset}{status}")
            }
            Read::Record => {
                let call = field.call(number.wrapping_mul(2_654_435_761) % calls);
                format!("/users/{}/calls/{}", call.user, call.id)
            }
        }
    }
}

fn reads(
    world: &World,
    read: Read,
    (field, server): (&Field<'_>, &Server),
    carrier: &Server,
) -> Result<Line, Failure> {
    say(format_args!("stored: {}", read.what()));
    let (few, many) = (world.amounts.few, world.amounts.stored);
    let database = world.database("few")?;
    let small_field = Field::new(&database, &world.runtime);
    small_field.sow_finished(few)?;
    let base = world.serve(&database, carrier.address)?;
    let requests = |name, server: &Server, field: &Field<'_>, calls| -> Result<Ready, Failure> {
        let mut frames = world.frames(name)?;
        for number in 0..world.amounts.reads {
            let target = read.target(number, field, calls);
            frames.push(&forms::get(&server.address.to_string(), KEY, &target))?;
        }
        frames.done()
    };
    let small = requests("reads-few", &base, &small_field, few)?;
    let large = requests("reads-many", server, field, many)?;
    let ask = |requests: &Ready, server: &Server| -> Result<Outcome, Failure> {
        let way = Way {
            to: server.address,
            connections: 1,
            seconds: None,
        };
        let outcome = load::send(requests, way)?;
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
        what: read.what().to_owned(),
        figure: paired.of_p99(),
        unit: "ratio",
        goal: Goal::at_most(2.0, 1.1),
        note: format!("{} ms over {} ms; {sizes}", p99(&paired.row), p99(&paired.base)),
    })
}
