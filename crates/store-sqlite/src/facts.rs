//! What the carrier says of legs: brought to the attempt that owns the leg, or kept until one does.

use std::sync::Arc;
use std::time::Duration;

use domain::step::{Answer, Input, step};
use domain::{Call, CallId, Leg, Refusal, Sid, Timestamp};
use rusqlite::{OptionalExtension, Row};
use store::codec::{read_fact, write_fact};
use store::{Applied, At, Reported, Stray};

use crate::calls::{self, Stored};
use crate::error::Fault;
use crate::writer::Tx;

/// Most orphans kept; each new one beyond drops the oldest. Each is a request that nobody could
/// place, and a flood of them must not fill the disk.
const ORPHANS: i64 = 10_000;

/// The carrier's dates have whole seconds: a leg may be younger than it says by this much.
const COARSE: Duration = Duration::from_secs(1);

/// Takes one step of a call, and applies what was kept about the legs that became known by it.
pub(crate) fn apply(tx: &mut Tx<'_>, id: CallId, input: &Input, at: &At) -> Result<Applied, Fault> {
    let Some(stored) = calls::load_to_change(tx, id)? else {
        return Ok(Applied::NoSuchCall);
    };
    if let Input::Forgotten { leg, .. } = input
        && owner(tx, &leg.sid)?.is_some()
    {
        return Ok(Applied::Refused(
            Arc::unwrap_or_clone(stored.call),
            Refusal::AlreadyKnown,
        ));
    }
    let input = without_foreign_legs(tx, &stored, input.clone())?;
    match take(tx, &stored, input, at)? {
        Ok(call) if has_grown(&stored.call, &call) => {
            let call = with_orphans(tx, call, at)?;
            Ok(Applied::Done(Arc::unwrap_or_clone(call)))
        }
        Ok(call) => Ok(Applied::Done(Arc::unwrap_or_clone(call))),
        Err(refusal) => Ok(Applied::Refused(Arc::unwrap_or_clone(stored.call), refusal)),
    }
}

/// Takes what the carrier said of a leg.
pub(crate) fn report(tx: &mut Tx<'_>, stray: &Stray, at: &At) -> Result<Reported, Fault> {
    match deliver(tx, stray, at)? {
        Delivered::Applied { grown: true, call } => Ok(Reported::Applied(with_orphans(tx, call, at)?)),
        Delivered::Applied { grown: false, call } => Ok(Reported::Applied(call)),
        Delivered::Known(call) => Ok(Reported::Known(call)),
        Delivered::Misdirected => Ok(Reported::Misdirected),
        Delivered::Nobodys => {
            keep(tx, stray, at.now)?;
            Ok(Reported::Orphan)
        }
    }
}

