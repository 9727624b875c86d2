//! The promises that every store keeps, on a real server.

use std::sync::Arc;

use async_trait::async_trait;
use store::Store;
use store_contract::{Factory, Several};
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;

use crate::trouble::admin;

/// One database of a server.
struct One(Database);

#[async_trait]
impl Factory for One {
    async fn open(&self) -> Arc<dyn Store> {
        let store = PostgresStore::open(&self.0.url(), Purpose::Dial(Durability::Local)).await;
        Arc::new(store.expect("the database can be opened"))
    }
}

#[async_trait]
impl Several for One {
    /// As a standby that was promoted: what the log files are named after has changed.
    async fn take_over(&self) {
        let admin = admin(&self.0.url()).await;
        let promote = "UPDATE dialling SET timeline = '000000F0'";
        admin.execute(promote, &[]).await.expect("promoted");
    }
}

store_contract::tests!(One(Database::fresh()));
store_contract::tests_together!(One(Database::fresh()));
