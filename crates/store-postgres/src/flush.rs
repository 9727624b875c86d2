//! Writes what the work of a transaction has decided, and commits: all of it in one round trip, one
//! statement to a table whatever the number of rows. Called by the writer.
//!
//! Rows go in the order of their names, table after table in the same order, so that two
//! transactions that meet in a unique index wait for each other in one direction only. What another
//! transaction took first is refused by the index; the work is then decided again.

use std::collections::BTreeMap;

use domain::{CallId, Timestamp};
use store::PermitState;
use store::codec::{permit_to_code, status_to_code, write_call, write_event, write_fact};
use uuid::Uuid;

use crate::calls::uuid;
use crate::connect::{Conn, Query, values};
use crate::error::Fault;
use crate::load::BEGIN;
use crate::news;
use crate::tx::{Draft, Grant, Pair, PermitChange, Written};

/// Most orphans kept; each new one beyond drops the oldest. Each is a request that nobody could
/// place, and a flood of them must not fill the disk.
const ORPHANS: i64 = 10_000;

/// Writes and commits; with `first`, in a transaction that has not begun yet.
///
/// # Errors
/// As [`Conn::commit`].
pub(crate) async fn flush(conn: &mut Conn, node: i64, draft: Draft, first: bool) -> Result<(), Fault> {
    let mut queries = Vec::with_capacity(16);
    if first {
        queries.push(Query::new(BEGIN, []));
    }
    calls(&mut queries, &draft);
    events(&mut queries, &draft);
    names(&mut queries, &draft);
    permits(&mut queries, &draft);
    orphans(&mut queries, &draft);
    counters(&mut queries, &draft);
    queries.extend(draft.news.map(|what| news::tell(what, node)));
    conn.commit(queries).await
}

/// Columns of rows, one array to each, as `UNNEST` takes them.
macro_rules! columns {
    ($rows:expr, $row:pat => $($value:expr),+ $(,)?) => {
        values![$($rows.iter().map(|row| {
            #[allow(unused_variables, reason = "a row is named once for all of its columns")]
            let $row = row;
            $value
        }).collect::<Vec<_>>()),+]
    };
}

fn calls(queries: &mut Vec<Query>, draft: &Draft) {
    let mut sorted: Vec<(&CallId, &Written)> = draft.calls.iter().collect();
    sorted.sort_by_key(|(id, _)| **id);
    let (new, old): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|(_, written)| written.is_new);
    if !new.is_empty() {
        queries.push(insert_calls(&new));
    }
    if !old.is_empty() {
        queries.push(update_calls(&old));
    }
}

fn insert_calls(rows: &[(&CallId, &Written)]) -> Query {
    let columns = columns![rows, (id, written) =>
        uuid(**id),
        written.stored.call.request.user_id.as_str().to_owned(),
        written.stored.call.request.to.reveal().to_owned(),
        written.stored.call.request.from.reveal().to_owned(),
        status_to_code(written.stored.call.status()),
        crate::rows(written.stored.call.attempts.len()),
        written.stored.call.should_retry(),
        written.stored.call.created_at.millis(),
        written.stored.place.shelf,
        written.stored.place.alive,
        written.stored.place.due_at,
        written.stored.place.check_at,
        written.stored.events,
        write_call(&written.stored.call),
    ];
    Query::new(
        "INSERT INTO calls (id, user_id, to_number, from_number, status, attempt_count, should_retry,
                            created_at, shelf, alive, due_at, check_at, events, body)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
                              $7::boolean[], $8::bigint[], $9::bigint[], $10::boolean[], $11::bigint[],
                              $12::bigint[], $13::bigint[], $14::text[])",
        columns,
    )
}

fn update_calls(rows: &[(&CallId, &Written)]) -> Query {
    let columns = columns![rows, (id, written) =>
        uuid(**id),
        status_to_code(written.stored.call.status()),
        crate::rows(written.stored.call.attempts.len()),
        written.stored.call.should_retry(),
        written.stored.place.shelf,
        written.stored.place.alive,
        written.stored.place.due_at,
        written.stored.place.check_at,
        written.stored.events,
        write_call(&written.stored.call),
    ];
    // The columns that are indexed are set to what they are in most cases, which costs an index
    // nothing: the server compares values.
    Query::new(
        "UPDATE calls SET status = new.status, attempt_count = new.attempt_count,
                          should_retry = new.should_retry, shelf = new.shelf, alive = new.alive,
                          due_at = new.due_at, check_at = new.check_at, events = new.events, body = new.body
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[], $5::bigint[], $6::boolean[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::text[])
              AS new (id, status, attempt_count, should_retry, shelf, alive, due_at, check_at, events, body)
         WHERE calls.id = new.id",
        columns,
    )
}

fn events(queries: &mut Vec<Query>, draft: &Draft) {
    let rows = &draft.events;
    if rows.is_empty() {
        return;
    }
    let columns = columns![rows, (id, seq, event) =>
        uuid(*id), *seq, event.at.millis(), write_event(event)];
    queries.push(Query::new(
        "INSERT INTO events (call_id, seq, at, body)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[])",
        columns,
    ));
}

