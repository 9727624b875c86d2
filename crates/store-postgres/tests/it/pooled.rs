//! The same promises through a real PgBouncer in transaction mode, where nothing that belongs to a
//! connection lasts.

use std::sync::Arc;

use async_trait::async_trait;
use store::Store;
use store_contract::Factory;
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::{Database, Pooler};

use crate::trouble::admin;

/// One database, and a pooler before its server.
struct Behind {
    database: Database,
    pooler: Pooler,
}

impl Behind {
    fn fresh() -> Behind {
        let database = Database::fresh();
        let pooler = Pooler::before(&database.url());
        Behind { database, pooler }
    }

    fn url(&self) -> String {
        self.pooler.url(&self.database.url())
    }
}

#[async_trait]
impl Factory for Behind {
    async fn open(&self) -> Arc<dyn Store> {
        let url = format!("{}?pgbouncer=true", self.url());
        let store = PostgresStore::open(&url, Purpose::Dial(Durability::Local)).await;
        Arc::new(store.expect("the database can be opened"))
    }
}

store_contract::tests!(Behind::fresh());

#[tokio::test]
async fn a_pooler_that_the_address_says_nothing_of_is_refused() {
    let behind = Behind::fresh();
    let refused = PostgresStore::open(&behind.url(), Purpose::Dial(Durability::Local))
        .await
        .err();
    let words = refused.expect("refused").to_string();
    assert!(words.contains("add pgbouncer=true"), "{words}");
}

#[tokio::test]
async fn nothing_is_left_on_the_servers_connections() {
    let behind = Behind::fresh();
    let store = behind.open().await;
    assert_eq!(store.granted().await.expect("read"), []);
    let other = admin(&behind.url()).await;
    let answers = other.simple_query("SHOW statement_timeout").await.expect("shown");
    let shown = answers.iter().find_map(|answer| match answer {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    assert_eq!(shown, Some("0"), "a setting is left to whoever comes next");
}