fn take(
    tx: &mut Tx<'_>,
    stored: &Stored,
    input: Input,
    at: &At,
) -> Result<Result<Arc<Call>, Refusal>, Fault> {
    match step(&stored.call, input, at.moment()) {
        Ok(step) => Ok(Ok(calls::save(tx, stored, step, None)?)),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// What became of a fact before anything is kept.
enum Delivered {
    /// Taken; `grown` says that a leg or an attempt became known by it.
    Applied {
        grown: bool,
        call: Arc<Call>,
    },
    Known(Arc<Call>),
    Misdirected,
    Nobodys,
}

fn deliver(tx: &mut Tx<'_>, stray: &Stray, at: &At) -> Result<Delivered, Fault> {
    let named = match stray.named {
        Some((id, attempt)) => calls::load_to_change(tx, id)?.map(|stored| (stored, attempt)),
        None => None,
    };
    // Almost always the named attempt is the leg's known owner, and nothing else has to be looked up.
    let is_owners = |(stored, attempt): &(Stored, u32)| {
        let call = &stored.call;
        call.attempt_with(&stray.sid)
            .is_some_and(|owner| owner.number == *attempt)
            || call
                .extras
                .iter()
                .any(|extra| extra.sid == stray.sid && extra.attempt == *attempt)
    };
    if let Some((stored, attempt)) = named.as_ref().filter(|named| is_owners(named)) {
        return hand_over(tx, stored, *attempt, stray, at);
    }
    match (named, owner(tx, &stray.sid)?) {
        (Some((stored, attempt)), None) => hand_over(tx, &stored, attempt, stray, at),
        (Some((stored, attempt)), Some(_)) => {
            let input = Input::Misdirected {
                attempt,
                sid: stray.sid.clone(),
            };
            // An incident is written down whatever state the call is in.
            let _ = take(tx, &stored, input, at)?;
            Ok(Delivered::Misdirected)
        }
        (None, Some(_)) if stray.named.is_some() => Ok(Delivered::Misdirected),
        (None, Some((n, attempt))) => match calls::load_by_number(tx, n)? {
            Some(stored) => hand_over(tx, &stored, attempt, stray, at),
            None => Ok(Delivered::Nobodys),
        },
        (None, None) => Ok(Delivered::Nobodys),
    }
}

fn hand_over(
    tx: &mut Tx<'_>,
    stored: &Stored,
    attempt: u32,
    stray: &Stray,
    at: &At,
) -> Result<Delivered, Fault> {
    let input = Input::Fact {
        attempt: Some(attempt),
        sid: stray.sid.clone(),
        fact: stray.fact.clone(),
    };
    Ok(match take(tx, stored, input, at)? {
        Ok(call) => Delivered::Applied {
            grown: has_grown(&stored.call, &call),
            call,
        },
        Err(Refusal::NoSuchAttempt) => Delivered::Nobodys,
        Err(_) => Delivered::Known(Arc::clone(&stored.call)),
    })
}

/// Which attempt of which call (by its number in the file) has this leg.
fn owner(tx: &Tx<'_>, sid: &Sid) -> Result<Option<(i64, u32)>, Fault> {
    let mut select = tx.prepare_cached("SELECT call_n, attempt FROM sids WHERE sid = ?1")?;
    Ok(select
        .query_row([sid.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Keeps a fact that nobody could place; the same one twice is kept once.
fn keep(tx: &Tx<'_>, stray: &Stray, now: Timestamp) -> Result<(), Fault> {
    let named = stray.named.as_ref();
    let kept = tx
        .prepare_cached(
            "INSERT INTO orphans (sid, named_id, named_attempt, received_at, body)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM orphans
                               WHERE sid = ?1 AND named_id = ?2 AND named_attempt = ?3 AND body = ?5)",
        )?
        .execute((
            stray.sid.as_str(),
            named.map_or(&[][..], |(id, _)| &id.as_bytes()[..]),
            named.map_or(0, |(_, attempt)| *attempt),
            now.millis(),
            write_fact(&stray.fact),
        ))?;
    if kept == 1 {
        tx.prepare_cached("DELETE FROM orphans WHERE n <= ?1")?
            .execute([tx.last_insert_rowid() - ORPHANS])?;
    }
    Ok(())
}

/// Whether a leg or an attempt is known after a step that was not before: then there may be orphans of it.
fn has_grown(before: &Call, after: &Call) -> bool {
    before.attempts.len() != after.attempts.len() || before.legs().count() != after.legs().count()
}

/// Whether there are any.
pub(crate) fn has_orphans(tx: &Tx<'_>) -> Result<bool, Fault> {
    Ok(tx.prepare_cached("SELECT 1 FROM orphans LIMIT 1")?.exists([])?)
}

/// Applies, in the order in which they came, the orphans whose leg or attempt a call has now.
pub(crate) fn with_orphans(tx: &mut Tx<'_>, mut call: Arc<Call>, at: &At) -> Result<Arc<Call>, Fault> {
    if !has_orphans(tx)? {
        return Ok(call);
    }
    while let Some((n, orphan)) = next_orphan(tx, &call)? {
        tx.prepare_cached("DELETE FROM orphans WHERE n = ?1")?
            .execute([n])?;
        // One that says nothing new, or that should never have been sent, is done with too.
        deliver(tx, &orphan, at)?;
        if let Some(stored) = calls::load(tx, call.id)? {
            call = stored.call;
        }
    }
    Ok(call)
}

/// The orphan of this call that came first, by its leg or by its name.
fn next_orphan(tx: &Tx<'_>, call: &Call) -> Result<Option<(i64, Stray)>, Fault> {
    let mut first: Option<(i64, Stray)> = None;
    let mut consider = |found: Option<(i64, Stray)>| match (&first, found) {
        (Some((n, _)), Some((other, _))) if *n < other => {}
        (_, Some(found)) => first = Some(found),
        (_, None) => {}
    };
    let mut by_leg = tx.prepare_cached(concat!(
        "SELECT n, sid, named_id, named_attempt, body FROM orphans ",
        "WHERE sid = ?1 ORDER BY n LIMIT 1"
    ))?;
    for sid in call.legs() {
        let mut rows = by_leg.query([sid.as_str()])?;
        consider(rows.next()?.map(orphan).transpose()?);
    }
    let mut by_name = tx.prepare_cached(concat!(
        "SELECT n, sid, named_id, named_attempt, body FROM orphans ",
        "WHERE named_id = ?1 AND named_attempt > 0 AND named_attempt <= ?2 ORDER BY n LIMIT 1"
    ))?;
    let mut rows = by_name.query((&call.id.as_bytes()[..], crate::rows(call.attempts.len())))?;
    consider(rows.next()?.map(orphan).transpose()?);
    Ok(first)
}

fn orphan(row: &Row<'_>) -> Result<(i64, Stray), Fault> {
    let sid: String = row.get(1)?;
    let unreadable = || store::StoreError::broken(format!("the orphan of leg {sid} cannot be read"));
    let named: Vec<u8> = row.get(2)?;
    let named = match <[u8; 16]>::try_from(named) {
        Ok(id) => Some((CallId::from_bytes(id), row.get(3)?)),
        Err(_) => None,
    };
    let fact = read_fact(row.get_ref(4)?.as_str().map_err(|_| unreadable())?)?;
    let sid = Sid::new(&sid).ok_or_else(unreadable)?;
    Ok((row.get(0)?, Stray { sid, named, fact }))
}

/// The input as far as it may be believed: whatever the carrier says, a leg that an attempt has is
/// never another's.
fn without_foreign_legs(tx: &Tx<'_>, stored: &Stored, input: Input) -> Result<Input, Fault> {
    let is_foreign = |sid: &Sid, attempt: u32| -> Result<bool, Fault> {
        Ok(owner(tx, sid)?.is_some_and(|owner| owner != (stored.n, attempt)))
    };
    match input {
        Input::Placed { attempt, ref sid } if is_foreign(sid, attempt)? => {
            let why = format!("the carrier answered with leg {sid}, which is another attempt's");
            Ok(Input::InDoubt { attempt, why })
        }
        Input::Fact {
            attempt: Some(attempt),
            sid,
            ..
        } if is_foreign(&sid, attempt)? => Ok(Input::Misdirected { attempt, sid }),
        Input::Asked {
            attempt,
            begun_at,
            answer: Answer::Legs(legs),
        } => {
            let next = next_permit(tx, stored, attempt)?;
            let mut possible: Vec<Leg> = Vec::with_capacity(legs.len());
            for leg in legs {
                let in_time = next.is_none_or(|next| leg.created_at + COARSE <= next);
                if in_time && !is_foreign(&leg.sid, attempt)? {
                    possible.push(leg);
                }
            }
            Ok(Input::Asked {
                attempt,
                begun_at,
                answer: Answer::Legs(possible),
            })
        }
        other => Ok(other),
    }
}

/// When the next dial between the same two numbers was permitted, if one was and was not given back.
fn next_permit(tx: &Tx<'_>, stored: &Stored, attempt: u32) -> Result<Option<Timestamp>, Fault> {
    let request = &stored.call.request;
    let next: Option<i64> = tx
        .prepare_cached(
            "SELECT min(later.granted_at)
             FROM permits AS own, calls, permits AS later
             WHERE own.call_n = ?1 AND own.attempt = ?2
               AND calls.to_number = ?3 AND calls.from_number = ?4
               AND later.call_n = calls.n AND later.account = own.account AND later.state <> 1
               AND later.granted_at > own.granted_at",
        )?
        .query_row(
            (stored.n, attempt, request.to.reveal(), request.from.reveal()),
            |row| row.get(0),
        )?;
    Ok(next.map(Timestamp::from_millis))
}
