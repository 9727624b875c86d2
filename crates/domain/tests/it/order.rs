//! The same facts, in any order and any number of times, end in the same outcome of the attempt.

use std::time::Duration;

use domain::{Answer, Attempt, AttemptStatus, CallState, Fact, Input, Sid, Source};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::moves::{self, Start, Whose};
use crate::world::{World, in_doubt, leg};

/// What the first attempt has come to when the facts begin to arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    PermitOut,
    Placed,
    InDoubt,
    Unconfirmed,
    RetryOut,
}

fn fact() -> impl Strategy<Value = Fact> {
    let source = prop_oneof![2 => Just(Source::Callback), 1 => Just(Source::LookUp)];
    (moves::word(), source, moves::sequence()).prop_map(|(word, source, sequence)| Fact {
        sequence: sequence.filter(|_| source == Source::Callback),
        ..Fact::new(word, source)
    })
}

/// Facts, and the same facts again: each at least once, in another order, some repeated.
fn twice() -> impl Strategy<Value = (Vec<Fact>, Vec<Fact>)> {
    prop::collection::vec(fact(), 1..8).prop_flat_map(|facts| {
        let repeats = prop::collection::vec(prop::sample::select(facts.clone()), 0..6);
        let again = repeats.prop_map({
            let facts = facts.clone();
            move |repeats| [facts.clone(), repeats].concat()
        });
        (Just(facts), again.prop_shuffle())
    })
}

fn at(stage: Stage, start: Start) -> Result<World, TestCaseError> {
    let mut world = World::new(start);
    world.now = world.call.due_at().expect("it waits for its first dial");
    let _ = world.take(Input::Due { held: None })?;
    let sid = leg(1, Whose::Own);
    let _ = match stage {
        Stage::PermitOut => return Ok(world),
        Stage::Placed => world.take(Input::Placed { attempt: 1, sid })?,
        _ => world.take(in_doubt(1))?,
    };
    if stage == Stage::InDoubt || stage == Stage::Placed {
        return Ok(world);
    }
    world.now = world.now + Duration::from_secs(121);
    let _ = world.take(Input::Asked {
        attempt: 1,
        begun_at: world.now,
        answer: Answer::Nothing,
    })?;
    if stage == Stage::RetryOut
        && let CallState::Waiting { due_at, .. } = world.call.state
    {
        world.now = due_at;
        let _ = world.take(Input::Due { held: None })?;
    }
    Ok(world)
}

/// How the attempt stands after these facts, each as it would reach us.
fn outcome(
    stage: Stage,
    start: Start,
    facts: &[Fact],
) -> Result<(AttemptStatus, Option<Sid>), TestCaseError> {
    let mut world = at(stage, start)?;
    for fact in facts {
        let bound = world.call.attempt(1).and_then(|a| a.sid.as_ref()).is_some();
        let (fact, now) = (fact.clone(), world.now);
        let input = match fact.source {
            // What was fetched is fetched by the leg's name.
            Source::LookUp if bound => Input::Asked {
                attempt: 1,
                begun_at: now,
                answer: Answer::Leg(fact),
            },
            _ => Input::Fact {
                attempt: Some(1),
                sid: leg(1, Whose::Own),
                fact,
            },
        };
        let _ = world.take(input)?;
        world.now = world.now + Duration::from_millis(700);
    }
    let first: &Attempt = world.call.attempt(1).expect("facts make an attempt");
    Ok((first.status, first.sid.clone()))
}

proptest! {
    #[test]
    fn the_same_facts_in_any_order_and_number_end_alike(
        start in moves::start(),
        stage in prop::sample::select(vec![
            Stage::PermitOut, Stage::Placed, Stage::InDoubt, Stage::Unconfirmed, Stage::RetryOut,
        ]),
        (facts, again) in twice(),
    ) {
        let first = outcome(stage, start.clone(), &facts)?;
        let second = outcome(stage, start, &again)?;
        prop_assert_eq!(first, second);
    }
}
