//! Calls that another program began, taken as they stand.
//!
//! What is special about them is only what is looked at before: that the id is free and that no leg
//! is another attempt's. They are written as every call is.

use std::sync::Arc;

use domain::step::Step;
use store::work::with_orphans;
use store::{At, Changes, Imported};

use crate::tx::{Stop, Tx};
use crate::{calls, claims};

/// Takes calls in their order; says of each what became of it.
pub(crate) fn import(tx: &mut Tx, steps: &[Step], at: &At) -> Result<Vec<Imported>, Stop> {
    for step in steps {
        let call = &step.call;
        tx.want_call(call.id);
        tx.want_orphans_of(call.id);
        for sid in call.legs() {
            tx.want_owner(sid);
            tx.want_orphans_with(sid);
        }
    }
    steps.iter().map(|step| import_one(tx, step, at)).collect()
}

/// Takes one call, or says why not; nothing is written then.
fn import_one(tx: &mut Tx, step: &Step, at: &At) -> Result<Imported, Stop> {
    let call = &step.call;
    if tx.call(call.id)?.is_some() {
        return Ok(Imported::AlreadyThere);
    }
    for sid in call.attempts.iter().filter_map(|attempt| attempt.sid.as_ref()) {
        if let Some((owner, _)) = tx.owner(sid)? {
            let sid = sid.clone();
            return Ok(Imported::LegTaken { sid, owner });
        }
    }
    let call = Arc::new(call.clone());
    calls::insert(tx, &call, &step.events, None)?;
    // Every attempt was sent, so that the key of the table refuses another permit for it.
    let states = Changes::between(None, &call).permits;
    for ((number, state), attempt) in states.into_iter().zip(&call.attempts) {
        claims::note_permit(tx, &call, number, state, attempt.permit_at);
    }
    with_orphans(tx, call, at)?;
    Ok(Imported::New)
}
