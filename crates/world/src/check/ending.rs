//! The end of a world, when nothing goes wrong any more and nothing is left to do: every call is over, and the record
//! is what the carrier's ledger says.

use std::collections::BTreeMap;

use domain::{AttemptStatus, CallId, CallStatus};
use sim::Exchange;

use super::{Checks, invariant};
use crate::goal::Goals;

/// The carrier's dates fit an attempt only when the clocks agree this well; beyond it a leg may go unfound.
const CLOCKS_AGREE_MS: u64 = 3_000;

impl Checks {
    /// Calls that are not over.
    pub fn left(&self) -> usize {
        self.calls
            .values()
            .filter(|known| known.ended_ms.is_none())
            .count()
    }

    /// The longest that a call took to end after `calm_ms`, when the last fault was.
    pub fn slowest(&self, calm_ms: u64) -> u64 {
        let ended = self.calls.values().filter_map(|known| known.ended_ms);
        ended.map(|at| at.saturating_sub(calm_ms)).max().unwrap_or(0)
    }

    /// Faults have stopped long ago, and this many calls are not over.
    pub fn hangs(&mut self) {
        let hanging: Vec<String> = self
            .calls
            .iter()
            .filter(|(_, known)| known.ended_ms.is_none())
            .map(|(id, known)| {
                let state = known.record.as_ref().map(|record| record.call.state.clone());
                format!("{id} is {state:?}")
            })
            .collect();
        self.breaks(invariant::ENDS, hanging.join("; "));
    }

    /// Attempts without proof of which the carrier has a leg: the questions of a day must bring it to light.
    pub fn unproven(&self) -> usize {
        let attempts = self.calls.values().filter_map(|known| known.record.as_ref());
        let attempts =
            attempts.flat_map(|record| record.call.attempts.iter().map(move |it| (record.call.id, it)));
        attempts
            .filter(|(id, it)| {
                let made = self
                    .attempts
                    .get(&(*id, it.number))
                    .is_some_and(|tried| !tried.legs.is_empty());
                it.status == AttemptStatus::Unconfirmed && made
            })
            .count()
    }

    /// Reads off every call what was reached by it.
    pub fn read_goals(&self, goals: &mut Goals) {
        for record in self.calls.values().filter_map(|known| known.record.as_ref()) {
            goals.read(record);
        }
    }

    /// Holds every record against the ledger.
    pub fn ends(&mut self, exchange: &Exchange) {
        let statuses: BTreeMap<String, &'static str> = sim::ledger(exchange)
            .map(|entry| (entry.sid, entry.status.word()))
            .collect();
        let mut wrong = Vec::new();
        for (sid, owner) in &self.legs {
            let Some((id, number)) = owner else { continue };
            let attempt = self
                .calls
                .get(id)
                .and_then(|known| known.record.as_ref()?.call.attempt(*number));
            let Some(attempt) = attempt else {
                wrong.push(format!(
                    "{sid} rang for attempt {number} of {id}, which the record does not have"
                ));
                continue;
            };
            let word = statuses.get(sid).copied().unwrap_or_default();
            let is_own = attempt.sid.as_ref().is_some_and(|known| known.as_str() == sid);
            if is_own && attempt.status.word() != word {
                wrong.push(format!(
                    "attempt {number} of {id} is {}, its leg is {word}",
                    attempt.status.word()
                ));
            }
            if !is_own && !self.may_be_unknown(*id, *number) {
                wrong.push(format!(
                    "attempt {number} of {id} is {} and does not have its leg {sid}, which is {word}",
                    attempt.status.word()
                ));
            }
        }
        for (id, known) in &self.calls {
            let Some(record) = &known.record else {
                wrong.push(format!("{id} has no record"));
                continue;
            };
            let mut answered = record.call.attempts.iter();
            let answered = answered.any(|attempt| attempt.status == AttemptStatus::Completed);
            let says = record.call.status();
            let canceled = record.call.cancel_requested_at.is_some();
            if answered != (says == CallStatus::Completed) && !(answered && canceled) {
                wrong.push(format!(
                    "{id} is {}, and somebody answered: {answered}",
                    says.word()
                ));
            }
        }
        if let Some(first) = wrong.into_iter().next() {
            self.breaks(invariant::TRUTH, first);
        }
    }

    /// Whether there is a reason why the leg of an attempt was never found: the carrier made two, or several attempts
    /// between the same numbers might own it, or the clocks were apart when it was made.
    fn may_be_unknown(&self, id: CallId, number: u32) -> bool {
        let record = self.calls.get(&id).and_then(|known| known.record.as_ref());
        let Some(attempt) = record.and_then(|record| record.call.attempt(number)) else {
            return false;
        };
        let words = attempt.error_message.as_deref().unwrap_or_default();
        let several = words.contains("several legs");
        // Which of several it was nobody can say after a copy was put back.
        let unclear = self.has_copy() && attempt.status == AttemptStatus::Unconfirmed;
        several || unclear || self.has_anothers((id, number)) || self.clock_wrong_by > CLOCKS_AGREE_MS
    }
}
