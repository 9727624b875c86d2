//! What the carrier says of legs: who owns one, and what is kept until somebody does. What is decided by
//! it is in [`store::work`].

use domain::{Call, CallId, Sid, Timestamp};
use rusqlite::{OptionalExtension, Row};
use store::Stray;
use store::codec::{read_fact, write_fact};

use crate::calls::Stored;
use crate::error::Fault;
use crate::writer::Tx;

/// Most orphans kept; each new one beyond drops the oldest. Each is a request that nobody could
/// place, and a flood of them must not fill the disk.
const ORPHANS: i64 = 10_000;

/// Which attempt of which call (by its number in the file) has this leg.
pub(crate) fn owner(tx: &Tx<'_>, sid: &Sid) -> Result<Option<(i64, u32)>, Fault> {
    let mut select = tx.prepare_cached("SELECT call_n, attempt FROM sids WHERE sid = ?1")?;
    Ok(select
        .query_row([sid.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Keeps a fact that nobody could place; the same one twice is kept once.
pub(crate) fn keep(tx: &Tx<'_>, stray: &Stray, now: Timestamp) -> Result<(), Fault> {
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

/// Whether there are any orphans.
pub(crate) fn has_orphans(tx: &Tx<'_>) -> Result<bool, Fault> {
    Ok(tx.prepare_cached("SELECT 1 FROM orphans LIMIT 1")?.exists([])?)
}

/// Takes away an orphan.
pub(crate) fn drop_orphan(tx: &Tx<'_>, n: i64) -> Result<(), Fault> {
    tx.prepare_cached("DELETE FROM orphans WHERE n = ?1")?
        .execute([n])?;
    Ok(())
}

/// The orphan of this call that came first, by its leg or by its name.
pub(crate) fn first_orphan(tx: &Tx<'_>, call: &Call) -> Result<Option<(i64, Stray)>, Fault> {
    if !has_orphans(tx)? {
        return Ok(None);
    }
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

/// When the next dial between the same two numbers was permitted, if one was and was not given back.
pub(crate) fn next_permit(tx: &Tx<'_>, stored: &Stored, attempt: u32) -> Result<Option<Timestamp>, Fault> {
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
