//! Connections: where they come from, what is set on each, and how statements are sent over one.
//!
//! It knows no table. Used by everything that reads, and by the writer.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, Manager, ManagerConfig, Object, RecyclingMethod, Runtime};
use futures_util::future::join_all;
use store::StoreError;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, SimpleQueryMessage, Statement};

use crate::error::Fault;

mod address;
mod binding;
mod hosts;
mod pooled;
mod tls;

use address::CONNECT_WITHIN;
pub(crate) use address::{Config, config};
pub(crate) use pooled::{UNTOLD, refuse_untold};
pub(crate) use tls::words as tls_words;

/// How long an answer is waited for, above what the server itself allows a statement: beyond it the
/// network or the server's host is gone.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);

/// What holds for every connection, whatever the server's or the role's defaults are.
///
/// A COMMIT that was answered is on the disk. A statement, a wait for a lock and a transaction left
/// open have an end, so that one node in trouble does not stop the others. Every query finds its few
/// rows by an index; a server without statistics would rather read the whole of a table that is
/// still small and keep that plan while it grows, so that those plans are taken away from it.
const SETTINGS: [(&str, &str); 10] = [
    ("synchronous_commit", "on"),
    ("statement_timeout", "20s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("TimeZone", "UTC"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// A value on its way into a statement.
type Value = Box<dyn ToSql + Sync + Send>;

/// One statement with its values. Its text is one of few, so that each connection prepares it once.
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Query {
    pub(crate) fn new(sql: impl Into<String>, values: impl Into<Vec<Value>>) -> Query {
        Query {
            sql: sql.into(),
            values: values.into(),
        }
    }
}

/// Puts values into boxes, in the order of the statement's parameters.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$(Box::new($value) as Box<dyn tokio_postgres::types::ToSql + Sync + Send>),*]
    };
}
pub(crate) use values;

/// A few connections, opened when they are needed. Clones share them.
#[derive(Clone)]
pub(crate) struct Pool {
    connections: deadpool_postgres::Pool,
    is_pooled: bool,
}

impl Pool {
    /// # Errors
    /// None that can be mended: the pool's own settings do not fit together.
    pub(crate) fn new(config: Config, connections: usize) -> Result<Pool, StoreError> {
        let recycling_method = RecyclingMethod::Fast;
        let is_pooled = config.is_pooled();
        let manager =
            Manager::from_connect(config.driver.clone(), config, ManagerConfig { recycling_method });
        let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            Box::pin(async move {
                if is_pooled {
                    // They would be left to whoever has the server's connection next.
                    return Ok(());
                }
                let set = client.batch_execute(&settings()).await;
                set.map_err(deadpool_postgres::HookError::Backend)
            })
        });
        let connections = deadpool_postgres::Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_WITHIN))
            .create_timeout(Some(2 * CONNECT_WITHIN))
            .post_create(prepare)
            .build()
            .map_err(|error| StoreError::Broken("no connections".to_owned(), Some(Box::new(error))))?;
        Ok(Pool {
            connections,
            is_pooled,
        })
    }

    /// Takes a connection out of the pool for as long as it is used.
    pub(crate) async fn get(&self) -> Result<Conn, Fault> {
        Ok(Conn {
            own: self.connections.get().await?,
            is_pooled: self.is_pooled,
            is_open: false,
        })
    }

    /// Reads with one statement, which sees one state of the database.
    pub(crate) async fn all(&self, query: Query) -> Result<Vec<Row>, Fault> {
        let mut conn = self.get().await?;
        let answered = conn.all(query).await;
        if let Err(Fault::Silent) = answered {
            // Whoever took it next would wait as long.
            conn.discard();
        }
        answered
    }

    /// Reads with several statements, which see the same state of the database.
    pub(crate) async fn snapshot(&self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, Fault> {
        self.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", queries)
            .await
    }

    /// Runs statements in a transaction of their own: all of them, or none.
    pub(crate) async fn transaction(
        &self,
        begin: &str,
        mut queries: Vec<Query>,
    ) -> Result<Vec<Vec<Row>>, Fault> {
        let mut conn = self.get().await?;
        queries.insert(0, Query::new(begin, []));
        queries.push(Query::new("COMMIT", []));
        match conn.run(queries).await {
            Ok(mut answers) => {
                answers.pop();
                answers.remove(0);
                Ok(answers)
            }
            Err(fault) => {
                // Whatever state it was left in.
                conn.discard();
                Err(fault)
            }
        }
    }

    /// Reads one row at most.
    pub(crate) async fn at_most_one(&self, query: Query) -> Result<Option<Row>, Fault> {
        Ok(self.all(query).await?.pop())
    }

    /// Reads the one row that such a query always has.
    pub(crate) async fn one(&self, query: Query) -> Result<Row, Fault> {
        let row = self.all(query).await?.pop();
        row.ok_or_else(lost_row)
    }
}

fn lost_row() -> Fault {
    StoreError::broken("the database has lost a row that is always there").into()
}

