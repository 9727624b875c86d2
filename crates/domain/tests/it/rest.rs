//! Once no trouble is added, every call comes to rest: it ends, in a bounded number of steps, and in
//! the end there is nothing left to ask.

use domain::{AttemptStatus, CallState, Input, Word};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::moves::{self, Reply, Whose};
use crate::world::{World, in_doubt, leg};

/// Far more than any call needs: a day of questions about each of a few attempts.
const STEPS: usize = 5_000;

/// What the carrier does from now on.
#[derive(Debug, Clone, Copy)]
enum Carrier {
    /// It takes every dial and answers every question; no callback ever arrives.
    Silent,
    /// Answers to dials are lost, and it knows nothing.
    Lost,
    /// It takes every dial, and cannot say what became of it.
    Forgetful,
}

/// Does what the engine would do, until nothing is left to do.
fn settle(world: &mut World, carrier: Carrier) -> Result<(), TestCaseError> {
    for _ in 0..STEPS {
        if let CallState::Dialling { attempt, .. } = world.call.state {
            let input = match carrier {
                Carrier::Lost => in_doubt(attempt),
                _ => Input::Placed {
                    attempt,
                    sid: leg(attempt, Whose::Own),
                },
            };
            let _ = world.take(input)?;
            continue;
        }
        let next = world.call.due_at().into_iter().chain(world.call.check_at()).min();
        let Some(next) = next else { return Ok(()) };
        world.now = world.now.max(next);
        let _ = world.take(Input::Due { held: None })?;
        let reply = match carrier {
            Carrier::Silent => Reply::Leg(Word::Known(AttemptStatus::NoAnswer)),
            Carrier::Lost | Carrier::Forgetful => Reply::Nothing,
        };
        for effect in world.call.effects(world.now) {
            let input = world.done(effect, &reply);
            let _ = world.take(input)?;
        }
    }
    Err(TestCaseError::fail("it does not come to rest"))
}

proptest! {
    #[test]
    fn a_call_left_alone_ends_and_leaves_nothing_to_ask(
        mut start in moves::start(),
        history in prop::collection::vec(moves::anything(), 0..20),
        carrier in prop::sample::select(vec![Carrier::Silent, Carrier::Lost, Carrier::Forgetful]),
    ) {
        // Watched every few seconds, a leg that the carrier forgot takes too many steps for a test.
        start.rules.poll &= matches!(carrier, Carrier::Silent);
        let mut world = World::new(start);
        for happening in &history {
            world.live_through(happening)?;
        }
        settle(&mut world, carrier)?;
        prop_assert!(world.call.is_over(), "{:#?}", world.call);
        prop_assert!(world.call.open_attempt().is_none());
        prop_assert_eq!(world.call.effects(world.now), []);
    }
}
