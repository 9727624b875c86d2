//! Changing calls: one step and all that follows from it, and what the carrier says of legs.

use std::sync::Arc;
use std::time::Duration;

use domain::{Answer, Call, CallId, Input, Leg, Refusal, Sid, step};
use store::{Applied, At, Changes, Reported, Stray};

use super::Memory;

/// Most orphans kept; beyond it the oldest goes. Each is a request that nobody could place, and a
/// flood of them must not fill the store.
const ORPHANS: usize = 10_000;

/// The carrier's dates have whole seconds: a leg may be younger than it says by this much.
const COARSE: Duration = Duration::from_secs(1);

impl Memory {
    /// A call that is known to be there.
    pub(super) fn stands(&self, id: CallId) -> Call {
        self.calls[&id].call.clone()
    }

    pub(super) fn apply(&mut self, id: CallId, input: Input, at: &At) -> Applied {
        if !self.calls.contains_key(&id) {
            return Applied::NoSuchCall;
        }
        if let Input::Forgotten { leg, .. } = &input
            && self.legs.contains_key(&leg.sid)
        {
            return Applied::Refused(self.stands(id), Refusal::AlreadyKnown);
        }
        let input = self.without_foreign_legs(id, input);
        match self.take(id, input, at) {
            Ok(()) => {
                self.adopt(id, at);
                Applied::Done(self.stands(id))
            }
            Err(refusal) => Applied::Refused(self.stands(id), refusal),
        }
    }

    pub(super) fn report(&mut self, stray: Stray, at: &At) -> Reported {
        let reported = self.deliver(&stray, at);
        match reported {
            Reported::Applied(call) => {
                self.adopt(call.id, at);
                Reported::Applied(Arc::new(self.stands(call.id)))
            }
            Reported::Orphan => {
                self.keep(stray);
                Reported::Orphan
            }
            other => other,
        }
    }

    /// Keeps an orphan; the same one twice is kept once.
    fn keep(&mut self, stray: Stray) {
        if self.orphans.contains(&stray) {
            return;
        }
        self.orphans.push_back(stray);
        if self.orphans.len() > ORPHANS {
            self.orphans.pop_front();
        }
    }

    /// Takes one step of a call that is there, and writes down what it changed.
    pub(super) fn take(&mut self, id: CallId, input: Input, at: &At) -> Result<(), Refusal> {
        let record = self.calls.get_mut(&id).expect("the caller has looked");
        let step = step(&record.call, input, at.moment())?;
        let changes = Changes::between(Some(&record.call), &step.call);
        record.call = step.call;
        record.events.extend(step.events);
        for (attempt, sid) in changes.bound {
            let before = self.legs.insert(sid, (id, attempt));
            assert!(before.is_none(), "one leg is never two attempts'");
        }
        for (attempt, state) in changes.permits {
            // A leg may prove an attempt for which no permit is remembered.
            if let Some(place) = self.permit_of(id, attempt) {
                self.permits[place].state = state;
            }
        }
        Ok(())
    }

    /// Delivers, in the order in which they came, the orphans whose leg or attempt this call has now.
    pub(super) fn adopt(&mut self, id: CallId, at: &At) {
        while let Some(place) = self.orphans.iter().position(|orphan| self.is_of(id, orphan)) {
            let orphan = self.orphans.remove(place).expect("it was found there");
            // One that says nothing new, or should never have been sent, is done with too.
            self.deliver(&orphan, at);
        }
    }

    fn is_of(&self, id: CallId, stray: &Stray) -> bool {
        let owner = self.legs.get(&stray.sid);
        let by_leg = owner.is_some_and(|(owner, _)| *owner == id);
        let call = &self.calls[&id].call;
        let named = stray.named.filter(|(named, _)| *named == id);
        by_leg || named.is_some_and(|(_, attempt)| call.attempt(attempt).is_some())
    }

    /// Takes a fact to the attempt that it belongs to. Keeps no orphans and adopts none.
    fn deliver(&mut self, stray: &Stray, at: &At) -> Reported {
        let owner = self.legs.get(&stray.sid).copied();
        let (id, attempt) = match (stray.named, owner) {
            (None, None) => return Reported::Orphan,
            (Some(named), Some(owner)) if named != owner => return self.misdirect(named, &stray.sid, at),
            (Some(known), _) | (None, Some(known)) => known,
        };
        if !self.calls.contains_key(&id) {
            return Reported::Orphan;
        }
        let fact = Input::Fact {
            attempt: Some(attempt),
            sid: stray.sid.clone(),
            fact: stray.fact.clone(),
        };
        match self.take(id, fact, at) {
            Ok(()) => Reported::Applied(Arc::new(self.stands(id))),
            Err(Refusal::NoSuchAttempt) => Reported::Orphan,
            Err(_) => Reported::Known(Arc::new(self.stands(id))),
        }
    }

    /// Writes an incident to the call that was named, if there is one; the leg's own call hears
    /// nothing of it.
    fn misdirect(&mut self, (id, attempt): (CallId, u32), sid: &Sid, at: &At) -> Reported {
        if self.calls.contains_key(&id) {
            let sid = sid.clone();
            self.take(id, Input::Misdirected { attempt, sid }, at)
                .expect("an incident is always taken");
        }
        Reported::Misdirected
    }

    /// The input as far as it may be believed: whatever the carrier says, a leg that an attempt has
    /// is never another's.
    fn without_foreign_legs(&self, id: CallId, input: Input) -> Input {
        match input {
            Input::Placed { attempt, sid } if self.is_foreign(&sid, id, attempt) => Input::InDoubt {
                attempt,
                why: format!("the carrier answered with leg {sid}, which is another attempt's"),
            },
            Input::Fact {
                attempt: Some(attempt),
                sid,
                ..
            } if self.is_foreign(&sid, id, attempt) => Input::Misdirected { attempt, sid },
            Input::Asked {
                attempt,
                begun_at,
                answer: Answer::Legs(legs),
            } => Input::Asked {
                attempt,
                begun_at,
                answer: Answer::Legs(self.possible(legs, id, attempt)),
            },
            other => other,
        }
    }

    fn is_foreign(&self, sid: &Sid, id: CallId, attempt: u32) -> bool {
        self.legs.get(sid).is_some_and(|owner| *owner != (id, attempt))
    }

    /// The listed legs that can be this attempt's: nobody else's, and made before the next request
    /// for the same pair could have been sent. A permit that was given back sent none.
    fn possible(&self, mut legs: Vec<Leg>, id: CallId, attempt: u32) -> Vec<Leg> {
        let next = self.permit_of(id, attempt).and_then(|place| {
            let own = &self.permits[place];
            let mut later = self.permits[place + 1..].iter();
            later.find(|other| other.same_pair(own) && other.is_used() && other.granted_at > own.granted_at)
        });
        legs.retain(|leg| {
            let before_next = next.is_none_or(|permit| leg.created_at + COARSE <= permit.granted_at);
            before_next && !self.is_foreign(&leg.sid, id, attempt)
        });
        legs
    }
}
