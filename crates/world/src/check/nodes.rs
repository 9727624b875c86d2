//! What only several nodes can break: whose a permit is, who was told of which work, who leads. A node is known by its
//! life: one that was killed and started again is another.

use std::time::Duration;

use domain::{CallId, CallState, Sid, Timestamp};
use store::{CLAIMED_FOR, RENEWED_AFTER, furthest_claim};

use super::{Checks, invariant};
use crate::fault::Fault;
use crate::goal::Goals;
use crate::hub::whole;
use crate::life::Who;

/// What a node was told of a call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// A dial that is due.
    Dial,
    /// A look that is due.
    Look,
}

/// A permit that was granted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permit {
    pub(super) who: Who,
    pub(super) at_ms: u64,
}

/// A permit is good for so long, by the clock of the node that has it.
const GOOD_FOR_MS: u64 = 2_000;
/// A permit of this age is in doubt, whoever has it.
const ABANDONED_MS: u64 = 45_000;
/// How far two nodes may be apart in what they take for the time, where nothing is slow.
const APART_MS: u64 = 100;
/// ... and where the server may take its time before it notes something, and after it has read its clock.
const APART_BY_STORE_MS: u64 = 7_000;

impl Checks {
    /// How far two nodes may be apart in what they take for the time, and in when they write it down.
    pub(super) fn apart_ms(&self) -> u64 {
        match self.plan.faults[Fault::StoreSlow as usize] > 0.0 {
            true => APART_BY_STORE_MS,
            false => APART_MS,
        }
    }

    /// How old the permit of a dial is; 0 when there is none.
    pub fn permit_age(&self, now_ms: u64, dial: (CallId, u32)) -> u64 {
        self.permits.get(&dial).map_or(0, |permit| now_ms - permit.at_ms)
    }

    /// Which node the last permit of an attempt was granted to.
    pub fn dialled_by(&self, dial: (CallId, u32)) -> Option<usize> {
        self.permits.get(&dial).map(|permit| permit.who.node)
    }

    /// Which node the last permit of a call was granted to.
    pub fn last_dialled_by(&self, id: CallId) -> Option<usize> {
        let mut permits = self.permits.range((id, 0)..=(id, u32::MAX));
        permits.next_back().map(|(_, permit)| permit.who.node)
    }

    pub(super) fn is_permitted(&mut self, now_ms: u64, who: Who, dial @ (id, attempt): (CallId, u32)) {
        let Some(permit) = self.permits.get(&dial).copied() else {
            let what = format!("attempt {attempt} of {id} is sent without a permit");
            return self.breaks(invariant::PERMIT, what);
        };
        if permit.who != who {
            let what = format!(
                "node {} sends attempt {attempt} of {id} on a permit of node {}{}",
                who.node,
                permit.who.node,
                if permit.who.node == who.node {
                    "'s life before"
                } else {
                    ""
                }
            );
            return self.breaks(invariant::OWN_PERMIT, what);
        }
        let age = now_ms - permit.at_ms;
        if age > GOOD_FOR_MS + APART_MS {
            let what = format!("attempt {attempt} of {id} is sent on a permit that is {age} ms old");
            self.breaks(invariant::FRESH, what);
        }
    }

    /// A permit was given back, or something was said of one that had been put in doubt.
    pub fn gives_back(&mut self, who: Who, dial @ (id, attempt): (CallId, u32), goals: &mut Goals) {
        let record = self.calls.get(&id).and_then(|known| known.record.as_ref());
        let is_out = record.is_some_and(
            |it| matches!(it.call.state, CallState::Dialling { attempt: out, .. } if out == attempt),
        );
        if self.is_forgotten(dial) {
            return;
        }
        if !is_out {
            goals.reach("a permit that was put in doubt turned out not to have been sent");
            return;
        }
        let holder = self.permits.get(&dial).map(|permit| permit.who);
        if holder != Some(who) {
            let what = format!(
                "node {} gives back the permit of another for attempt {attempt} of {id}",
                who.node
            );
            self.breaks(invariant::OWN_PERMIT, what);
        }
    }

