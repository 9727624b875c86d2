//! Calls as rows: read whole, written whole, and everything that hangs on a call written with it.
//!
//! [`insert`] and [`save`] are the only places that write a call, so that no index, counter, permit
//! or history can be forgotten. They decide nothing: what changed is read off the call before and
//! after its step.

use std::sync::{Arc, LazyLock};

use domain::step::Step;
use domain::{Call, CallId, Event, Phone, Timestamp, UserId};
use rusqlite::{Connection, Row, ToSql};
use store::codec::{self, CallColumns};
use store::place::Place;
use store::{Changes, Record, StoreError, Terms};

use crate::claims;
use crate::error::Fault;
use crate::writer::Tx;

/// A call and what of its row is not in the call itself.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) n: i64,
    pub(crate) call: Arc<Call>,
    place: Place,
    events: i64,
}

impl AsRef<Arc<Call>> for Stored {
    fn as_ref(&self) -> &Arc<Call> {
        &self.call
    }
}

impl From<Stored> for Arc<Call> {
    fn from(stored: Stored) -> Arc<Call> {
        stored.call
    }
}

impl Stored {
    /// A call as [`insert`] or [`save`] leaves it in its row, but for a look noted early.
    #[cfg(test)]
    pub(crate) fn new(n: i64, call: Call, events: i64) -> Stored {
        let place = Place::of(&call);
        Stored {
            n,
            call: Arc::new(call),
            place,
            events,
        }
    }
}

/// Which of the columns of two places differ, as the place of a text in [`UPDATES`]; the new values
/// are added to `params`.
fn moved<'a>(from: Place, to: &'a Place, params: &mut Vec<&'a dyn ToSql>) -> usize {
    let columns: [(bool, &dyn ToSql); 4] = [
        (from.shelf != to.shelf, &to.shelf),
        (from.alive != to.alive, &to.alive),
        (from.due_at != to.due_at, &to.due_at),
        (from.check_at != to.check_at, &to.check_at),
    ];
    let mut moved = 0;
    for (bit, (differs, value)) in columns.into_iter().enumerate() {
        if differs {
            moved |= 1 << bit;
            params.push(value);
        }
    }
    moved
}

macro_rules! select_calls {
    ($rest:literal) => {
        concat!(
            "SELECT n, id, user_id, to_number, from_number, created_at, shelf, alive, due_at, check_at,
                    events, body
             FROM calls ",
            $rest
        )
    };
}

/// Reads a call that is about to be changed: from memory if it was written just now.
pub(crate) fn load_to_change(tx: &mut Tx<'_>, id: CallId) -> Result<Option<Stored>, Fault> {
    match tx.recent().take(id) {
        Some(stored) => Ok(Some(stored)),
        None => load(tx, id),
    }
}

/// Reads a call by its id.
pub(crate) fn load(conn: &Connection, id: CallId) -> Result<Option<Stored>, Fault> {
    one(conn, select_calls!("WHERE id = ?1"), &id.as_bytes()[..])
}

/// Reads a call by the short number that other tables use.
pub(crate) fn load_by_number(conn: &Connection, n: i64) -> Result<Option<Stored>, Fault> {
    one(conn, select_calls!("WHERE n = ?1"), n)
}

fn one(conn: &Connection, sql: &str, key: impl ToSql) -> Result<Option<Stored>, Fault> {
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query([key])?;
    rows.next()?.map(stored).transpose()
}

/// Calls that were to be looked at by `now`, the most overdue first.
pub(crate) fn to_check(conn: &Connection, now: Timestamp, limit: i64) -> Result<Vec<Call>, Fault> {
    let mut select = conn.prepare_cached(select_calls!(
        "WHERE check_at <= ?1 ORDER BY check_at, n LIMIT ?2"
    ))?;
    let mut rows = select.query((now.millis(), limit))?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(Arc::unwrap_or_clone(stored(row)?.call));
    }
    Ok(calls)
}

