//! One call's record, each time it has changed: nothing of it is ever taken back.

use domain::{Attempt, AttemptStatus, Call, CallId, Event, EventKind};
use store::Record;

use super::{Checks, invariant};
use crate::goal::Goals;
use crate::hub::whole;
use crate::step::Kind;

impl Checks {
    /// A call stands so now, after an input of this kind.
    pub fn stands(&mut self, now_ms: u64, record: Record, kind: Kind, goals: &mut Goals) {
        let id = record.call.id;
        let Some(known) = self.calls.get_mut(&id) else {
            return;
        };
        let before = known.record.take();
        if record.call.is_over() {
            known.ended_ms.get_or_insert(now_ms);
        } else {
            known.ended_ms = None;
        }
        let seen = before.as_ref().map_or(0, |before| before.events.len());
        if let Some(before) = &before {
            self.only_grows(id, before, &record);
        }
        let fresh = record.events.get(seen..).unwrap_or_default();
        for event in fresh {
            self.doubts(now_ms, id, event);
            goals.brought(kind, event);
        }
        for attempt in &record.call.attempts {
            let earlier = before
                .as_ref()
                .and_then(|before| before.call.attempt(attempt.number));
            self.is_right_leg(&record.call, attempt, earlier);
            if kind != Kind::Forgotten {
                self.is_earned(now_ms, id, attempt, earlier);
            }
        }
        if let Some(known) = self.calls.get_mut(&id) {
            known.record = Some(record);
        }
    }

    fn only_grows(&mut self, id: CallId, before: &Record, after: &Record) {
        let kept = after.events.get(..before.events.len());
        if kept != Some(&before.events[..]) {
            let what = format!("the history of {id} was changed");
            return self.breaks(invariant::MONOTONE, what);
        }
        if after.call.attempts.len() < before.call.attempts.len() {
            let what = format!("{id} has fewer attempts than before");
            return self.breaks(invariant::MONOTONE, what);
        }
        let fresh = &after.events[before.events.len()..];
        let corrected = |number: Option<u32>| {
            fresh
                .iter()
                .any(|event| matches!(event.kind, EventKind::Corrected { attempt, .. } if attempt == number))
        };
        for (was, is) in before.call.attempts.iter().zip(&after.call.attempts) {
            let moved_back = if was.is_open() && is.is_open() {
                rank(is.status) < rank(was.status)
            } else {
                !was.is_open() && is.status != was.status && !corrected(Some(was.number))
            };
            if moved_back || (was.sid.is_some() && was.sid != is.sid) {
                let what = format!(
                    "attempt {} of {id} went from {} to {} without a correction",
                    was.number,
                    was.status.word(),
                    is.status.word()
                );
                self.breaks(invariant::MONOTONE, what);
            }
        }
        let any = fresh
            .iter()
            .any(|event| matches!(event.kind, EventKind::Corrected { .. }));
        if before.call.is_over() && before.call.status() != after.call.status() && !any {
            let what = format!(
                "{id} had ended {} and is {} without a correction",
                before.call.status().word(),
                after.call.status().word()
            );
            self.breaks(invariant::MONOTONE, what);
        }
    }

    /// A doubt begins when it is written down.
    fn doubts(&mut self, now_ms: u64, id: CallId, event: &Event) {
        if let EventKind::InDoubt { attempt, .. } = event.kind {
            self.tried((id, attempt)).doubtful_ms.get_or_insert(now_ms);
        }
    }

