//! Calls as rows: read whole, written whole, and everything that hangs on a call written with it.
//!
//! [`insert`] and [`save`] are the only places that write a call, so that no index, counter, permit
//! or history can be forgotten. They decide nothing: what changed is read off the call before and
//! after its step.

use std::sync::Arc;

use domain::step::Step;
use domain::{Call, CallId, Event, Phone, Timestamp, UserId};
use store::codec::{self, CallColumns};
use store::place::Place;
use store::{Changes, Record, StoreError, Terms};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::claims;
use crate::connect::{Pool, Query, values};
use crate::error::Fault;
use crate::tx::{Stop, Tx, Written};

/// A call and what of its row is not in the call itself.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) call: Arc<Call>,
    pub(crate) place: Place,
    /// How many entries its history has.
    pub(crate) events: i64,
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

/// The columns that [`stored`] reads, in its order.
pub(crate) const COLUMNS: &str = "id, user_id, to_number, from_number, created_at, shelf, alive, due_at, \
                                  check_at, events, body";

/// A call's name as the database takes it.
pub(crate) fn uuid(id: CallId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// A call's name in a column.
pub(crate) fn id(row: &Row, column: usize) -> Result<CallId, Fault> {
    let id: Uuid = row.try_get(column)?;
    Ok(CallId::from_bytes(*id.as_bytes()))
}

/// Reads a call and its place off a row of [`COLUMNS`].
pub(crate) fn stored(row: &Row) -> Result<Stored, Fault> {
    let id = id(row, 0)?;
    let unreadable = || unreadable(id);
    let columns = CallColumns {
        id,
        user_id: UserId::new(row.try_get(1)?).ok_or_else(unreadable)?,
        to: phone(row, 2).ok_or_else(unreadable)?,
        from: phone(row, 3).ok_or_else(unreadable)?,
        created_at: Timestamp::from_millis(row.try_get(4)?),
    };
    let call = codec::read_call(columns, row.try_get(10)?)?;
    Ok(Stored {
        call: Arc::new(call),
        place: Place {
            shelf: row.try_get(5)?,
            alive: row.try_get(6)?,
            due_at: row.try_get(7)?,
            check_at: row.try_get(8)?,
        },
        events: row.try_get(9)?,
    })
}

pub(crate) fn phone(row: &Row, column: usize) -> Option<Phone> {
    row.try_get::<_, &str>(column).ok()?.parse().ok()
}

/// What a row says that none of ours could have written.
pub(crate) fn unreadable(id: CallId) -> StoreError {
    StoreError::broken(format!("the row of call {id} cannot be read"))
}

/// Writes a new call. `terms` are needed if the step asked for a permit.
pub(crate) fn insert(
    tx: &mut Tx,
    call: &Arc<Call>,
    events: &[Event],
    terms: Option<&Terms>,
) -> Result<(), Stop> {
    let stored = Stored {
        call: Arc::clone(call),
        place: Place::of(call),
        events: crate::rows(events.len()),
    };
    tx.put(Written { stored, is_new: true }, events);
    follow(tx, &Changes::between(None, call), call, terms)
}

/// Writes what a step made of a stored call, and hands it back. `terms` are needed if the step asked
/// for a permit.
pub(crate) fn save(
    tx: &mut Tx,
    before: &Stored,
    step: Step,
    terms: Option<&Terms>,
) -> Result<Arc<Call>, Stop> {
    let call = Arc::new(step.call);
    let stored = Stored {
        call: Arc::clone(&call),
        place: before.place.after(&call),
        events: before.events + crate::rows(step.events.len()),
    };
    let written = Written {
        stored,
        is_new: false,
    };
    tx.put(written, &step.events);
    follow(tx, &Changes::between(Some(&before.call), &call), &call, terms)?;
    Ok(call)
}

/// Writes what follows from a change: who owns a leg, where permits stand, the counters.
fn follow(tx: &mut Tx, changes: &Changes, call: &Call, terms: Option<&Terms>) -> Result<(), Stop> {
    for (attempt, sid) in &changes.bound {
        tx.bind(sid, call.id, *attempt)?;
    }
    for (attempt, state) in &changes.permits {
        claims::move_permit(tx, *attempt, *state, call, terms)?;
    }
    let user = call.request.user_id.as_str();
    if let Some((before, after)) = changes.status {
        if let Some(before) = before {
            tx.total(user, codec::status_to_code(before), -1);
        }
        tx.total(user, codec::status_to_code(after), 1);
    }
    tx.live(changes.live);
    Ok(())
}

/// Notes exactly when a call must next be looked at.
pub(crate) fn put_off_check(tx: &mut Tx, id: CallId) -> Result<(), Stop> {
    let Some(mut stored) = tx.call(id)? else {
        return Ok(());
    };
    let exact = stored.call.check_at().map(Timestamp::millis);
    if exact != stored.place.check_at {
        stored.place.check_at = exact;
        let written = Written {
            stored,
            is_new: false,
        };
        tx.put(written, &[]);
    }
    Ok(())
}

/// Reads a call by its id, as it was last committed.
pub(crate) async fn load(pool: &Pool, id: CallId) -> Result<Option<Call>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM calls WHERE id = $1");
    let row = pool.at_most_one(Query::new(sql, values![uuid(id)])).await?;
    row.as_ref().map(call).transpose()
}

