//! Properties of the step over random histories: whatever happens to a call, in whatever order and
//! however often, the laws in [`laws`] hold after every step, the same facts end in the same outcome,
//! and a call that is left alone ends. `PROPTEST_CASES` says how many histories of each kind (256).

mod laws;
mod moves;
mod order;
mod rest;
mod world;

use proptest::prelude::*;

proptest! {
    #[test]
    fn the_laws_hold_after_every_step_of_any_history(
        start in moves::start(),
        history in prop::collection::vec(moves::anything(), 1..40),
    ) {
        let mut world = world::World::new(start);
        for happening in &history {
            world.live_through(happening)?;
        }
    }

    #[test]
    fn the_laws_hold_after_every_step_of_a_usual_history(
        start in moves::start(),
        history in prop::collection::vec(moves::usual(), 1..50),
    ) {
        let mut world = world::World::new(start);
        for happening in &history {
            world.live_through(happening)?;
        }
    }
}
