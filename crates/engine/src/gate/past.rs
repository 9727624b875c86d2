//! What held dials back, and for how long: kept for a while, so that the history of a call that was
//! held back by several things names the one that cost it the most time. Used by the gate alone.

use std::collections::VecDeque;

use domain::{Hold, Timestamp};

/// So many obstacles are remembered: more have hardly stood in the way of one call.
const REMEMBERED: usize = 16;

/// Obstacles that held dials back, the one met last at the end.
#[derive(Debug, Default)]
pub(super) struct Past {
    met: VecDeque<(Hold, Timestamp)>,
}

impl Past {
    /// This obstacle holds a dial back now.
    pub(super) fn note(&mut self, hold: &Hold, now: Timestamp) {
        let same = |(known, _): &(Hold, Timestamp)| known.reason == hold.reason && known.since == hold.since;
        if let Some(place) = self.met.iter().position(same) {
            self.met.remove(place);
        }
        self.met.push_back((hold.clone(), now));
        if self.met.len() > REMEMBERED {
            self.met.pop_front();
        }
    }

    /// The obstacle that held back a dial due at `due_at` for the longest time, and for which part of
    /// it.
    pub(super) fn longest(&self, due_at: Timestamp) -> Option<Hold> {
        let after = self.met.iter().filter(|(_, until)| *until >= due_at);
        let parts = after.map(|(hold, until)| {
            let since = hold.since.max(due_at);
            Hold {
                since,
                until: Some(*until),
                ..hold.clone()
            }
        });
        parts.max_by_key(|hold| hold.until.map(|until| until.since(hold.since)))
    }
}

#[cfg(test)]
mod tests;
