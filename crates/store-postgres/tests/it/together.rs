//! What only a server can show: that a standby has a permit, where that is demanded, and that a process has ended.
//! Everything else that several processes agree on is a promise of every store that they may share.

use std::time::Duration;

use domain::CallId;
use store::{Accepted, Store, StoreError};
use store_contract::rate::given::{NOW, at, new_call};
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;

use crate::trouble::admin;

/// Longer than a server needs to notice that a connection was closed.
const SOON: Duration = Duration::from_secs(20);

async fn open(database: &Database, durability: Durability) -> PostgresStore {
    let store = PostgresStore::open(&database.url(), Purpose::Dial(durability)).await;
    store.expect("opened")
}

async fn leads(process: &PostgresStore) -> bool {
    let standing = process.together().expect("it dials").check_in(NOW).await;
    standing.expect("answered").leads
}

async fn due(process: &PostgresStore) -> Vec<CallId> {
    let due = process.due(NOW, 1_000).await.expect("read");
    due.into_iter().map(|due| due.id).collect()
}

#[tokio::test]
async fn a_permit_that_no_standby_has_is_not_proven_where_that_is_required() {
    let database = Database::fresh();
    let local = open(&database, Durability::Local).await;
    let proven = local.together().expect("it dials").proven().await;
    proven.expect("nobody requires it");
    let store = open(&database, Durability::Required).await;
    let proven = store.together().expect("it dials").proven().await;
    let error = proven.expect_err("there is no standby");
    assert!(matches!(error, StoreError::Broken(..)));
    assert!(error.to_string().contains("synchronous_standby_names"), "{error}");
}

#[tokio::test]
async fn what_a_process_that_ended_was_told_of_others_are_told_at_once() {
    let database = Database::fresh();
    let first = open(&database, Durability::Local).await;
    let (second, third) = (
        open(&database, Durability::Local).await,
        open(&database, Durability::Local).await,
    );
    let new = new_call(1, None).expect("a call");
    let accepted = first.accept(new, at()).await.expect("accepted");
    let Accepted::New(call) = accepted else {
        panic!("not new: {accepted:?}")
    };
    assert!(leads(&first).await);
    assert!(!leads(&second).await);
    assert_eq!(due(&first).await, [call.id]);
    // Whoever is well keeps what it has, however often the others look.
    assert!(!leads(&third).await);
    assert_eq!(due(&third).await, []);

    let admin = admin(&database.url()).await;
    let lowest =
        "SELECT min(objid::bigint)::integer FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let lowest: i32 = admin.query_one(lowest, &[]).await.expect("read").get(0);
    // As its death does: without a word.
    drop(first);
    let gone = format!("SELECT pg_advisory_lock(x'726e6f64'::integer, {lowest}), pg_advisory_unlock_all()");
    let gone = tokio::time::timeout(SOON, admin.query_one(&gone, &[])).await;
    gone.expect("the server notices").expect("answered");

    assert!(leads(&second).await, "the leader's place is free");
    assert_eq!(due(&second).await, [call.id]);
    assert!(!leads(&third).await);
    assert_eq!(due(&third).await, []);
}