    fn is_right_leg(&mut self, call: &Call, attempt: &Attempt, earlier: Option<&Attempt>) {
        let Some(sid) = attempt
            .sid
            .as_ref()
            .filter(|sid| earlier.is_none_or(|it| it.sid.as_ref() != Some(sid)))
        else {
            return;
        };
        let (id, number) = (call.id, attempt.number);
        match self.legs.get(sid.as_str()) {
            None => self.breaks(
                invariant::RIGHT_LEG,
                format!("attempt {number} of {id} has {sid}, which the carrier never made"),
            ),
            Some(Some(owner)) if *owner != (id, number) => {
                // After a copy the list does not say which of several it was, nor, while it lags, which of one
                // call's attempts.
                let is_unclear = self.has_copy() && (owner.0 == id || !self.has_its_numbers_alone(id));
                let has_anothers = match owner.0 == id {
                    true => self.is_anothers(call, owner.1),
                    false => self.has_anothers(*owner),
                };
                if is_unclear || has_anothers {
                    let (sid, owner) = (sid.to_string(), *owner);
                    return self.is_taken_for_anothers(sid, owner);
                }
                let what = format!(
                    "attempt {number} of {id} has {sid}, which is attempt {} of {}",
                    owner.1, owner.0
                );
                self.breaks(invariant::RIGHT_LEG, what);
            }
            _ => {}
        }
    }

    /// Whether an attempt was given a leg that the carrier had made by mistake for another: its own is then left over, and
    /// may be taken for a third's.
    pub(super) fn has_anothers(&self, (id, number): (CallId, u32)) -> bool {
        let record = self.calls.get(&id).and_then(|known| known.record.as_ref());
        record.is_some_and(|record| self.is_anothers(&record.call, number))
    }

    fn is_anothers(&self, call: &Call, number: u32) -> bool {
        let sid = call.attempt(number).and_then(|attempt| attempt.sid.as_ref());
        sid.is_some_and(|sid| self.is_mistake(sid.as_str()))
    }

    fn is_earned(&mut self, now_ms: u64, id: CallId, attempt: &Attempt, earlier: Option<&Attempt>) {
        let is_new = attempt.status == AttemptStatus::Unconfirmed
            && earlier.is_none_or(|it| it.status != AttemptStatus::Unconfirmed);
        if !is_new {
            return;
        }
        let settle = whole(self.settle_after());
        let written_late = WRITTEN_LATE_MS + whole(self.frozen());
        let (clock_moved, has_copy) = (self.clock_moved.is_some(), self.has_copy());
        let tried = self.tried((id, attempt.number));
        let (doubtful, since) = (tried.is_excused(), tried.doubtful_ms);
        let shown = (!tried.legs.is_empty()).then_some(tried.shown_ms);
        let words = attempt.error_message.as_deref().unwrap_or_default();
        let is_alone = !words.contains("several legs") && !has_copy;
        let number = attempt.number;
        if !doubtful {
            let what =
                format!("attempt {number} of {id} is unconfirmed, and nothing went wrong with its request");
            self.breaks(invariant::EARNED, what);
        }
        if let Some(shown) =
            shown.filter(|shown| now_ms > shown + ASKED_BEFORE_MS && is_alone && !clock_moved)
        {
            let what = format!(
                "attempt {number} of {id} is unconfirmed, and the carrier's list has shown its leg for {} ms",
                now_ms - shown
            );
            self.breaks(invariant::EARNED, what);
        }
        if let Some(since) = since.filter(|since| now_ms + written_late < since + settle && !clock_moved) {
            let what = format!(
                "attempt {number} of {id} is unconfirmed {} ms after the doubt began",
                now_ms - since
            );
            self.breaks(invariant::EARNED, what);
        }
    }
}

/// A doubt is as old as the step that began it, which a slow store wrote down by so much later, or a process once it moved
/// again.
const WRITTEN_LATE_MS: u64 = 7_000;

/// A question may have been asked so long before its answer is written down: 5 s to connect, 30 s for each of some pages,
/// and what the store takes.
const ASKED_BEFORE_MS: u64 = 120_000;

fn rank(status: AttemptStatus) -> u8 {
    match status {
        AttemptStatus::Initiated => 1,
        AttemptStatus::Ringing => 2,
        AttemptStatus::InProgress => 3,
        _ => 4,
    }
}
