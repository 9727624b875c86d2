//! The promises that every store keeps, on a real server.

use std::sync::Arc;

use async_trait::async_trait;
use store::Store;
use store_contract::Factory;
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;

/// One database of a server.
struct One(Database);

#[async_trait]
impl Factory for One {
    async fn open(&self) -> Arc<dyn Store> {
        let store = PostgresStore::open(&self.0.url(), Purpose::Dial(Durability::Local)).await;
        Arc::new(store.expect("the database can be opened"))
    }
}

store_contract::tests!(One(Database::fresh()));
