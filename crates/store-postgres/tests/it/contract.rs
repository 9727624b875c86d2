//! The promises that every store keeps, on a real server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::Store;
use store_contract::Factory;
use store_postgres::{PostgresStore, Purpose};
use testkit::Database;

/// One database of a server.
struct One(Database);

#[async_trait]
impl Factory for One {
    async fn open(&self) -> Arc<dyn Store> {
        // The wait is for the store before, whose connections the server ends in its own time.
        let wait = Duration::from_secs(10);
        let store = PostgresStore::open(&self.0.url(), Purpose::Dial { wait }).await;
        Arc::new(store.expect("the database can be opened"))
    }
}

store_contract::tests!(One(Database::fresh()));