/// A call off a row of [`COLUMNS`].
pub(crate) fn call(row: &Row) -> Result<Call, Fault> {
    Ok(Arc::unwrap_or_clone(stored(row)?.call))
}

/// Reads a call of a user with its history, both as of one moment.
pub(crate) async fn record(pool: &Pool, user: &UserId, id: CallId) -> Result<Option<Record>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS}, ARRAY(SELECT at FROM events WHERE call_id = $1 ORDER BY seq),
                ARRAY(SELECT body FROM events WHERE call_id = $1 ORDER BY seq)
         FROM calls WHERE id = $1 AND user_id = $2"
    );
    let query = Query::new(sql, values![uuid(id), user.as_str().to_owned()]);
    let Some(row) = pool.at_most_one(query).await? else {
        return Ok(None);
    };
    let (moments, bodies): (Vec<i64>, Vec<&str>) = (row.try_get(11)?, row.try_get(12)?);
    let entries = moments.into_iter().zip(bodies);
    let events = entries.map(|(at, body)| codec::read_event(id, Timestamp::from_millis(at), body));
    Ok(Some(Record {
        call: call(&row)?,
        events: events.collect::<Result<_, _>>()?,
    }))
}

/// When the next look after `after` may be needed.
pub(crate) async fn next_check(pool: &Pool, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT check_at FROM calls WHERE check_at > $1 ORDER BY check_at LIMIT 1";
    moment(pool.at_most_one(Query::new(sql, values![after.millis()])).await?)
}

/// The moment in the first column, if there is a row.
pub(crate) fn moment(row: Option<Row>) -> Result<Option<Timestamp>, Fault> {
    let at: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(at.map(Timestamp::from_millis))
}

/// The calls between two numbers that wait, or about which the carrier is still asked.
pub(crate) async fn unsettled(pool: &Pool, from: &Phone, to: &Phone) -> Result<Vec<Call>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM calls
         WHERE to_number = $1 AND from_number = $2 AND (due_at IS NOT NULL OR check_at IS NOT NULL)"
    );
    let numbers = values![to.reveal().to_owned(), from.reveal().to_owned()];
    let rows = pool.all(Query::new(sql, numbers)).await?;
    let mut calls = rows.iter().map(call).collect::<Result<Vec<_>, _>>()?;
    // A look may be noted that is not needed any more.
    calls.retain(|call| call.due_at().is_some() || call.check_at().is_some());
    Ok(calls)
}
