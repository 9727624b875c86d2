//! A store that was put back to an earlier moment: what it has forgotten is excused, and nothing that rang may ring again
//! for it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CallId, CallState};
use store::Record;

use super::{Checks, invariant};
use crate::goal::Goals;
use crate::hub::whole;
use crate::life::Who;

/// How far a node's clock may run slow in the time to settle, with room to spare.
const DRIFT_MS: u64 = 100;

/// What is known of copies.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// When the store was last put back.
    pub(super) put_back_ms: Option<u64>,
    /// Nothing may be dialled yet.
    held: bool,
    /// Legs of which the store may not know whose they are, each with the call that it was made for.
    pub(super) lost: BTreeMap<String, CallId>,
    /// Calls that the store has forgotten.
    forgotten: BTreeMap<CallId, usize>,
    /// How many legs were made for each call, ever.
    made: BTreeMap<CallId, u32>,
}

impl Checks {
    /// The store stands as it did before; each call, as far as it still knows it.
    pub fn is_put_back(
        &mut self,
        now_ms: u64,
        stands: Vec<(CallId, Option<Record>)>,
        paused: bool,
        goals: &mut Goals,
    ) {
        self.copies.put_back_ms = Some(now_ms);
        self.copies.held = true;
        self.paused &= paused;
        self.claims.clear();
        self.taken_over.clear();
        let before = self.attempts.len() + self.calls.len();
        for (id, record) in stands {
            match record {
                Some(record) => self.goes_back(now_ms, id, record),
                None => {
                    if let Some(known) = self.calls.remove(&id) {
                        self.promised.retain(|_, (promised, _)| *promised != id);
                        self.copies.forgotten.insert(id, known.place);
                    }
                }
            }
        }
        let of_unknown = |(sid, owner): (&String, &Option<(CallId, u32)>)| {
            let dial = owner.filter(|dial| !self.knows(*dial))?;
            Some((sid.clone(), dial.0))
        };
        let lost: Vec<_> = self.legs.iter().filter_map(of_unknown).collect();
        for (sid, made_for) in lost {
            self.loses_leg(sid, made_for);
        }
        let known = |dial: &(CallId, u32)| self.knows(*dial);
        let kept: BTreeSet<_> = self.attempts.keys().copied().filter(known).collect();
        self.attempts.retain(|dial, _| kept.contains(dial));
        if self.attempts.len() + self.calls.len() < before {
            goals.reach("a store was put back that had forgotten something");
        }
    }

    fn goes_back(&mut self, now_ms: u64, id: CallId, record: Record) {
        if let CallState::Dialling { attempt, .. } = record.call.state {
            self.tried((id, attempt)).forgotten = true;
        }
        if record.call.cancel_requested_at.is_none() {
            self.canceled.remove(&id);
        }
        if let Some(known) = self.calls.get_mut(&id) {
            known.ended_ms = record.call.is_over().then_some(now_ms);
            known.record = Some(record);
        }
    }

    /// A node asks for the carrier's list of all calls.
    pub fn asks_for_list(&mut self, who: Who) {
        if self.is_shared() && self.leading.get(&who.life) == Some(&false) {
            let what = format!("node {} reads the carrier's list, and does not lead", who.node);
            self.breaks(invariant::LEADER, what);
        }
    }

    /// It was read; the question was begun at `begun_ms`.
    pub fn list_is_read(&mut self, begun_ms: u64) {
        let settled = |put_back: u64| begun_ms + DRIFT_MS >= put_back + whole(self.settle_after());
        if self.copies.put_back_ms.is_some_and(settled) {
            self.copies.held = false;
        }
    }

    /// A permit is granted: not before the list since was read.
    pub(super) fn is_made_good(&mut self, id: CallId, goals: &mut Goals) {
        if self.copies.held {
            let what =
                format!("{id} may be dialled from a copy before the carrier's list since has been read");
            self.breaks(invariant::COPY, what);
        } else if self.copies.put_back_ms.is_some() {
            goals.reach("dialling went on after a copy was made good");
        }
    }

    /// Whether the store cannot be asked to know of this dial: the call is forgotten, or its permit was granted before
    /// the store was put back.
    pub(super) fn is_forgotten(&self, dial: (CallId, u32)) -> bool {
        let before = self.copies.put_back_ms.zip(self.permits.get(&dial));
        self.copies.forgotten.contains_key(&dial.0) || before.is_some_and(|(at, permit)| permit.at_ms <= at)
    }

    /// Whether the store has forgotten this call.
    pub(super) fn has_forgotten(&self, id: CallId) -> bool {
        self.copies.forgotten.contains_key(&id)
    }

    /// Whether the store was ever put back.
    pub(super) fn has_copy(&self) -> bool {
        self.copies.put_back_ms.is_some()
    }

    /// Whether it was since then.
    pub fn was_put_back_since(&self, began_ms: u64) -> bool {
        self.copies.put_back_ms.is_some_and(|at| at >= began_ms)
    }

    /// A leg was made for a dial. `false`: it is one of those that the store cannot know.
    pub(super) fn counts(&mut self, sid: &str, dial @ (id, attempt): (CallId, u32)) -> bool {
        let made = self.copies.made.entry(id).or_default();
        *made += 1;
        let made = *made;
        if self.is_forgotten(dial) {
            self.loses_leg(sid.to_owned(), id);
            return false;
        }
        if self.has_copy() && made > attempt && self.has_its_numbers_alone(id) {
            let what = format!(
                "attempt {attempt} of {id} rings, which is leg {made} of the call: the copy had forgotten one"
            );
            self.breaks(invariant::ONE_CREATE, what);
        }
        true
    }

    /// Whether nobody else calls the same person from the same number. Where somebody does, the list does not say whose a
    /// forgotten leg is.
    pub(super) fn has_its_numbers_alone(&self, id: CallId) -> bool {
        let Some(own) = self.planned(id) else { return false };
        let mut others = self.plan.calls.iter().filter(|other| other.number != own.number);
        !others.any(|other| (&other.from, &other.to) == (&own.from, &own.to))
    }

    /// A leg was taken for that of another call between the same numbers: from here on it is nobody's.
    pub(super) fn is_taken_for_anothers(&mut self, sid: String, owner: (CallId, u32)) {
        self.tried(owner).legs.retain(|leg| *leg != sid);
        self.loses_leg(sid, owner.0);
    }

    /// The store may not know whose this leg is, which was made for a call.
    fn loses_leg(&mut self, sid: String, made_for: CallId) {
        self.legs.insert(sid.clone(), None);
        self.copies.lost.insert(sid, made_for);
    }

    /// Whether the carrier's list since the store was put back has still to be read.
    pub fn is_held(&self) -> bool {
        self.copies.held
    }

    /// Legs that the store may not know, and that no call of it has.
    pub fn lost_legs(&self) -> Vec<String> {
        let records = || self.calls.values().filter_map(|known| known.record.as_ref());
        let has = |sid: &str| {
            records().any(|record| {
                let mut attempts = record.call.attempts.iter().filter_map(|it| it.sid.as_ref());
                let mut extras = record.call.extras.iter().map(|extra| &extra.sid);
                attempts.any(|it| it.as_str() == sid) || extras.any(|it| it.as_str() == sid)
            })
        };
        self.copies.lost.keys().filter(|sid| !has(sid)).cloned().collect()
    }

    /// Nobody has kept what the carrier says of a leg.
    pub fn leg_is_lost(&mut self, sid: &str) {
        let what =
            format!("{sid} rang for a call that a copy had forgotten, and is neither a call's nor an orphan");
        self.breaks(invariant::TRUTH, what);
    }
}