/// One connection.
pub(crate) struct Conn {
    own: Object,
    is_pooled: bool,
    /// A transaction is under way; noted only where it decides what goes with a statement.
    is_open: bool,
}

/// The settings, for a connection that is one's own.
fn settings() -> String {
    SETTINGS
        .map(|(name, value)| format!("SET {name} = '{value}'"))
        .join("; ")
}

impl Conn {
    /// Runs statements one after the other, all sent at once: one round trip. When one fails, those
    /// after it have failed too if they stand in the same transaction, and its fault is returned.
    pub(crate) async fn run(&mut self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, Fault> {
        let (queries, wanted) = self.within(queries);
        let running = async {
            let statements = self.prepare(&queries).await?;
            let answers = self.send(&statements, &queries).await;
            Ok(answers.into_iter().collect::<Result<Vec<_>, _>>()?)
        };
        let answered = tokio::time::timeout(ANSWER_WITHIN, running).await;
        let mut answers = answered.unwrap_or(Err(Fault::Silent))?;
        Ok(answers.drain(wanted).collect())
    }

    /// Runs one statement.
    pub(crate) async fn all(&mut self, query: Query) -> Result<Vec<Row>, Fault> {
        Ok(self.run(vec![query]).await?.pop().unwrap_or_default())
    }

    /// Reads the one row that such a query always has.
    pub(crate) async fn one(&mut self, query: Query) -> Result<Row, Fault> {
        let row = self.all(query).await?.pop();
        row.ok_or_else(lost_row)
    }

    /// Runs the statements that end a transaction, and commits it.
    ///
    /// # Errors
    /// [`Fault::Unknown`] when the connection ended and the server had not said that one of the
    /// statements failed: then nobody knows whether the COMMIT was carried out.
    pub(crate) async fn commit(&mut self, mut queries: Vec<Query>) -> Result<(), Fault> {
        queries.push(Query::new("COMMIT", []));
        let unknown = |fault| Err(Fault::Unknown(Arc::new(fault)));
        let (queries, _) = self.within(queries);
        let prepared = tokio::time::timeout(ANSWER_WITHIN, self.prepare(&queries)).await;
        let statements = prepared.unwrap_or(Err(Fault::Silent))?;
        let sent = tokio::time::timeout(ANSWER_WITHIN, self.send(&statements, &queries));
        let Ok(mut answers) = sent.await else {
            return unknown(Fault::Silent);
        };
        let committed = answers.pop();
        for answer in answers {
            match answer {
                Ok(_) => {}
                // The server's own word, before it came to the COMMIT.
                Err(error) if error.code().is_some() => return Err(error.into()),
                Err(error) => return unknown(error.into()),
            }
        }
        match committed {
            Some(Err(error)) => unknown(error.into()),
            _ => Ok(()),
        }
    }

    /// Whether the connection is known to be lost.
    pub(crate) fn is_closed(&self) -> bool {
        self.own.is_closed()
    }

    /// What is sent for what is asked, and where the answers to it are.
    fn within(&mut self, queries: Vec<Query>) -> (Vec<Query>, std::ops::Range<usize>) {
        if self.is_pooled {
            return pooled::within(queries, &mut self.is_open);
        }
        let all = 0..queries.len();
        (queries, all)
    }

    /// The statements by their names on this connection; none where they have none.
    async fn prepare(&self, queries: &[Query]) -> Result<Vec<Option<Statement>>, Fault> {
        let mut statements = Vec::with_capacity(queries.len());
        for query in queries {
            statements.push(match self.is_pooled {
                true => None,
                false => Some(self.own.prepare_cached(&query.sql).await?),
            });
        }
        Ok(statements)
    }

    async fn send(
        &self,
        statements: &[Option<Statement>],
        queries: &[Query],
    ) -> Vec<Result<Vec<Row>, tokio_postgres::Error>> {
        let sent = statements.iter().zip(queries).map(async |(statement, query)| {
            let values = query.values.iter().map(|it| &**it as &(dyn ToSql + Sync));
            match statement {
                Some(statement) => self.own.query(statement, &values.collect::<Vec<_>>()).await,
                None => {
                    let values: Vec<_> = values.map(|value| (value, pooled::type_of(value))).collect();
                    self.own.query_typed(&query.sql, &values).await
                }
            }
        });
        join_all(sent).await
    }

    /// Runs a script of several statements without values.
    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), Fault> {
        let sql = match self.is_pooled {
            true => pooled::script(sql, &mut self.is_open),
            false => sql.to_owned(),
        };
        match tokio::time::timeout(ANSWER_WITHIN, self.own.batch_execute(&sql)).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Fault::Silent),
        }
    }

    /// The process at the server that this connection is.
    async fn backend(&self) -> Result<Option<String>, Fault> {
        let answers = self.own.simple_query("SELECT pg_backend_pid()").await?;
        Ok(answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        }))
    }

    /// Gives up the connection instead of giving it back: nobody else shall meet what is wrong with it.
    pub(crate) fn discard(self) {
        drop(Object::take(self.own));
    }
}

#[cfg(test)]
mod tests;
