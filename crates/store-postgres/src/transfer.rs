//! This store as one side of a copy: everything in a database, read or written in the form that all
//! stores share.
//!
//! All of it is one transaction that lets nobody else write: what is read is so of one moment, and of
//! what is written there is everything or nothing. Called by the command.

use std::time::Duration;

use async_trait::async_trait;
use store::StoreError;
use store::transfer::{Kind, ROWS, Row, Seal, Side, Value, refusal};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::connect::{self, Conn, Pool, Query};
use crate::error::Fault;
use crate::load::BEGIN;
use crate::migrate;

/// Beside it nobody writes, and whoever starts waits; other transactions may still read.
const LOCK: &str = "LOCK TABLE redial_migrations, calls, events, sids, permits, keys, orphans, dialling, live, \
                    totals IN EXCLUSIVE MODE";

/// The other side may take its time.
const PATIENCE: &str = "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0";

/// Everything but the rows that are always there, which are overwritten.
const CLEAR: &str = "TRUNCATE calls, events, sids, permits, keys, orphans, totals";

/// Whether anything is in it.
const IS_EMPTY: &str = "SELECT NOT EXISTS (SELECT FROM calls) AND NOT EXISTS (SELECT FROM keys)
                               AND NOT EXISTS (SELECT FROM orphans) AND NOT EXISTS (SELECT FROM permits)";

/// Other connections of ours to the same database, as far as this role may see them.
const OTHERS: &str = "SELECT application_name, coalesce(host(client_addr), 'the server''s own machine')
                      FROM pg_stat_activity
                      WHERE datname = current_database() AND application_name LIKE 'redial%'
                            AND pid <> pg_backend_pid()
                      LIMIT 1";

/// How often others are looked for, and how long between: the server needs a moment to end the
/// connections of a process that has just ended.
const LOOKS: u32 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A database, and nobody else who writes to it.
pub struct PostgresSide {
    // Dropped without a word, the transaction is taken back.
    conn: Conn,
    seal: Option<Seal>,
}

impl PostgresSide {
    /// Opens the database at `url` to copy it.
    ///
    /// # Errors
    /// `Held`: another process uses it, and is named. `Broken`, in words for an operator: as
    /// [`crate::PostgresStore::open`], and a database without a schema, or with an older one.
    pub async fn source(url: &str) -> Result<PostgresSide, StoreError> {
        let mut conn = connect_to(url).await?;
        let seal = seal_of(&mut conn).await?;
        if seal.is_none() && !migrate::is_current(&mut conn).await.map_err(Fault::into_store)? {
            let words =
                "there are no calls in the database, or they are an older version's: start the server once";
            return Err(StoreError::broken(words));
        }
        begin(&mut conn).await?;
        Ok(PostgresSide { conn, seal })
    }

    /// Opens the database at `url` to copy into it, and makes its tables.
    ///
    /// # Errors
    /// As [`PostgresSide::source`].
    pub async fn target(url: &str) -> Result<PostgresSide, StoreError> {
        let mut conn = connect_to(url).await?;
        let seal = seal_of(&mut conn).await?;
        if seal.is_none() {
            migrate::run(&mut conn).await.map_err(Fault::into_store)?;
        }
        begin(&mut conn).await?;
        Ok(PostgresSide { conn, seal })
    }

    async fn end(&mut self, seal: Option<&Seal>) -> Result<(), Fault> {
        migrate::seal(&mut self.conn, seal).await?;
        self.conn.script("COMMIT").await?;
        // As before, for what comes next.
        self.conn.script(BEGIN).await
    }
}

async fn connect_to(url: &str) -> Result<Conn, StoreError> {
    let mut config = connect::config(url)?;
    config.application_name("redial copy");
    let pool = Pool::new(config, 1)?;
    pool.get().await.map_err(Fault::into_store)
}

async fn seal_of(conn: &mut Conn) -> Result<Option<Seal>, StoreError> {
    match migrate::sealed(conn).await.map_err(Fault::into_store)? {
        Some(note) => Seal::read(&note).map(Some).ok_or_else(|| refusal(&note)),
        None => Ok(None),
    }
}

/// Begins the transaction, once nobody else is there.
async fn begin(conn: &mut Conn) -> Result<(), StoreError> {
    // Before, for the words; and after, because somebody may have come meanwhile.
    let mut looks = 1;
    while let Err(refusal) = refuse_others(conn).await {
        if looks == LOOKS {
            return Err(refusal);
        }
        tokio::time::sleep(LOOK_EVERY).await;
        looks += 1;
    }
    let begun = async {
        conn.script(BEGIN).await?;
        conn.script(PATIENCE).await?;
        conn.script(LOCK).await
    };
    begun.await.map_err(Fault::into_store)?;
    refuse_others(conn).await
}