    /// A permit was put in doubt.
    pub fn puts_in_doubt(
        &mut self,
        now_ms: u64,
        who: Who,
        dial @ (id, attempt): (CallId, u32),
        why: &str,
        goals: &mut Goals,
    ) {
        let permit = self.permits.get(&dial).copied();
        let age = permit.map_or(0, |permit| now_ms - permit.at_ms);
        // A node that stood still asks for a permit as of the moment before.
        let is_old = age + self.apart_ms() + whole(self.frozen()) >= ABANDONED_MS;
        let is_others = permit.is_some_and(|permit| permit.who != who);
        if is_old && is_others && self.is_shared() {
            goals.reach("a permit of another node was put in doubt by its age");
        }
        let clock_moved = self.clock_moved.is_some();
        if !self.tried(dial).is_excused() && !is_old && !clock_moved {
            let what = format!(
                "attempt {attempt} of {id} is put in doubt after {age} ms, and nothing went wrong with its request: {why}"
            );
            self.breaks(invariant::EARNED, what);
        }
        self.tried(dial).doubtful = true;
    }

    /// What the carrier answered to a request is in the record, once the store has said so.
    pub fn answer_kept(&mut self, (id, attempt): (CallId, u32), sid: &Sid) {
        let Some(record) = self.calls.get(&id).and_then(|known| known.record.as_ref()) else {
            return;
        };
        let extra = record.call.extras.iter().any(|extra| extra.sid == *sid);
        let known = record.call.attempt_with(sid).is_some();
        // A leg that the carrier made by mistake may be another's by now; then the answer is no proof.
        let foreign = self.is_mistake(sid.as_str());
        if !(extra || known || foreign || self.is_forgotten((id, attempt))) {
            let what = format!(
                "the carrier answered attempt {attempt} of {id} with {sid}, and the record does not have it"
            );
            self.breaks(invariant::ANSWERS, what);
        }
    }

    /// A node was told of work that is to be done at `now`, by its own clock.
    pub fn told(&mut self, now: Timestamp, who: Who, work: Told, id: CallId) {
        let until = now + CLAIMED_FOR;
        let known = self.claims.get(&(id, work)).copied();
        // One that ends further away is of a clock that was wrong.
        let stands = known.filter(|(_, end)| *end > now && *end <= furthest_claim(now));
        match stands {
            Some((own, end)) if own == who && end + RENEWED_AFTER >= until => return,
            // What one asks may be answered after what another asked later: then its claim is over already.
            // A claim that ends too far away by somebody's clock is forgotten; so it is by what a node asks that slept
            // since it looked at its clock.
            Some((other, end))
                if other != who
                    && self.clock_moved.is_none()
                    && !self.slept
                    && end > now + Duration::from_millis(self.apart_ms()) =>
            {
                let what = format!(
                    "{id} is told to node {} while it is node {}'s for another {} ms ({work:?})",
                    who.node,
                    other.node,
                    end.since(now).as_millis()
                );
                self.breaks(invariant::CLAIMS, what);
            }
            _ => {}
        }
        if let Some((other, _)) = known.filter(|(other, _)| *other != who) {
            self.taken_over.insert((id, work), other);
        }
        self.claims.insert((id, work), (who, until));
    }

    /// A node stands still.
    pub fn sleeps(&mut self) {
        self.slept = true;
    }

    /// A node leaves what it was told of to the others.
    pub fn leaves(&mut self, who: Who) {
        self.claims.retain(|_, (other, _)| *other != who);
        self.leading.remove(&who.life);
    }

    /// A node was told whether it leads.
    pub fn checks_in(&mut self, who: Who, leads: bool, goals: &mut Goals) {
        if leads && self.leading.get(&who.life) != Some(&true) {
            if self.leader.is_some_and(|leader| leader != who.node) {
                goals.reach("the leader changed");
            }
            self.leader = Some(who.node);
        }
        self.leading.insert(who.life, leads);
    }

    /// Several nodes may dial.
    pub(super) fn is_shared(&self) -> bool {
        self.plan.shared
    }

    /// The process of a node dies: every permit that it has is in doubt.
    pub fn process_dies(&mut self, who: Who) {
        self.dead.insert(who.life);
        let out: Vec<_> = self
            .calls
            .iter()
            .filter_map(|(id, known)| match known.record.as_ref()?.call.state {
                CallState::Dialling { attempt, .. } => Some((*id, attempt)),
                _ => None,
            })
            .filter(|dial| self.permits.get(dial).is_none_or(|permit| permit.who == who))
            .collect();
        for dial in out {
            self.tried(dial).doubtful = true;
        }
    }
}
