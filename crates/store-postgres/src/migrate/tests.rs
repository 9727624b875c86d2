//! Forward only, all or nothing, and by one node at a time.

use testkit::Database;

use super::*;
use crate::connect::{Pool, config};

const ONE: Migration = Migration {
    version: 1,
    name: "one",
    sql: "CREATE TABLE a (x bigint)",
};
const TWO: Migration = Migration {
    version: 2,
    name: "two",
    sql: "CREATE TABLE b (x bigint)",
};

struct Place {
    pool: Pool,
    _database: Database,
}

impl Place {
    fn new() -> Place {
        let database = Database::fresh();
        Place {
            pool: Pool::new(config(&database.url()).expect("read"), 8).expect("a pool"),
            _database: database,
        }
    }

    async fn run(&self, known: &[Migration]) -> Result<(), Fault> {
        run_all(&mut self.pool.get().await?, known).await
    }

    async fn standing(&self, known: &[Migration]) -> usize {
        let mut conn = self.pool.get().await.expect("connected");
        standing(&mut conn, known).await.expect("ours")
    }
}

#[tokio::test]
async fn an_older_database_gets_what_is_missing() {
    let place = Place::new();
    assert_eq!(place.standing(&[ONE, TWO]).await, 0);
    place.run(&[ONE]).await.expect("applied");
    assert_eq!(place.standing(&[ONE, TWO]).await, 1);
    place.run(&[ONE, TWO]).await.expect("applied");
    assert_eq!(place.standing(&[ONE, TWO]).await, 2);
}

#[tokio::test]
async fn of_nodes_that_start_at_once_one_applies_and_the_others_wait() {
    let place = Place::new();
    let known = [ONE, TWO];
    let nodes = (0..8).map(|_| place.run(&known));
    for done in futures_util::future::join_all(nodes).await {
        done.expect("applied by somebody");
    }
    assert_eq!(place.standing(&[ONE, TWO]).await, 2);
}

#[tokio::test]
async fn a_script_that_fails_leaves_nothing_of_those_before_it() {
    let place = Place::new();
    let wrong = Migration {
        version: 2,
        name: "wrong",
        sql: "CREATE TABLE a (x bigint)",
    };
    place
        .run(&[ONE, wrong])
        .await
        .expect_err("the table is there already");
    assert_eq!(place.standing(&[ONE]).await, 0);
    place.run(&[ONE]).await.expect("as if nothing had been tried");
}