async fn refuse_others(conn: &mut Conn) -> Result<(), StoreError> {
    let others = conn
        .all(Query::new(OTHERS, []))
        .await
        .map_err(Fault::into_store)?;
    let Some(other) = others.first() else {
        return Ok(());
    };
    let (name, address): (&str, &str) = (other.get(0), other.get(1));
    Err(StoreError::Held(format!(
        "{name} at {address} uses the database; stop it first (a pooler keeps its connections for a while: \
         give the server's own address)"
    )))
}

#[async_trait]
impl Side for PostgresSide {
    fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    async fn empty(&mut self) -> Result<(), StoreError> {
        if self.seal.is_some() {
            self.conn.script(CLEAR).await.map_err(Fault::into_store)?;
        }
        let row = self.conn.one(Query::new(IS_EMPTY, [])).await;
        if row.map_err(Fault::into_store)?.get(0) {
            return Ok(());
        }
        Err(StoreError::broken(
            "there are calls in the database already: name one without any",
        ))
    }

    async fn read(&mut self, kind: Kind, after: Option<&Row>) -> Result<Vec<Row>, StoreError> {
        let table = Table::of(kind);
        let rows = self.conn.all(table.select(kind, after)).await;
        let rows = rows.map_err(Fault::into_store)?;
        let rows = rows
            .iter()
            .map(|row| (0..table.types.len()).map(|column| value(row, column)).collect());
        rows.collect::<Result<_, Fault>>().map_err(Fault::into_store)
    }

    async fn write(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), StoreError> {
        let queries = Table::of(kind).insert(kind, &rows)?;
        self.conn.run(queries).await.map(drop).map_err(Fault::into_store)
    }

    async fn keep(&mut self, seal: Option<Seal>) -> Result<(), StoreError> {
        self.end(seal.as_ref()).await.map_err(Fault::into_store)?;
        self.seal = seal;
        Ok(())
    }
}

/// Where the rows of a kind are, and of which types.
struct Table {
    /// What they are read from; its columns are named as the kind's.
    read: &'static str,
    /// What they are written into.
    write: &'static str,
    types: &'static [Type],
}

impl Table {
    fn of(kind: Kind) -> Table {
        use Type as T;
        let same = |name, types| Table {
            read: name,
            write: name,
            types,
        };
        match kind {
            Kind::Calls => same(
                "calls",
                &[
                    T::UUID,
                    T::TEXT,
                    T::TEXT,
                    T::TEXT,
                    T::INT8,
                    T::INT8,
                    T::BOOL,
                    T::INT8,
                    T::INT8,
                    T::BOOL,
                    T::INT8,
                    T::INT8,
                    T::INT8,
                    T::TEXT,
                ],
            ),
            Kind::Events => same("events", &[T::UUID, T::INT8, T::INT8, T::TEXT]),
            Kind::Legs => same("sids", &[T::TEXT, T::UUID, T::INT8]),
            Kind::Permits => same(
                "permits",
                &[T::UUID, T::INT8, T::TEXT, T::TEXT, T::TEXT, T::INT8, T::INT8],
            ),
            Kind::Keys => same("keys", &[T::TEXT, T::BYTEA, T::UUID, T::INT8]),
            Kind::Orphans => same("orphans", &[T::INT8, T::TEXT, T::UUID, T::INT8, T::INT8, T::TEXT]),
            Kind::Totals => Table {
                read: "(SELECT user_id, status, sum(n)::bigint AS n FROM totals
                        GROUP BY user_id, status HAVING sum(n) <> 0) AS totals",
                write: "totals",
                types: &[T::TEXT, T::INT8, T::INT8],
            },
            Kind::Dialling => Table {
                read: "(SELECT paused_at, hold_since, hold_probe_at, hold_message, restored,
                               (SELECT sum(n)::bigint FROM live) AS live,
                               greatest((SELECT max(pace_clear_at) FROM live),
                                        (SELECT (clear_us + 999) / 1000 FROM pace WHERE clear_us > 0))
                               AS pace_clear_at
                        FROM dialling) AS dialling",
                write: "dialling",
                types: &[T::INT8, T::INT8, T::INT8, T::TEXT, T::INT8, T::INT8, T::INT8],
            },
        }
    }

    fn select(&self, kind: Kind, after: Option<&Row>) -> Query {
        let columns = kind.columns().join(", ");
        let key = &kind.columns()[..kind.key()];
        let (mut sql, mut values) = (format!("SELECT {columns} FROM {}", self.read), Vec::new());
        if let Some(after) = after {
            let places: Vec<_> = (1..=key.len()).map(|place| format!("${place}")).collect();
            match key.is_empty() {
                true => sql.push_str(" WHERE false"),
                false => sql.push_str(&format!(" WHERE ({}) > ({})", key.join(", "), places.join(", "))),
            }
            values.extend(after[..key.len()].iter().map(boxed));
        }
        if !key.is_empty() {
            sql.push_str(&format!(" ORDER BY {} LIMIT {ROWS}", key.join(", ")));
        }
        Query::new(sql, values)
    }

    /// What writes rows: one array to each column.
    fn insert(&self, kind: Kind, rows: &[Row]) -> Result<Vec<Query>, StoreError> {
        let mut arrays = Vec::new();
        let mut casts = Vec::new();
        for (column, ty) in self.types.iter().enumerate() {
            let values = rows.iter().map(|row| &row[column]);
            arrays.push(array(ty, values).ok_or_else(|| unreadable(kind))?);
            casts.push(format!("${}::{}[]", column + 1, ty.name()));
        }
        let (columns, casts) = (kind.columns().join(", "), casts.join(", "));
        let into = format!("INSERT INTO {}", self.write);
        Ok(match kind {
            Kind::Totals => {
                let sql = format!("{into} ({columns}, slot) SELECT *, 0 FROM unnest({casts})");
                vec![Query::new(sql, arrays)]
            }
            Kind::Orphans => {
                let sql = format!("{into} ({columns}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({casts})");
                // The next one comes after these.
                let next =
                    "SELECT setval(pg_get_serial_sequence('orphans', 'n'), (SELECT max(n) FROM orphans))";
                vec![Query::new(sql, arrays), Query::new(next, [])]
            }
            Kind::Dialling => dialling(rows),
            _ => {
                let sql = format!("{into} ({columns}) SELECT * FROM unnest({casts})");
                vec![Query::new(sql, arrays)]
            }
        })
    }
}