/// Legs and keys: names that belong to one call only.
fn names(queries: &mut Vec<Query>, draft: &Draft) {
    let mut legs: Vec<_> = draft.owners.iter().collect();
    if !legs.is_empty() {
        legs.sort();
        let columns = columns![legs, (sid, (id, attempt)) =>
            sid.as_str().to_owned(), uuid(*id), i64::from(*attempt)];
        queries.push(Query::new(
            "INSERT INTO sids (sid, call_id, attempt) SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])",
            columns,
        ));
    }
    let mut keys: Vec<_> = draft.keys.iter().collect();
    if !keys.is_empty() {
        keys.sort();
        let columns = columns![keys, (key, (body, id, at)) =>
            (*key).clone(), body.to_vec(), uuid(*id), at.millis()];
        queries.push(Query::new(
            "INSERT INTO keys (key, body_hash, call_id, created_at)
             SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[], $4::bigint[])",
            columns,
        ));
    }
}

fn permits(queries: &mut Vec<Query>, draft: &Draft) {
    // Those that are decided come first: they may make room for those that are granted.
    let moved = |(permit, change): (&(CallId, u32), &PermitChange)| Some((*permit, change.moved?));
    let mut moved: Vec<((CallId, u32), PermitState)> = draft.permits.iter().filter_map(moved).collect();
    if !moved.is_empty() {
        moved.sort_by_key(|(permit, _)| *permit);
        let columns = columns![moved, ((id, attempt), state) =>
            uuid(*id), i64::from(*attempt), permit_to_code(*state)];
        queries.push(Query::new(
            "UPDATE permits SET state = new.state
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS new (call_id, attempt, state)
             WHERE permits.call_id = new.call_id AND permits.attempt = new.attempt",
            columns,
        ));
    }
    let granted = |(permit, change): (&(CallId, u32), &'_ PermitChange)| {
        let (pair, grant) = change.granted.clone()?;
        Some((pair, *permit, grant))
    };
    let mut granted: Vec<(Pair, (CallId, u32), Grant)> = draft.permits.iter().filter_map(granted).collect();
    if granted.is_empty() {
        return;
    }
    granted.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    // A second attempt may have a row: that of a permit which was given back.
    let again: Vec<(Uuid, i64)> = granted
        .iter()
        .map(|(_, (id, attempt), _)| (uuid(*id), i64::from(*attempt)))
        .collect();
    let columns = columns![again, (id, attempt) => *id, *attempt];
    queries.push(Query::new(
        "DELETE FROM permits USING unnest($1::uuid[], $2::bigint[]) AS again (call_id, attempt)
         WHERE permits.call_id = again.call_id AND permits.attempt = again.attempt AND state = 1",
        columns,
    ));
    let columns = columns![granted, (pair, (id, attempt), grant) =>
        uuid(*id),
        i64::from(*attempt),
        pair.account.clone(),
        pair.from.reveal().to_owned(),
        pair.to.reveal().to_owned(),
        permit_to_code(grant.state),
        grant.granted_at.millis(),
    ];
    queries.push(Query::new(
        "INSERT INTO permits (call_id, attempt, account, from_number, to_number, state, granted_at)
         SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                              $7::bigint[])",
        columns,
    ));
}

fn orphans(queries: &mut Vec<Query>, draft: &Draft) {
    let done: Vec<i64> = draft.done.iter().copied().collect();
    let is_new = |n: &i64| draft.received.contains_key(n);
    let read: Vec<i64> = done.iter().copied().filter(|n| !is_new(n)).collect();
    if !read.is_empty() {
        queries.push(Query::new("DELETE FROM orphans WHERE n = ANY($1)", values![read]));
    }
    let kept: Vec<_> = draft
        .orphans
        .iter()
        .filter(|(n, _)| !draft.done.contains(n))
        .collect();
    if kept.is_empty() {
        return;
    }
    let columns = columns![kept, (n, stray) =>
        stray.sid.as_str().to_owned(),
        stray.named.map(|(id, _)| uuid(id)),
        stray.named.map_or(0, |(_, attempt)| i64::from(attempt)),
        draft.received.get(n).map_or(0, |at| at.millis()),
        write_fact(&stray.fact),
    ];
    queries.push(Query::new(
        "INSERT INTO orphans (sid, named_id, named_attempt, received_at, body)
         SELECT sid, named_id, named_attempt, received_at, body
         FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[]) WITH ORDINALITY
              AS new (sid, named_id, named_attempt, received_at, body, place)
         ORDER BY place",
        columns,
    ));
    queries.push(Query::new(
        "DELETE FROM orphans WHERE n <= (SELECT max(n) FROM orphans) - $1",
        values![ORPHANS],
    ));
}

/// The rows that many calls share come last, so that they are held for as short as can be.
fn counters(queries: &mut Vec<Query>, draft: &Draft) {
    let totals = draft.totals.iter().filter(|(_, by)| **by != 0);
    let totals: BTreeMap<_, _> = totals.collect();
    if !totals.is_empty() {
        let rows: Vec<_> = totals.into_iter().collect();
        let columns = columns![rows, ((user, status), by) => user.to_string(), *status, **by];
        queries.push(Query::new(
            "INSERT INTO totals (user_id, status, slot, n)
             SELECT user_id, status, pg_backend_pid() % 32, n
             FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS new (user_id, status, n)
             ON CONFLICT (user_id, status, slot) DO UPDATE SET n = totals.n + excluded.n",
            columns,
        ));
    }
    if draft.live != 0 || draft.pace_clear_at.is_some() {
        queries.push(Query::new(
            "UPDATE live SET n = n + $1, pace_clear_at = greatest(pace_clear_at, $2)
             WHERE slot = pg_backend_pid() % 32",
            values![draft.live, draft.pace_clear_at.map(Timestamp::millis)],
        ));
    }
}
