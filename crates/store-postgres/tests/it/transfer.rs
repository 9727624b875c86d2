//! A database as the target of a copy that is cut, as a source that was moved, and as one that somebody wants to start on
//! meanwhile.

use store::transfer::{Kind, Outcome, Seal, Side, transfer};
use store::{Store, StoreError};
use store_postgres::{Durability, PostgresSide, PostgresStore, Purpose};
use testkit::Database;

use store_contract::rate::given::{NOW, at, new_call, terms};

/// A database with calls that are being dialled, and some that wait.
async fn filled() -> Database {
    let database = Database::fresh();
    let store = PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local)).await;
    let store = store.expect("opened");
    for number in 0..20 {
        let permit = (number % 2 == 0).then(terms);
        let new = new_call(number, permit).expect("a call");
        store.accept(new, at()).await.expect("accepted");
    }
    database
}

async fn copy(from: &Database, to: &Database) -> Result<Outcome, StoreError> {
    let mut source = PostgresSide::source(&from.url()).await?;
    let mut target = PostgresSide::target(&to.url()).await?;
    transfer(&mut source, &mut target, &mut |_, _| {}).await
}

async fn refusal(database: &Database) -> StoreError {
    let opened = PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local)).await;
    opened.err().expect("refused")
}

async fn waiting(database: &Database) -> u64 {
    let store = PostgresStore::open(&database.url(), Purpose::Dial(Durability::Local)).await;
    store.expect("opened").depths(NOW).await.expect("read").waiting
}

#[tokio::test]
async fn everything_arrives_and_the_source_is_closed() {
    let (from, to) = (filled().await, Database::fresh());
    let copied = copy(&from, &to).await.expect("copied");
    let Outcome::Copied(sums) = copied else {
        panic!("{copied:?}");
    };
    assert_eq!((sums[0].kind, sums[0].rows), (Kind::Calls, 20));
    let words = refusal(&from).await.to_string();
    assert!(words.contains("was moved to another database"), "{words}");
    let store = PostgresStore::open(&to.url(), Purpose::Dial(Durability::Local)).await;
    let store = store.expect("opened");
    assert_eq!(store.granted().await.expect("read").len(), 10);
    assert_eq!(store.dialling().await.expect("read").live, 10);
}

#[tokio::test]
async fn a_copy_that_is_cut_before_its_end_leaves_nothing() {
    let (from, to) = (filled().await, Database::fresh());
    let mut source = PostgresSide::source(&from.url()).await.expect("opened");
    let mut target = PostgresSide::target(&to.url()).await.expect("opened");
    target.empty().await.expect("empty");
    let rows = source.read(Kind::Calls, None).await.expect("read");
    target.write(Kind::Calls, rows).await.expect("written");
    drop((source, target));
    assert_eq!((waiting(&from).await, waiting(&to).await), (10, 0));
}

#[tokio::test]
async fn a_copy_that_is_cut_at_its_end_may_not_be_used_and_begins_anew() {
    let (from, to) = (filled().await, filled().await);
    let mut target = PostgresSide::target(&to.url()).await.expect("opened");
    let seal = Seal::Copied("x".to_owned());
    target.keep(Some(seal)).await.expect("kept");
    drop(target);
    let words = refusal(&to).await.to_string();
    assert!(words.contains("cut at its end"), "{words}");
    copy(&from, &to).await.expect("copied");
    assert_eq!(waiting(&to).await, 10);
}

#[tokio::test]
async fn whoever_starts_while_a_copy_is_made_is_sent_away() {
    let from = filled().await;
    let source = PostgresSide::source(&from.url()).await.expect("opened");
    let refused = refusal(&from).await;
    assert!(matches!(refused, StoreError::Held(_)), "{refused:?}");
    drop(source);
    assert_eq!(waiting(&from).await, 10);
}

#[tokio::test]
async fn a_database_that_is_in_use_is_not_copied() {
    let from = filled().await;
    let _store = PostgresStore::open(&from.url(), Purpose::Dial(Durability::Local)).await;
    let refused = PostgresSide::source(&from.url()).await.err().expect("refused");
    assert!(refused.to_string().contains("uses the database"), "{refused}");
}
