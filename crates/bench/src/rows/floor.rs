//! The bare server: a greeting, which is the base of every ratio, and a status form verified and forgotten.

use super::Line;
use crate::failure::Failure;
use crate::forms::{self, Leg};
use crate::load::{self, Way};
use crate::pair::{all, with_hello};
use crate::world::{ACCOUNT, CONNECTIONS, FROM, TOKEN, World, say};
use crate::{clock, figures};

/// Different forms that the load goes round.
const FORMS: u32 = 512;

/// Greetings, and forms in turn with them.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    say("the bare server");
    let host = world.hello.address.to_string();
    let (mut frames, date) = (world.frames("forms")?, forms::date(clock::now()));
    for number in 0..FORMS {
        let (sid, to) = (
            format!("CA{number:032x}"),
            format!("+1{}", 2_000_000_000 + number),
        );
        let leg = Leg {
            account: ACCOUNT,
            sid: &sid,
            from: FROM,
            to: &to,
        };
        let call = format!("0190{number:04x}-0000-7000-8000-000000000000");
        let target = forms::status_target(call, 1);
        frames.push(&forms::status(
            &host,
            &target,
            TOKEN,
            &leg,
            number as usize % 4,
            &date,
        ))?;
    }
    let frames = frames.done()?;
    // The first greetings warm the server up.
    world.greet()?;
    let seconds = Some(world.amounts.hello_seconds);
    let way = Way {
        to: world.hello.address,
        connections: CONNECTIONS,
        seconds,
    };
    let paired = with_hello(world, &world.hello, |_| {
        let outcome = load::send(&frames, way)?;
        outcome.all(200)?;
        Ok(outcome)
    })?;
    let p99 = all(&paired.base, |it| it.outcome.p99_us as f64 / 1_000.0).median();
    let cpu = all(&paired.base, |it| it.cpu_us).median();
    let hello = Line {
        what: "bare GET /hello".to_owned(),
        figure: all(&paired.base, |it| it.outcome.rate()),
        unit: "/s",
        goal: None,
        note: format!(
            "the base of every ratio; p99 {} ms; CPU {} us each",
            figures::short(p99),
            figures::short(cpu)
        ),
    };
    Ok(vec![
        hello,
        Line::ratio("status form, verified, not stored", &paired, None),
    ])
}
