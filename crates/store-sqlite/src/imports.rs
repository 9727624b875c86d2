//! Calls that another program began, taken as they stand.
//!
//! What is special about them is only what is looked at before: that the id is free and that no leg
//! is another attempt's. They are written as every call is.

use std::sync::Arc;

use domain::{CallId, step::Step};
use rusqlite::OptionalExtension;
use store::codec::permit_to_code;
use store::{At, Changes, Imported, work};

use crate::error::Fault;
use crate::writer::Tx;
use crate::{calls, facts};

/// Takes calls in their order; says of each what became of it.
pub(crate) fn import(tx: &mut Tx<'_>, steps: &[Step], at: &At) -> Result<Vec<Imported>, Fault> {
    let orphans = facts::has_orphans(tx)?;
    let mut imported = Vec::with_capacity(steps.len());
    for step in steps {
        let outcome = import_one(tx, step)?;
        if orphans && outcome == Imported::New {
            work::with_orphans(tx, Arc::new(step.call.clone()), at)?;
        }
        imported.push(outcome);
    }
    Ok(imported)
}

/// Takes one call, or says why not; nothing is written then.
fn import_one(tx: &mut Tx<'_>, step: &Step) -> Result<Imported, Fault> {
    let call = &step.call;
    let there = tx
        .prepare_cached("SELECT 1 FROM calls WHERE id = ?1")?
        .exists([&call.id.as_bytes()[..]])?;
    if there {
        return Ok(Imported::AlreadyThere);
    }
    let mut owner = tx.prepare_cached(
        "SELECT calls.id FROM sids JOIN calls ON calls.n = sids.call_n WHERE sids.sid = ?1",
    )?;
    for sid in call.attempts.iter().filter_map(|attempt| attempt.sid.as_ref()) {
        let taken = owner.query_row([sid.as_str()], |row| row.get(0)).optional()?;
        if let Some(owner) = taken {
            let (sid, owner) = (sid.clone(), CallId::from_bytes(owner));
            return Ok(Imported::LegTaken { sid, owner });
        }
    }
    drop(owner);
    let n = calls::insert(tx, &Arc::new(call.clone()), &step.events, None)?;
    note_permits(tx, n, step)?;
    Ok(Imported::New)
}

/// Notes that every attempt was sent, by an account that is not known, so that the key of the table
/// refuses another permit for it.
fn note_permits(tx: &Tx<'_>, n: i64, step: &Step) -> Result<(), Fault> {
    let call = &step.call;
    let mut insert = tx.prepare_cached(
        "INSERT INTO permits (call_n, attempt, account, from_number, to_number, state, granted_at)
         VALUES (?1, ?2, '', ?3, ?4, ?5, ?6)",
    )?;
    let states = Changes::between(None, call).permits;
    for ((number, state), attempt) in states.into_iter().zip(&call.attempts) {
        insert.execute((
            n,
            number,
            call.request.from.reveal(),
            call.request.to.reveal(),
            permit_to_code(state),
            attempt.permit_at.millis(),
        ))?;
    }
    Ok(())
}
