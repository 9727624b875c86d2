//! Through a pooler that hands out another of the server's connections for each transaction
//! (PgBouncer with `pool_mode = transaction`): what then has to go with each transaction, because
//! nothing else lasts.
//!
//! The settings are set anew in each transaction, and every statement is in one. Statements are not
//! prepared: a name given on one of the server's connections is not known on the next, or is another
//! process's there. Told by the address and never guessed, because a pooler looks like the server
//! itself; only where it gives itself away is it refused. Called by `connect`.

use std::ops::Range;

use store::StoreError;
use tokio_postgres::types::{ToSql, Type};

use super::{Conn, Query, SETTINGS};
use crate::error::Fault;
use crate::load::BEGIN;

/// What is said where such a pooler is met and the address does not say so.
pub(crate) const UNTOLD: &str = "between here and the database is a pooler that hands out another connection \
                                 for each transaction: add pgbouncer=true to the database's address \
                                 (postgres://...?pgbouncer=true)";

/// Every type of value that goes into a statement of ours.
const TYPES: [Type; 11] = [
    Type::INT8,
    Type::TEXT,
    Type::UUID,
    Type::BOOL,
    Type::INT8_ARRAY,
    Type::TEXT_ARRAY,
    Type::UUID_ARRAY,
    Type::BOOL_ARRAY,
    Type::BYTEA,
    Type::BYTEA_ARRAY,
    Type::INT4,
];

/// The settings, for the transaction that this stands in.
pub(super) fn settings() -> String {
    let set: Vec<_> = SETTINGS
        .iter()
        .map(|(name, value)| format!("set_config('{name}', '{value}', true)"))
        .collect();
    format!("SELECT {}", set.join(", "))
}

/// Statements as they are sent, and which of the answers are those to what was asked. `is_open` says
/// whether a transaction is under way, before and after.
pub(super) fn within(mut queries: Vec<Query>, is_open: &mut bool) -> (Vec<Query>, Range<usize>) {
    let wanted = queries.len();
    let begins = queries.first().is_some_and(|first| begins(&first.sql));
    let alone = !begins && !*is_open;
    if alone {
        queries.insert(0, Query::new(BEGIN, []));
        queries.push(Query::new("COMMIT", []));
    }
    if alone || begins {
        queries.insert(1, Query::new(settings(), []));
    }
    *is_open = queries.last().is_some_and(|last| !ends(&last.sql));
    // The answer to the BEGIN says as much as the one to the settings: nothing.
    let first = if alone { 2 } else { usize::from(begins) };
    (queries, first..first + wanted)
}

/// A script as it is sent.
pub(super) fn script(sql: &str, is_open: &mut bool) -> String {
    if begins(sql) {
        *is_open = true;
        return format!("{sql}; {}", settings());
    }
    if ends(sql) {
        *is_open = false;
    }
    sql.to_owned()
}

fn begins(sql: &str) -> bool {
    sql.starts_with("BEGIN")
}

fn ends(sql: &str) -> bool {
    sql == "COMMIT" || sql == "ROLLBACK"
}

/// The type of a value, which a statement that is not prepared does not tell: the one that the value
/// can be written as.
///
/// # Panics
/// For a type that no statement of ours has.
pub(super) fn type_of(value: &(dyn ToSql + Sync)) -> Type {
    let fits = |ty: &&Type| value.to_sql_checked(ty, &mut Default::default()).is_ok();
    let found = TYPES.iter().find(fits);
    found
        .expect("each value of a statement is of a type in the list")
        .clone()
}

/// Refuses a pooler that the address says nothing of, where it gives itself away: two connections
/// that are open at once, and are one at the server.
pub(crate) async fn refuse_untold(one: &Conn, other: &Conn) -> Result<(), Fault> {
    if one.backend().await? == other.backend().await? {
        return Err(StoreError::broken(UNTOLD).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
