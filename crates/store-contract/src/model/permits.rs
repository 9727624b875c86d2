//! Taking calls and granting permits: what must hold before one request may be sent.

use domain::{CallId, HoldReason, Input, Phone, Refusal, Timestamp, step};
use std::sync::Arc;
use store::{Accepted, At, NewCall, PermitState, Permitted, Record, StoreError, Terms};

use super::Memory;

/// The right to send one request for one attempt, and what became of it.
#[derive(Clone)]
pub(super) struct Permit {
    pub(super) call: CallId,
    pub(super) attempt: u32,
    pub(super) account: String,
    pub(super) from: Phone,
    pub(super) to: Phone,
    pub(super) granted_at: Timestamp,
    pub(super) state: PermitState,
}

impl Permit {
    /// Whether both are for a dial by one account between the same two numbers.
    pub(super) fn same_pair(&self, other: &Permit) -> bool {
        (&self.account, &self.from, &self.to) == (&other.account, &other.from, &other.to)
    }

    /// Whether its request was sent, or may have been.
    pub(super) fn is_used(&self) -> bool {
        self.state != PermitState::NotSent
    }
}

impl Memory {
    /// Takes a call, unless its key is another's; then asks for its permit, whatever comes of that.
    pub(super) fn accept(&mut self, new: NewCall, at: &At) -> Result<Accepted, StoreError> {
        if let Some((body, owner)) = new.key.as_ref().and_then(|key| self.keys.get(&key.key)) {
            let equal = new.key.as_ref().is_some_and(|key| key.body == *body);
            return Ok(if equal {
                Accepted::Repeat(Arc::new(self.stands(*owner)))
            } else {
                Accepted::KeyTaken
            });
        }
        let id = new.id;
        if self.calls.contains_key(&id) {
            return Err(StoreError::broken(format!("there is a call {id} already")));
        }
        let accepted = step::accept(id, new.request, at.now);
        self.calls.insert(
            id,
            Record {
                call: accepted.call,
                events: accepted.events,
            },
        );
        if let Some(key) = new.key {
            self.keys.insert(key.key, (key.body, id));
        }
        if let Some(terms) = new.permit {
            // A call that is not permitted now waits; where that is its own matter, it says so.
            self.permit(id, terms, at);
        }
        Ok(Accepted::New(Arc::new(self.stands(id))))
    }

    /// Grants the permit of a due dial. The call itself is asked first, then the pause, the live
    /// limit and the pair: the first that objects is the answer, and only the pair is written down.
    pub(super) fn permit(&mut self, id: CallId, terms: Terms, at: &At) -> Permitted {
        let Some(record) = self.calls.get(&id) else {
            return Permitted::Refused(Refusal::AlreadyOver);
        };
        let call = &record.call;
        let (attempt, request) = (call.attempts.len() + 1, &call.request);
        let permit = Permit {
            call: id,
            attempt: u32::try_from(attempt).expect("a policy allows far fewer attempts"),
            account: terms.account,
            from: request.from.clone(),
            to: request.to.clone(),
            granted_at: at.now,
            state: PermitState::Granted,
        };
        let due = Input::Due { held: terms.held };
        if let Err(refusal) = step(call, due.clone(), at.moment()) {
            return Permitted::Refused(refusal);
        }
        if self.paused_at.is_some() || self.restored.is_some() || self.shared.is_another() {
            return Permitted::Paused;
        }
        if terms.max_live.is_some_and(|most| self.live() >= u64::from(most)) {
            return Permitted::LiveLimit;
        }
        let mut undecided = self.permits.iter().filter(|other| other.state.is_undecided());
        if undecided.any(|other| other.same_pair(&permit)) {
            let held = Input::Held {
                reason: HoldReason::Pair,
                message: "another dial between the same two numbers is not decided yet".to_owned(),
                retry_after: None,
            };
            self.take(id, held, at)
                .expect("a call whose dial is due waits, and can be held");
            return Permitted::Held(self.stands(id));
        }
        self.grant(permit, due, at);
        // Permits come in another order than their slots were taken in.
        self.pace_clear_at = self.pace_clear_at.max(Some(terms.pace_clear_at));
        Permitted::Granted(self.stands(id))
    }

    fn grant(&mut self, permit: Permit, due: Input, at: &At) {
        let id = permit.call;
        let again = self
            .permits
            .iter()
            .any(|other| (other.call, other.attempt) == (id, permit.attempt) && other.is_used());
        assert!(!again, "one attempt is never permitted twice");
        self.permits.push(permit);
        self.take(id, due, at).expect("the step was tried before");
    }

    /// The newest permit of an attempt, and its place among all.
    pub(super) fn permit_of(&self, id: CallId, attempt: u32) -> Option<usize> {
        self.permits
            .iter()
            .rposition(|permit| (permit.call, permit.attempt) == (id, attempt))
    }
}
