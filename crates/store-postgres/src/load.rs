//! Reads what the work of a transaction has reached for, and locks what it may change: all of it in
//! one round trip. Called by the writer, between two runs of the work.
//!
//! The order is the promise that two transactions seldom wait for each other in a circle: first
//! the rows of calls, by their ids; then the locks of [`Lock`]; then what is only read, which so is
//! as new as the locks. Whoever needs further rows later takes them only if nobody has them, and
//! otherwise begins anew with all that it has learnt.

use domain::{CallId, Sid, Timestamp};
use store::codec::read_fact;
use store::{StoreError, Stray};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::calls::{COLUMNS, id, stored, uuid};
use crate::claims::attempt;
use crate::connect::{Conn, Query, values};
use crate::epoch::{SYSTEM, TIMELINE};
use crate::error::Fault;
use crate::lock::Lock;
use crate::tx::{Gate, Pair, Read, Tx, Wanted};

/// What every transaction of the writer begins with.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Puts the rows of one statement where the work finds them.
type Take = fn(&mut Read, &Row) -> Result<(), Fault>;

/// Statements on their way, each with what is done with its rows.
struct Plan(Vec<(Query, Take)>);

impl Plan {
    fn add(&mut self, query: Query, take: Take) {
        self.0.push((query, take));
    }

    /// A statement whose answer says nothing.
    fn only(&mut self, sql: impl Into<String>) {
        self.add(Query::new(sql, []), |_, _| Ok(()));
    }
}

/// Reads what is wanted into `tx`; with `first`, begins the transaction.
pub(crate) async fn load(conn: &mut Conn, tx: &mut Tx, wanted: &Wanted, first: bool) -> Result<(), Fault> {
    let mut plan = Plan(Vec::new());
    if first {
        plan.only(BEGIN);
    }
    calls(&mut plan, wanted, first);
    locks(&mut plan, wanted);
    gate(&mut plan, wanted);
    names(&mut plan, wanted);
    orphans(&mut plan, wanted);
    note_absent(tx.read_mut(), wanted);
    let (queries, takes): (Vec<Query>, Vec<Take>) = plan.0.into_iter().unzip();
    let answers = conn.run(queries).await?;
    for (rows, take) in answers.iter().zip(takes) {
        for row in rows {
            take(tx.read_mut(), row)?;
        }
    }
    Ok(())
}

/// Everything that is looked up is absent until a row says otherwise.
fn note_absent(read: &mut Read, wanted: &Wanted) {
    read.calls.extend(wanted.calls.iter().map(|id| (*id, None)));
    read.owners
        .extend(wanted.owners.iter().map(|sid| (sid.clone(), None)));
    read.keys
        .extend(wanted.keys.iter().map(|key| (key.clone(), None)));
    read.pairs
        .extend(wanted.pairs.iter().map(|pair| (pair.clone(), None)));
    read.next_permits
        .extend(wanted.next_permits.iter().map(|permit| (*permit, None)));
    let by_sid = wanted.orphans_by_sid.iter();
    read.orphans_by_sid
        .extend(by_sid.map(|sid| (sid.clone(), Vec::new())));
    let by_name = wanted.orphans_by_name.iter();
    read.orphans_by_name.extend(by_name.map(|id| (*id, Vec::new())));
    read.alone_with_orphans |= wanted.alone_with_orphans;
}

fn uuids<'a>(ids: impl IntoIterator<Item = &'a CallId>) -> Vec<Uuid> {
    ids.into_iter().map(|id| uuid(*id)).collect()
}

fn texts<'a>(sids: impl IntoIterator<Item = &'a Sid>) -> Vec<String> {
    sids.into_iter().map(|sid| sid.as_str().to_owned()).collect()
}

fn calls(plan: &mut Plan, wanted: &Wanted, wait: bool) {
    if wanted.calls.is_empty() {
        return;
    }
    let wait = if wait { "" } else { " NOWAIT" };
    let sql = format!("SELECT {COLUMNS} FROM calls WHERE id = ANY($1) ORDER BY id FOR UPDATE{wait}");
    plan.add(Query::new(sql, values![uuids(&wanted.calls)]), |read, row| {
        let stored = stored(row)?;
        read.calls.insert(stored.call.id, Some(stored));
        Ok(())
    });
}

fn locks(plan: &mut Plan, wanted: &Wanted) {
    if wanted.gate {
        plan.only(Lock::Pause.shared());
    }
    if wanted.live {
        plan.only(Lock::Live.alone());
    }
    if wanted.alone_with_orphans {
        plan.only(Lock::Orphans.alone());
        // A call that another transaction was just making is there once the lock is ours.
        calls(plan, wanted, false);
    } else if !wanted.orphans_by_sid.is_empty() || !wanted.orphans_by_name.is_empty() {
        plan.only(Lock::Orphans.shared());
    }
}

fn gate(plan: &mut Plan, wanted: &Wanted) {
    if !wanted.gate {
        return;
    }
    let live = if wanted.live {
        "(SELECT sum(n)::bigint FROM live)"
    } else {
        "NULL::bigint"
    };
    let sql = format!(
        "SELECT paused_at IS NOT NULL OR restored <> 0 OR timeline IS DISTINCT FROM {TIMELINE}
                OR system IS DISTINCT FROM {SYSTEM}, {live}
         FROM dialling"
    );
    plan.add(Query::new(sql, []), |read, row| {
        read.gate = Some(Gate {
            is_shut: row.try_get(0)?,
            live: row.try_get(1)?,
        });
        Ok(())
    });
}

