//! Taking calls that another program began.

use domain::Step;
use store::{At, Changes, Imported, Record};

use super::Memory;
use super::permits::Permit;

impl Memory {
    /// Takes a call as it stands, unless it is there, or says that a leg is its own that is not.
    pub(super) fn import(&mut self, step: Step, at: &At) -> Imported {
        let Step { call, events } = step;
        let id = call.id;
        if self.calls.contains_key(&id) {
            return Imported::AlreadyThere;
        }
        let changes = Changes::between(None, &call);
        for (_, sid) in &changes.bound {
            if let Some((owner, _)) = self.legs.get(sid) {
                let (sid, owner) = (sid.clone(), *owner);
                return Imported::LegTaken { sid, owner };
            }
        }
        let legs = changes.bound.into_iter();
        self.legs.extend(legs.map(|(attempt, sid)| (sid, (id, attempt))));
        for ((attempt, state), record) in changes.permits.into_iter().zip(&call.attempts) {
            let permit = Permit {
                call: id,
                attempt,
                // Nobody says which account sent it.
                account: String::new(),
                from: call.request.from.clone(),
                to: call.request.to.clone(),
                granted_at: record.permit_at,
                state,
            };
            let place = self
                .permits
                .partition_point(|other| other.granted_at <= permit.granted_at);
            self.permits.insert(place, permit);
        }
        self.calls.insert(id, Record { call, events });
        self.adopt(id, at);
        Imported::New
    }
}
