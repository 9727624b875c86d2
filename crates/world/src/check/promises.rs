//! What clients, operators and the carrier were told: it holds from then on.

use domain::{CallId, Word};

use super::{Checks, invariant};

impl Checks {
    /// The call that was promised for a place in the plan.
    pub fn promised(&self, place: usize) -> Option<CallId> {
        self.promised.get(&place).map(|(id, _)| *id)
    }

    /// A client is told that its call is taken; `other`: by its second body.
    pub fn promises(&mut self, place: usize, other: bool, id: CallId) {
        if self.has_forgotten(id) {
            return;
        }
        let stands = self.calls.get(&id).is_some_and(|known| known.place == place);
        if !stands {
            let what = format!("a client was told of {id}, which is not in the store");
            self.breaks(invariant::ACCEPTED, what);
        }
        let before = *self.promised.entry(place).or_insert((id, other));
        if self.plan.calls[place].key && before != (id, other) {
            let what = format!("one key was answered with {} and with {id}", before.0);
            self.breaks(invariant::ONE_KEY, what);
        }
    }

    /// A client is told that its key is another request's.
    pub fn key_taken(&mut self, place: usize, other: bool) {
        if self.has_copy() {
            // Whose it was may be forgotten by now.
            return;
        }
        let same = self.promised.get(&place).is_some_and(|(_, by)| *by == other);
        if same || self.plan.calls[place].rival.is_none() {
            let what = "a key was refused to the request that it belongs to".to_owned();
            self.breaks(invariant::ONE_KEY, what);
        }
    }

    /// Somebody is told that this call is not dialled any more.
    pub fn canceled(&mut self, id: CallId) {
        self.canceled.insert(id);
    }

    /// An operator is told that dialling is paused.
    pub fn pauses(&mut self) {
        self.paused = true;
    }

    /// An operator asks for it to go on.
    pub fn resumes(&mut self) {
        self.paused = false;
    }

    /// The carrier is told that what it said is stored.
    pub fn callback_kept(
        &mut self,
        sid: &str,
        named: Option<(CallId, u32)>,
        status: &str,
        number: Option<u32>,
    ) {
        let Some((id, attempt)) = named.filter(|_| !self.is_mistake(sid)) else {
            return;
        };
        let Some(record) = self.calls.get(&id).and_then(|known| known.record.as_ref()) else {
            return;
        };
        let extra = record.call.extras.iter().any(|extra| extra.sid.as_str() == sid);
        let Some(known) = record.call.attempt(attempt) else {
            let what =
                format!("the callback of {sid} was answered, and attempt {attempt} of {id} is not there");
            return self.breaks(invariant::CALLBACKS, what);
        };
        let own = known.sid.as_ref().is_some_and(|known| known.as_str() == sid);
        let heard = known.heard.iter().any(|(word, at)| {
            let same = word.text() == status || (matches!(word, Word::Queued) && status == "queued");
            same && *at == number
        });
        if !(extra || (own && heard)) {
            let what = format!(
                "the callback {status} of {sid} was answered and is not in attempt {attempt} of {id}"
            );
            self.breaks(invariant::CALLBACKS, what);
        }
    }

    /// A callback that nobody signed was believed.
    pub fn forged_taken(&mut self, sid: &str) {
        self.breaks(
            invariant::FORGED,
            format!("a forged callback about {sid} was believed"),
        );
    }

    /// A callback of the carrier's own was refused.
    pub fn true_one_refused(&mut self, sid: &str) {
        self.breaks(
            invariant::FORGED,
            format!("a true callback about {sid} was refused"),
        );
    }
}