/// The calls between two numbers that wait, or about which the carrier is still asked.
pub(crate) fn unsettled(conn: &Connection, from: &Phone, to: &Phone) -> Result<Vec<Call>, Fault> {
    let mut select = conn.prepare_cached(select_calls!(
        "WHERE to_number = ?1 AND from_number = ?2 AND (due_at IS NOT NULL OR check_at IS NOT NULL)"
    ))?;
    let mut rows = select.query((to.reveal(), from.reveal()))?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        let call = Arc::unwrap_or_clone(stored(row)?.call);
        // A look may be noted that is not needed any more.
        if call.due_at().is_some() || call.check_at().is_some() {
            calls.push(call);
        }
    }
    Ok(calls)
}

fn stored(row: &Row<'_>) -> Result<Stored, Fault> {
    let id = CallId::from_bytes(row.get(1)?);
    let columns = CallColumns {
        id,
        user_id: text(row, 2).and_then(UserId::new).ok_or_else(|| unreadable(id))?,
        to: phone(row, 3).ok_or_else(|| unreadable(id))?,
        from: phone(row, 4).ok_or_else(|| unreadable(id))?,
        created_at: Timestamp::from_millis(row.get(5)?),
    };
    let body = text(row, 11).ok_or_else(|| unreadable(id))?;
    Ok(Stored {
        n: row.get(0)?,
        call: Arc::new(codec::read_call(columns, body)?),
        place: Place {
            shelf: row.get(6)?,
            alive: row.get(7)?,
            due_at: row.get(8)?,
            check_at: row.get(9)?,
        },
        events: row.get(10)?,
    })
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Option<&'r str> {
    row.get_ref(column).ok()?.as_str().ok()
}

pub(crate) fn phone(row: &Row<'_>, column: usize) -> Option<Phone> {
    text(row, column)?.parse().ok()
}

/// What a row says that none of ours could have written.
pub(crate) fn unreadable(id: CallId) -> StoreError {
    StoreError::broken(format!("the row of call {id} cannot be read"))
}

/// Writes a new call, and says under which number. `terms` are needed if the step asked for a permit.
pub(crate) fn insert(
    tx: &mut Tx<'_>,
    call: &Arc<Call>,
    events: &[Event],
    terms: Option<&Terms>,
) -> Result<i64, Fault> {
    let place = Place::of(call);
    tx.prepare_cached(
        "INSERT INTO calls (id, user_id, to_number, from_number, status, attempt_count, should_retry,
                            created_at, shelf, alive, due_at, check_at, events, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(rusqlite::params![
        &call.id.as_bytes()[..],
        call.request.user_id.as_str(),
        call.request.to.reveal(),
        call.request.from.reveal(),
        codec::status_to_code(call.status()),
        crate::rows(call.attempts.len()),
        call.should_retry(),
        call.created_at.millis(),
        place.shelf,
        place.alive,
        place.due_at,
        place.check_at,
        crate::rows(events.len()),
        codec::write_call(call),
    ])?;
    let n = tx.last_insert_rowid();
    add_events(tx, n, 0, events)?;
    follow(tx, n, &Changes::between(None, call), call, terms)?;
    tx.recent().keep(Stored {
        n,
        call: Arc::clone(call),
        place,
        events: crate::rows(events.len()),
    });
    Ok(n)
}

/// Writes what a step made of a stored call, and hands it back. `terms` are needed if the step asked
/// for a permit.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    before: &Stored,
    step: Step,
    terms: Option<&Terms>,
) -> Result<Arc<Call>, Fault> {
    let call = Arc::new(step.call);
    let place = before.place.after(&call);
    let (status, attempts) = (
        codec::status_to_code(call.status()),
        crate::rows(call.attempts.len()),
    );
    let events = before.events + crate::rows(step.events.len());
    let (retry, body) = (call.should_retry(), codec::write_call(&call));
    let mut params: Vec<&dyn ToSql> = vec![&before.n, &status, &attempts, &retry, &events, &body];
    let moved = moved(before.place, &place, &mut params);
    tx.prepare_cached(&UPDATES[moved])?.execute(&params[..])?;
    add_events(tx, before.n, before.events, &step.events)?;
    follow(
        tx,
        before.n,
        &Changes::between(Some(&before.call), &call),
        &call,
        terms,
    )?;
    tx.recent().keep(Stored {
        n: before.n,
        call: Arc::clone(&call),
        place,
        events,
    });
    Ok(call)
}

