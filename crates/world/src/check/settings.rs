//! What an operator's settings allow, while they are changed node by node: the larger of what is in force.

use std::time::Duration;

use super::Checks;
use crate::plan::Operator;

impl Checks {
    /// A node runs with the settings that came later, or with the first.
    pub fn begins_with(&mut self, node: usize, later: bool) {
        self.runs_later[node] = later;
        self.has_changed |= later;
    }

    /// Whether they do not all run with the same.
    pub fn is_mixed(&self) -> bool {
        self.runs_later.contains(&true) && self.runs_later.contains(&false)
    }

    fn in_force(&self) -> impl Iterator<Item = &Operator> {
        let first = self.runs_later.iter().any(|later| !later);
        let later = self.runs_later.iter().any(|later| *later);
        let first = first.then_some(&self.plan.operator);
        first
            .into_iter()
            .chain(self.plan.later.as_ref().filter(|_| later))
    }

    /// Dials a second, and at once. Two paces that are kept together may each use up its burst.
    pub(super) fn rate(&self) -> (f64, u32) {
        let later = self.plan.later.as_ref().filter(|_| self.has_changed);
        let all = || std::iter::once(&self.plan.operator).chain(later);
        let fastest = all().map(|it| it.rate.per_second).fold(0.0, f64::max);
        (fastest, all().map(|it| it.rate.burst).sum())
    }

    /// Most calls live at once.
    pub(super) fn max_live(&self) -> Option<u32> {
        // A node without a limit binds nobody.
        self.in_force()
            .map(|it| it.max_live)
            .reduce(|one, other| Some(one?.max(other?)))?
    }

    /// The shortest time to settle.
    pub(super) fn settle_after(&self) -> Duration {
        let all = [Some(&self.plan.operator), self.plan.later.as_ref()];
        let shortest = all.into_iter().flatten().map(|it| it.rules.settle_after).min();
        shortest.unwrap_or_default()
    }
}
