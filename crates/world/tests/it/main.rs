//! The simulated world itself: it is the same every time, it is sound, and it notices what is planted. Long runs are
//! the binary's; these are few enough for a slow build.

use std::sync::Arc;

use world::plan::Plan;
use world::shrink::shrink;
use world::world::{Options, Outcome, run};
use world::{BUGS, Bug};

/// Worlds in which a planted bug must show: the shyest of these needs a crash at the right moment.
const WORLDS: u64 = 60;

fn world(seed: u64, options: &Options) -> Outcome {
    run(&Arc::new(Plan::draw(seed)), options)
}

fn told() -> Options {
    Options {
        story: true,
        ..Options::default()
    }
}

#[test]
fn a_seed_tells_the_same_tale_every_time() {
    for seed in 1..6 {
        let (once, again) = (world(seed, &told()), world(seed, &told()));
        assert_eq!(once.story, again.story, "seed {seed}");
        assert_eq!(once.goals, again.goals, "seed {seed}");
    }
}

#[test]
fn a_few_worlds_are_sound_on_the_model_store() {
    for seed in 1..15 {
        assert_eq!(world(seed, &Options::default()).violation, None, "seed {seed}");
    }
}

#[test]
fn a_few_worlds_are_sound_on_the_embedded_store() {
    for seed in 1..5 {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let options = Options {
            folder: Some(folder.path().to_owned()),
            ..Options::default()
        };
        assert_eq!(world(seed, &options).violation, None, "seed {seed}");
    }
}

/// What the world says of a planted bug, and in which seed.
fn noticed(bug: Bug) -> Option<(u64, &'static str)> {
    let options = Options {
        bug: Some(bug),
        ..Options::default()
    };
    (1..WORLDS).find_map(|seed| Some((seed, world(seed, &options).violation?.invariant)))
}

/// Bugs that show in one world of many: the binary plants them.
const SHY: [Bug; 7] = [
    Bug::PaceForgotten,
    Bug::PacePerNode,
    Bug::RedialOnTimeOut,
    Bug::LateAnswerDropped,
    Bug::FilteredByStartTime,
    Bug::NotSentOfAnother,
    Bug::CopyDialsAtOnce,
];

#[test]
fn every_planted_bug_is_noticed_by_the_invariant_that_it_breaks() {
    for (bug, name, wanted) in BUGS.into_iter().filter(|(bug, ..)| !SHY.contains(bug)) {
        let seen = noticed(bug).map(|(_, invariant)| invariant);
        assert_eq!(seen, Some(wanted), "{name}");
    }
}

#[test]
fn a_world_of_several_nodes_is_made_short_down_to_one() {
    let bug = Bug::CallbackNotStored;
    let options = Options {
        bug: Some(bug),
        ..Options::default()
    };
    let several = |seed: &u64| Plan::draw(*seed).nodes > 1;
    let found = (1..WORLDS).filter(several).find_map(|seed| {
        let violation = world(seed, &options).violation?;
        Some((seed, violation.invariant))
    });
    let (seed, invariant) = found.expect("it shows soon");
    let (plan, outcome) = shrink(&Plan::draw(seed), &options, invariant);
    assert!((plan.nodes, plan.shared) == (1, false), "one node is enough");
    assert_eq!(outcome.violation.map(|it| it.invariant), Some(invariant));
}

#[test]
fn a_failing_world_is_made_short() {
    let bug = Bug::CallbackNotStored;
    let (seed, invariant) = noticed(bug).expect("it shows soon");
    let options = Options {
        bug: Some(bug),
        ..Options::default()
    };
    let (plan, outcome) = shrink(&Plan::draw(seed), &options, invariant);
    assert_eq!(plan.calls.len(), 1, "one call is enough to be called back for");
    assert_eq!(outcome.violation.map(|it| it.invariant), Some(invariant));
    assert!(outcome.story.len() < 30, "{:?}", outcome.story);
}
