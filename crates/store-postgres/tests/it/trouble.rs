//! Connections that are lost and servers that refuse: what was answered stays true, and what can go
//! on does.

use std::sync::Arc;

use domain::CallId;
use store::{Accepted, Store, StoreError, Terms};
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;
use tokio_postgres::{Client, NoTls};

use store_contract::rate::given::{at, new_call, terms};

/// A connection of the tests' own.
pub(crate) async fn admin(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

async fn accept(store: &PostgresStore, number: u32) -> Result<CallId, StoreError> {
    let new = new_call(number, None).expect("a call");
    match store.accept(new, at()).await? {
        Accepted::New(call) => Ok(call.id),
        other => panic!("not new: {other:?}"),
    }
}

async fn end_connections(admin: &Client) {
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.execute(end, &[]).await.expect("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_replaced_and_nothing_answered_is_lost() {
    let database = Database::fresh();
    let store = PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local))
        .await
        .expect("opened");
    let admin = admin(&database.url()).await;
    for round in 0..5 {
        let id = accept(&store, round).await.expect("accepted");
        end_connections(&admin).await;
        let call = read_soon(&store, id).await;
        assert!(call, "round {round}");
    }
}

/// Whether a call can be read: a connection that the server has just closed may be met first.
async fn read_soon(store: &PostgresStore, id: CallId) -> bool {
    for _ in 0..10 {
        if let Ok(call) = store.call(id).await {
            return call.is_some();
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_under_a_storm_of_lost_connections_is_stored_once() {
    let database = Database::fresh();
    let store = Arc::new(
        PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local))
            .await
            .expect("opened"),
    );
    let admin = admin(&database.url()).await;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { accept(&store, number).await })
        })
        .collect();
    end_connections(&admin).await;
    let mut stored = 0;
    for task in tasks {
        // Refused, or lost while it was stored, is an answer too.
        if let Ok(id) = task.await.expect("no panic") {
            stored += 1;
            assert!(read_soon(&store, id).await, "{id} was answered and is not there");
        }
    }
    let row = admin
        .query_one("SELECT count(*) FROM calls", &[])
        .await
        .expect("counted");
    assert!(row.get::<_, i64>(0) >= stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_become_a_standby_is_told_of() {
    let database = Database::fresh();
    let store = PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local))
        .await
        .expect("opened");
    accept(&store, 1).await.expect("accepted");
    let admin = admin(&database.url()).await;
    let name = database.url().rsplit('/').next().expect("a name").to_owned();
    let stand_by = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    admin.batch_execute(&stand_by).await.expect("set");
    end_connections(&admin).await;
    let refused = accept(&store, 2).await.expect_err("nothing can be written");
    assert!(matches!(refused, StoreError::Broken(..)), "{refused:?}");
    let back = format!("ALTER DATABASE {name} SET default_transaction_read_only = off");
    admin
        .batch_execute(&format!("SET default_transaction_read_only = off; {back}"))
        .await
        .expect("set");
    accept(&store, 2).await.expect("accepted");
    assert_eq!(store.health(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_will_not_take_fails_alone() {
    let database = Database::fresh();
    let store = PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local)).await;
    let store = Arc::new(store.expect("opened"));
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let store = Arc::clone(&store);
            // A text with a zero in it has no place in the database.
            let account = if number % 25 == 7 { "AC\0" } else { "AC1" };
            let terms = Terms {
                account: account.to_owned(),
                ..terms()
            };
            let new = new_call(number, Some(terms)).expect("a call");
            tokio::spawn(async move { (number, store.accept(new, at()).await.is_ok()) })
        })
        .collect();
    for task in tasks {
        let (number, taken) = task.await.expect("no panic");
        assert_eq!(taken, number % 25 != 7, "{number}");
    }
    let live = store.dialling().await.expect("read").live;
    assert_eq!(live, 96);
}