/// What is found by a name of its own: legs, keys, pairs and permits.
fn names(plan: &mut Plan, wanted: &Wanted) {
    if !wanted.keys.is_empty() {
        let keys: Vec<String> = wanted.keys.iter().cloned().collect();
        let sql = "SELECT key, body_hash, call_id FROM keys WHERE key = ANY($1)";
        plan.add(Query::new(sql, values![keys]), |read, row| {
            let body = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(1)?);
            let body =
                body.map_err(|_| StoreError::broken("the row of an idempotency key cannot be read"))?;
            read.keys.insert(row.try_get(0)?, Some((body, id(row, 2)?)));
            Ok(())
        });
    }
    if !wanted.owners.is_empty() {
        let sql = "SELECT sid, call_id, attempt FROM sids WHERE sid = ANY($1)";
        plan.add(Query::new(sql, values![texts(&wanted.owners)]), |read, row| {
            let owner = (id(row, 1)?, attempt(row.try_get(2)?)?);
            read.owners.insert(sid(row.try_get(0)?)?, Some(owner));
            Ok(())
        });
    }
    if !wanted.pairs.is_empty() {
        pairs(plan, wanted);
    }
    if !wanted.next_permits.is_empty() {
        next_permits(plan, wanted);
    }
}

fn pairs(plan: &mut Plan, wanted: &Wanted) {
    let column = |text: fn(&Pair) -> &str| -> Vec<String> {
        wanted.pairs.iter().map(|pair| text(pair).to_owned()).collect()
    };
    let columns = values![
        column(|pair| &pair.account),
        column(|pair| pair.from.reveal()),
        column(|pair| pair.to.reveal()),
    ];
    let sql = "SELECT account, from_number, to_number, call_id, attempt
               FROM permits JOIN unnest($1::text[], $2::text[], $3::text[]) AS pair (a, f, t)
                    ON account = a AND from_number = f AND to_number = t
               WHERE state IN (0, 4)";
    plan.add(Query::new(sql, columns), |read, row| {
        let phone = |column| {
            let phone = crate::calls::phone(row, column);
            phone.ok_or_else(|| StoreError::broken("the row of a permit cannot be read"))
        };
        let pair = Pair {
            account: row.try_get(0)?,
            from: phone(1)?,
            to: phone(2)?,
        };
        let holder = (id(row, 3)?, attempt(row.try_get(4)?)?);
        read.pairs.insert(pair, Some(holder));
        Ok(())
    });
}

fn next_permits(plan: &mut Plan, wanted: &Wanted) {
    let attempts: Vec<i64> = wanted.next_permits.iter().map(|(_, n)| i64::from(*n)).collect();
    let ids = uuids(wanted.next_permits.iter().map(|(id, _)| id));
    let sql = "SELECT own.call_id, own.attempt, min(later.granted_at)
               FROM unnest($1::uuid[], $2::bigint[]) AS wanted (call_id, attempt)
               JOIN permits AS own USING (call_id, attempt)
               JOIN calls ON calls.to_number = own.to_number AND calls.from_number = own.from_number
               JOIN permits AS later ON later.call_id = calls.id AND later.account = own.account
               WHERE later.state <> 1 AND later.granted_at > own.granted_at
               GROUP BY own.call_id, own.attempt";
    plan.add(Query::new(sql, values![ids, attempts]), |read, row| {
        let next = Timestamp::from_millis(row.try_get(2)?);
        let own = (id(row, 0)?, attempt(row.try_get(1)?)?);
        read.next_permits.insert(own, Some(next));
        Ok(())
    });
}

fn orphans(plan: &mut Plan, wanted: &Wanted) {
    let columns = "n, sid, named_id, named_attempt, body";
    if !wanted.orphans_by_sid.is_empty() {
        let sql = format!("SELECT {columns} FROM orphans WHERE sid = ANY($1)");
        let sids = texts(&wanted.orphans_by_sid);
        plan.add(Query::new(sql, values![sids]), |read, row| {
            let (n, stray) = orphan(row)?;
            let found = read.orphans_by_sid.entry(stray.sid.clone()).or_default();
            found.push((n, stray));
            Ok(())
        });
    }
    if !wanted.orphans_by_name.is_empty() {
        let sql = format!("SELECT {columns} FROM orphans WHERE named_id = ANY($1)");
        let ids = uuids(&wanted.orphans_by_name);
        plan.add(Query::new(sql, values![ids]), |read, row| {
            let (n, stray) = orphan(row)?;
            if let Some((id, _)) = stray.named {
                read.orphans_by_name.entry(id).or_default().push((n, stray));
            }
            Ok(())
        });
    }
}

fn orphan(row: &Row) -> Result<(i64, Stray), Fault> {
    let named = match row.try_get::<_, Option<Uuid>>(2)? {
        Some(id) => Some((CallId::from_bytes(*id.as_bytes()), attempt(row.try_get(3)?)?)),
        None => None,
    };
    let sid = sid(row.try_get(1)?)?;
    let fact = read_fact(row.try_get(4)?)?;
    Ok((row.try_get(0)?, Stray { sid, named, fact }))
}

fn sid(text: &str) -> Result<Sid, Fault> {
    let sid = Sid::new(text);
    Ok(sid.ok_or_else(|| StoreError::broken("the row of a leg cannot be read"))?)
}
