//! Says what work will most likely need, so that it is read at once instead of one thing after the other.
//! Nothing depends on it but speed: work that was told too little stops and is run again.

use domain::step::{Answer, Input};
use domain::{CallId, Sid, Timestamp};
use store::{NewCall, Terms};

use crate::tx::{Pair, Tx};

/// What taking a call needs.
pub(crate) fn accept(tx: &mut Tx, new: &NewCall, now: Timestamp) {
    let is_later = new.request.scheduled_at.is_some_and(|at| at > now);
    if let Some(terms) = new.permit.as_ref().filter(|_| !is_later) {
        permit(tx, terms);
        tx.want_pair(&Pair {
            account: terms.account.clone(),
            from: new.request.from.clone(),
            to: new.request.to.clone(),
        });
    }
    if let Some(key) = &new.key {
        tx.want_key(&key.key);
    }
}

/// What asking for a permit needs, of whatever call.
pub(crate) fn permit(tx: &mut Tx, terms: &Terms) {
    tx.want_gate(terms.max_live.is_some());
}

/// What a step of a call needs.
pub(crate) fn apply(tx: &mut Tx, id: CallId, input: &Input) {
    let mut leg = |sid: &Sid| {
        tx.want_owner(sid);
        tx.want_orphans_with(sid);
    };
    match input {
        Input::Placed { sid, .. } => leg(sid),
        Input::Forgotten { leg: found, .. } => leg(&found.sid),
        Input::Asked {
            attempt,
            answer: Answer::Legs(legs),
            ..
        } => {
            legs.iter().for_each(|found| leg(&found.sid));
            tx.want_next_permit(id, *attempt);
        }
        Input::InDoubt { .. } | Input::Refused { .. } => {}
        _ => return,
    }
    tx.want_orphans_of(id);
}
