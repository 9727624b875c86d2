//! What is said of many worlds, and the tale of one that failed: the seed, the invariant, the plan that is left of it,
//! what happened in order, and how to see it again.

use std::sync::Arc;

use world::fault::KINDS;
use world::goal::{GOALS, STEPS};
use world::plan::{DEEDS, Plan, shown};
use world::shrink::shrink;
use world::world::{Options, Outcome, run as run_one};
use world::{BUGS, Bug, Violation};

use crate::runs::{self, Sum, with_store};
use crate::{Args, StoreKind};

/// From so many worlds on every goal must have been reached.
const LARGE: u64 = 1_500;
/// Most lines of a tale: of a longer one the end is told.
const LINES: usize = 120;

/// Runs the worlds and says what came of them; `false` when something was wrong.
pub fn run(args: &Args) -> bool {
    let sum = runs::all(args, None);
    if let Some((seed, violation)) = &sum.failed {
        fails(args, None, *seed, violation);
        return false;
    }
    says(args, &sum);
    if let Some(seed) = args.seed.filter(|_| args.tell) {
        tells(args, seed);
    }
    let unreached: Vec<&str> = GOALS
        .into_iter()
        .chain(DEEDS)
        .filter(|goal| sum.goals.times(goal) == 0)
        .collect();
    let idle: Vec<&str> = unstruck(&sum);
    let untaken = untaken(&sum);
    if sum.worlds >= LARGE && !(unreached.is_empty() && idle.is_empty() && untaken.is_empty()) {
        println!("never reached: {}", [unreached, idle].concat().join("; "));
        println!("never taken: {}", untaken.join("; "));
        return false;
    }
    true
}

/// Plants each bug: the world must notice, by the name of the invariant that it breaks.
pub fn bugs(args: &Args, bugs: &[(Bug, &str, &str)]) -> bool {
    let mut all = true;
    for (bug, name, wanted) in bugs {
        let sum = runs::all(args, Some((*bug, wanted)));
        let Some((seed, violation)) = &sum.failed else {
            all = false;
            println!("UNNOTICED  {name} in {} worlds", sum.worlds);
            continue;
        };
        println!(
            "caught     {name} by `{wanted}` in seed {seed}, after {} worlds",
            sum.worlds
        );
        if bugs.len() == 1 {
            fails(args, Some(*bug), *seed, violation);
        }
    }
    all
}

fn says(args: &Args, sum: &Sum) {
    let seconds = sum.took.as_secs_f64();
    let rate = sum.calls as f64 / seconds.max(0.001) * 60.0;
    println!(
        "{} worlds on the {} store, seeds {} on: nothing wrong",
        sum.worlds,
        store(args),
        args.seed.unwrap_or(args.from)
    );
    println!(
        "{} call lives, {:.1} simulated hours, {} faults, {} restarts in {seconds:.1} s: {rate:.0} call lives a minute",
        sum.calls,
        sum.simulated_ms as f64 / 3_600_000.0,
        sum.struck.iter().sum::<u64>(),
        sum.restarts
    );
    println!(
        "all over at most {:.1} minutes after the last fault (seed {})",
        sum.slowest.0 as f64 / 60_000.0,
        sum.slowest.1
    );
    if args.seed.is_some() {
        return;
    }
    println!("\nfaults that struck");
    for (times, (_, name, _)) in sum.struck.iter().zip(KINDS) {
        println!("{times:>10}  {name}");
    }
    println!("\ndone by operators and machines");
    for deed in DEEDS {
        println!("{:>10}  {deed}", sum.goals.times(deed));
    }
    println!("\nreached");
    for goal in GOALS {
        println!("{:>10}  {goal}", sum.goals.times(goal));
    }
    println!("\nbranches of a step, by what was put in and what came of it");
    for ((input, outcome), times) in sum.goals.branches() {
        println!("{times:>10}  {input}: {outcome}");
    }
}

/// Branches of a step that were never taken.
fn untaken(sum: &Sum) -> Vec<String> {
    let taken = sum.goals.branches();
    let untaken = STEPS.iter().filter(|branch| !taken.contains_key(branch));
    untaken
        .map(|(input, outcome)| format!("{input}: {outcome}"))
        .collect()
}

