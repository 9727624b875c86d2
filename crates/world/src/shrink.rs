//! Makes a failing world as short as can be: fewer calls, deeds, kinds of faults and strikes, as long as the same
//! invariant breaks.

use std::sync::Arc;
use std::time::Duration;

use crate::plan::Plan;
use crate::world::{Options, Outcome, run};

/// Most runs spent on it: a world takes milliseconds.
const RUNS: u32 = 600;

/// The shortest world found in which the same invariant breaks, and its tale.
pub fn shrink(plan: &Plan, options: &Options, invariant: &str) -> (Arc<Plan>, Outcome) {
    let mut search = Search {
        best: plan.clone(),
        options: options.clone(),
        invariant: invariant.to_owned(),
        runs: 0,
    };
    let mut before = usize::MAX;
    while size(&search.best) < before && search.runs < RUNS {
        before = size(&search.best);
        search.fewer_nodes();
        search.fewer_calls();
        search.fewer_kinds();
        search.fewer_deeds();
        search.fewer_strikes();
        search.plainer_calls();
    }
    let plan = Arc::new(search.best);
    let told = Options {
        story: true,
        ..search.options
    };
    let outcome = run(&plan, &told);
    (plan, outcome)
}

struct Search {
    best: Plan,
    options: Options,
    invariant: String,
    runs: u32,
}

impl Search {
    /// Takes a shorter plan if the same breaks in it.
    fn tries(&mut self, plan: Plan) -> bool {
        if self.runs >= RUNS {
            return false;
        }
        self.runs += 1;
        let outcome = run(&Arc::new(plan.clone()), &self.options);
        let same = outcome.violation.is_some_and(|it| it.invariant == self.invariant);
        if same {
            self.best = plan;
        }
        same
    }

    fn fewer_nodes(&mut self) {
        while self.best.nodes > 1 {
            let mut plan = self.best.clone();
            plan.nodes -= 1;
            if !self.tries(plan) {
                break;
            }
        }
        if self.best.shared && self.best.nodes == 1 {
            self.tries(self.best.alone());
        }
        if self.best.later.is_some() {
            let mut plan = self.best.clone();
            plan.later = None;
            self.tries(plan);
        }
    }

    fn fewer_calls(&mut self) {
        let mut chunk = self.best.calls.len().div_ceil(2);
        while chunk > 0 {
            let mut from = 0;
            while from < self.best.calls.len() {
                let mut plan = self.best.clone();
                plan.calls.drain(from..(from + chunk).min(plan.calls.len()));
                if !self.tries(plan) {
                    from += chunk;
                }
            }
            chunk /= 2;
        }
    }

    fn fewer_kinds(&mut self) {
        for kind in 0..self.best.faults.len() {
            if self.best.faults[kind] > 0.0 {
                let mut plan = self.best.clone();
                plan.faults[kind] = 0.0;
                self.tries(plan);
            }
        }
    }

    fn fewer_deeds(&mut self) {
        let mut place = 0;
        while place < self.best.deeds.len() {
            let mut plan = self.best.clone();
            plan.deeds.remove(place);
            if !self.tries(plan) {
                place += 1;
            }
        }
    }

    fn fewer_strikes(&mut self) {
        let outcome = run(&Arc::new(self.best.clone()), &self.options);
        let (mut low, mut high) = (0, outcome.struck.iter().sum::<u64>());
        while low < high {
            let middle = low.midpoint(high);
            let mut plan = self.best.clone();
            plan.most_faults = middle;
            if self.tries(plan) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
    }

    fn plainer_calls(&mut self) {
        for place in 0..self.best.calls.len() {
            let mut plan = self.best.clone();
            let call = &mut plan.calls[place];
            (call.rival, call.cancel, call.leaves, call.scheduled) = (None, None, None, None);
            self.tries(plan);
            let mut plan = self.best.clone();
            plan.calls[place].at = Duration::from_secs(1);
            self.tries(plan);
        }
    }
}

/// What is to become less.
fn size(plan: &Plan) -> usize {
    let kinds = plan.faults.iter().filter(|it| **it > 0.0).count();
    plan.nodes + plan.calls.len() + plan.deeds.len() + kinds
}