/// The statements that change a call, by which of the columns of [`Place`] they set: SQLite
/// rewrites the entry of every index of which a column is set, even to the same value, so none is
/// set without need.
static UPDATES: LazyLock<[String; 16]> = LazyLock::new(|| {
    std::array::from_fn(|moved| {
        let set = "status = ?2, attempt_count = ?3, should_retry = ?4, events = ?5, body = ?6";
        let mut sql = format!("UPDATE calls SET {set}");
        let columns = ["shelf", "alive", "due_at", "check_at"].into_iter().enumerate();
        for (next, (_, column)) in (7..).zip(columns.filter(|(bit, _)| moved & (1 << bit) != 0)) {
            sql.push_str(&format!(", {column} = ?{next}"));
        }
        sql + " WHERE n = ?1"
    })
});

fn add_events(tx: &Tx<'_>, n: i64, first: i64, events: &[Event]) -> Result<(), Fault> {
    let mut insert =
        tx.prepare_cached("INSERT INTO events (call_n, seq, at, body) VALUES (?1, ?2, ?3, ?4)")?;
    for (seq, event) in (first..).zip(events) {
        insert.execute((n, seq, event.at.millis(), codec::write_event(event)))?;
    }
    Ok(())
}

/// Writes what follows from a change: who owns a leg, where permits stand, the counters.
fn follow(
    tx: &mut Tx<'_>,
    n: i64,
    changes: &Changes,
    call: &Call,
    terms: Option<&Terms>,
) -> Result<(), Fault> {
    for (attempt, sid) in &changes.bound {
        // The first owner keeps a leg.
        tx.prepare_cached(
            "INSERT INTO sids (sid, call_n, attempt) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute((sid.as_str(), n, attempt))?;
    }
    for (attempt, state) in &changes.permits {
        claims::move_permit(tx, n, *attempt, *state, call, terms)?;
    }
    let user = call.request.user_id.as_str();
    if let Some((before, after)) = changes.status {
        if let Some(before) = before {
            tx.tally().total(user, before, -1);
        }
        tx.tally().total(user, after, 1);
    }
    tx.tally().live(changes.live);
    Ok(())
}

/// When the next look after `after` may be needed.
pub(crate) fn next_check(conn: &Connection, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let mut select = conn.prepare_cached("SELECT min(check_at) FROM calls WHERE check_at > ?1")?;
    let at: Option<i64> = select.query_row([after.millis()], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

/// Notes exactly when a call must next be looked at.
pub(crate) fn put_off_check(tx: &mut Tx<'_>, id: CallId) -> Result<(), Fault> {
    let Some(stored) = load_to_change(tx, id)? else {
        return Ok(());
    };
    let exact = stored.call.check_at().map(Timestamp::millis);
    if exact != stored.place.check_at {
        tx.prepare_cached("UPDATE calls SET check_at = ?2 WHERE n = ?1")?
            .execute((stored.n, exact))?;
    }
    Ok(())
}

/// Reads a call of a user with its history.
pub(crate) fn record(conn: &Connection, user: &UserId, id: CallId) -> Result<Option<Record>, Fault> {
    let Some(stored) = load(conn, id)?.filter(|stored| stored.call.request.user_id == *user) else {
        return Ok(None);
    };
    let mut select = conn.prepare_cached("SELECT at, body FROM events WHERE call_n = ?1 ORDER BY seq")?;
    let mut rows = select.query([stored.n])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let at = Timestamp::from_millis(row.get(0)?);
        let body = text(row, 1).ok_or_else(|| unreadable(id))?;
        events.push(codec::read_event(id, at, body)?);
    }
    Ok(Some(Record {
        call: Arc::unwrap_or_clone(stored.call),
        events,
    }))
}
