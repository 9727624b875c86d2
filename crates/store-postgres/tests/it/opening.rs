//! What is refused when a database is opened, in words for whoever set its address.

use store::{Store, StoreError};
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;

use crate::trouble::admin;
use store_contract::rate::given::{NOW, at, new_call, terms};

async fn refusal(url: &str) -> String {
    match PostgresStore::open(url, Purpose::Dial(Durability::Local)).await {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

async fn check(url: &str, words: &str) {
    let refusal = refusal(url).await;
    assert!(refusal.contains(words), "{refusal}");
    assert!(!refusal.contains("hush"), "{refusal}");
}

#[tokio::test]
async fn an_address_that_cannot_work_is_explained() {
    check("postgres://ann:hush@[", "it looks like postgres://").await;
    check("postgres://ann:hush@127.0.0.1:1/redial", "cannot be reached").await;
}

#[tokio::test]
async fn another_programs_database_is_left_alone() {
    let database = Database::fresh();
    let admin = admin(&database.url()).await;
    admin
        .batch_execute("CREATE TABLE theirs (x bigint)")
        .await
        .expect("made");
    check(&database.url(), "another program").await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_untouched() {
    let database = Database::fresh();
    drop(
        PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local))
            .await
            .expect("opened"),
    );
    let newer = "INSERT INTO redial_migrations SELECT 99, 'x', '\\x00', 0";
    admin(&database.url())
        .await
        .batch_execute(newer)
        .await
        .expect("noted");
    check(
        &database.url(),
        "schema 99, this program knows 1: a newer version wrote it",
    )
    .await;
}

#[tokio::test]
async fn an_edited_schema_is_noticed() {
    let database = Database::fresh();
    drop(
        PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local))
            .await
            .expect("opened"),
    );
    let edited = "UPDATE redial_migrations SET digest = '\\x00'";
    admin(&database.url())
        .await
        .batch_execute(edited)
        .await
        .expect("noted");
    check(&database.url(), "is not that of 0001_calls").await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_refused() {
    let database = Database::fresh();
    let url = format!("{}?options=-cdefault_transaction_read_only%3Don", database.url());
    check(&url, "cannot be reached").await;
}

#[tokio::test]
async fn whoever_looks_beside_those_that_dial_is_granted_no_permit() {
    let database = Database::fresh();
    let url = database.url();
    let dial = Purpose::Dial(Durability::Local);
    let _dials = PostgresStore::open(&url, dial).await.expect("opened");
    let beside = PostgresStore::open(&url, Purpose::Beside).await;
    let beside = beside.expect("opened beside");
    assert_eq!(beside.depths(NOW).await.expect("read").waiting, 0);
    assert!(beside.together().is_none());
    let new = new_call(1, Some(terms())).expect("a call");
    let refused = beside.accept(new, at()).await.expect_err("no permit");
    assert!(matches!(refused, StoreError::Broken(..)), "{refused:?}");
}