/// The rows that are there already, changed.
fn dialling(rows: &[Row]) -> Vec<Query> {
    let own = "UPDATE dialling SET paused_at = $1, hold_since = $2, hold_probe_at = $3, hold_message = $4,
                                   restored = $5";
    let shared = "UPDATE live SET n = CASE slot WHEN 0 THEN $1::bigint ELSE 0 END, pace_clear_at = $2";
    let pace = "UPDATE pace SET clear_us = coalesce($1::bigint, 0) * 1000, as_of_us = 0";
    let queries = rows.iter().flat_map(|row| {
        let (of_its_own, of_all) = row.split_at(5);
        let moments = of_its_own.iter().enumerate().map(|(column, value)| match column {
            3 => optional_text(value),
            _ => optional_number(value),
        });
        let all: Vec<_> = of_all.iter().map(optional_number).collect();
        let clear_at: Vec<_> = of_all.iter().skip(1).map(optional_number).collect();
        [
            Query::new(own, moments.collect::<Vec<_>>()),
            Query::new(shared, all),
            Query::new(pace, clear_at),
        ]
    });
    queries.collect()
}

fn unreadable(kind: Kind) -> StoreError {
    StoreError::broken(format!("a row of {} is none", kind.name()))
}

type Boxed = Box<dyn ToSql + Sync + Send>;

fn optional_number(value: &Value) -> Boxed {
    match value {
        Value::Number(number) => Box::new(Some(*number)),
        _ => Box::new(None::<i64>),
    }
}

fn optional_text(value: &Value) -> Boxed {
    match value {
        Value::Text(text) => Box::new(Some(text.clone())),
        _ => Box::new(None::<String>),
    }
}

/// A part of a key: the bytes of one are a call's name.
fn boxed(value: &Value) -> Boxed {
    match value {
        Value::Nothing => Box::new(None::<i64>),
        Value::Number(number) => Box::new(*number),
        Value::Text(text) => Box::new(text.clone()),
        Value::Bytes(bytes) => Box::new(Uuid::from_slice(bytes).unwrap_or_default()),
    }
}

/// The values of a column; `None` where one is of another type.
fn array<'a>(ty: &Type, values: impl Iterator<Item = &'a Value>) -> Option<Boxed> {
    fn all<'a, T>(
        values: impl Iterator<Item = &'a Value>,
        one: impl Fn(&Value) -> Option<T>,
    ) -> Option<Vec<Option<T>>> {
        let each = values.map(|value| match value {
            Value::Nothing => Some(None),
            other => one(other).map(Some),
        });
        each.collect()
    }
    let number = |value: &Value| match value {
        Value::Number(number) => Some(*number),
        _ => None,
    };
    Some(match *ty {
        Type::INT8 => Box::new(all(values, number)?),
        Type::BOOL => Box::new(all(values, |value| Some(number(value)? != 0))?),
        Type::TEXT => Box::new(all(values, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })?),
        Type::UUID => Box::new(all(values, |value| match value {
            Value::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
            _ => None,
        })?),
        _ => Box::new(all(values, |value| match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        })?),
    })
}

fn value(row: &tokio_postgres::Row, column: usize) -> Result<Value, Fault> {
    let found = match *row.columns()[column].type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(column)?.map(Value::Number),
        Type::BOOL => {
            let is = row.try_get::<_, Option<bool>>(column)?;
            is.map(|is| Value::Number(is.into()))
        }
        Type::UUID => {
            let id = row.try_get::<_, Option<Uuid>>(column)?;
            id.map(|id| Value::Bytes(id.as_bytes().to_vec()))
        }
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Value::Bytes),
        _ => row.try_get::<_, Option<String>>(column)?.map(Value::Text),
    };
    Ok(found.unwrap_or(Value::Nothing))
}