fn unstruck(sum: &Sum) -> Vec<&'static str> {
    let kinds = sum.struck.iter().zip(KINDS);
    kinds
        .filter(|(times, _)| **times == 0)
        .map(|(_, (_, name, _))| name)
        .collect()
}

fn fails(args: &Args, bug: Option<Bug>, seed: u64, violation: &Violation) {
    println!("seed {seed} breaks `{}`: {}", violation.invariant, violation.what);
    let options = Options {
        folder: None,
        bug,
        story: false,
    };
    // Shortened on the model store where the same breaks there: it takes a fraction of the time.
    let plan = Plan::draw(seed);
    let on_model = run_one(&Arc::new(plan.clone()), &options);
    let same = on_model
        .violation
        .is_some_and(|it| it.invariant == violation.invariant);
    let (plan, outcome) = if same {
        shrink(&plan, &options, violation.invariant)
    } else {
        let plan = Arc::new(plan);
        let told = |folder| {
            let options = Options {
                folder,
                bug,
                story: true,
            };
            run_one(&plan, &options)
        };
        let outcome = with_store(args, told);
        (plan, outcome)
    };
    show_plan(&plan, &outcome);
    show_story(&outcome);
    for (id, history) in &outcome.histories {
        println!("\nthe record of {id}");
        lines(history);
    }
    if let Some(violation) = &outcome.violation {
        println!("\n`{}` is broken: {}", violation.invariant, violation.what);
    }
    let store = match args.store {
        StoreKind::Model => "",
        StoreKind::Sqlite => " --store sqlite",
    };
    let planted = BUGS.iter().find(|(known, ..)| Some(*known) == bug);
    let planted = planted.map_or_else(String::new, |(_, name, _)| format!(" --bug {name}"));
    println!("to see it again: cargo xtask sim --seed {seed}{store}{planted}");
}

fn tells(args: &Args, seed: u64) {
    let plan = Arc::new(Plan::draw(seed));
    let outcome = with_store(args, |folder| {
        let options = Options {
            folder,
            bug: None,
            story: true,
        };
        run_one(&plan, &options)
    });
    show_plan(&plan, &outcome);
    show_story(&outcome);
}

fn show_plan(plan: &Plan, outcome: &Outcome) {
    let database = match (plan.shared, plan.nodes) {
        (false, _) => "one node on a store of its own".to_owned(),
        (true, nodes) => format!("{nodes} nodes on a store that is shared"),
    };
    println!("\nof its world is left: {database}, inline {}", plan.inline);
    for (when, operator) in [("first", Some(&plan.operator)), ("later", plan.later.as_ref())] {
        let Some(operator) = operator else { continue };
        println!(
            "  {when}: settle {}, silence {}, {} dials a second after {}, live {:?}",
            shown(operator.rules.settle_after),
            shown(operator.rules.silence_after),
            operator.rate.per_second,
            operator.rate.burst,
            operator.max_live,
        );
    }
    for call in &plan.calls {
        println!(
            "  call {} at {}: to {} from {}, {} attempts after {:?}, rings {}, not before {:?}, key {}, rival {:?}, cancel {:?}, give up {}",
            call.number,
            shown(call.at),
            call.to,
            call.from,
            call.policy.max_attempts,
            call.policy.retry_delays,
            shown(call.policy.ring_timeout),
            call.scheduled,
            call.key,
            call.rival,
            call.cancel,
            shown(call.policy.give_up_after)
        );
    }
    for (at, deed) in &plan.deeds {
        println!("  at {}: {}", shown(*at), deed.words());
    }
    for (times, (_, name, _)) in outcome.struck.iter().zip(KINDS).filter(|(times, _)| **times > 0) {
        println!("  fault, {times} times: {name}");
    }
}

fn show_story(outcome: &Outcome) {
    println!();
    let skipped = outcome.story.len().saturating_sub(LINES);
    if skipped > 0 {
        println!("  ... {skipped} earlier lines");
    }
    lines(&outcome.story[skipped..]);
}

fn lines(told: &[(u64, String)]) {
    for (at, what) in told {
        println!("  {:>12.3} s  {what}", *at as f64 / 1_000.0);
    }
}

fn store(args: &Args) -> &'static str {
    match args.store {
        StoreKind::Model => "model",
        StoreKind::Sqlite => "SQLite",
    }
}
