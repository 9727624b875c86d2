//! What goes, what stays, and that the counters and a server beside it stay right.

use std::time::Duration;

use domain::{AttemptStatus, CallId, Fact, Source, Timestamp, Word};
use store::{Accepted, At, Key, NewCall, Reported, Store, Stray};
use store_postgres::{Durability, PostgresStore, Purpose, prune};
use testkit::Database;

use crate::trouble::admin;
use store_contract::rate::given::{at, new_call, sid, terms};

/// A moment that is certainly more than a day past.
const LONG_AGO: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn then(now: Timestamp) -> At {
    At { now, ..at() }
}

fn report(number: u32, id: CallId, status: AttemptStatus) -> Stray {
    Stray {
        sid: sid(number).expect("a leg"),
        named: Some((id, 1)),
        fact: Fact::new(Word::Known(status), Source::Callback),
    }
}

/// A call that was dialled at `when`, and ended or goes on as it is told.
async fn call(store: &PostgresStore, number: u32, when: Timestamp, status: AttemptStatus) -> CallId {
    let key = Key {
        key: format!("key-{number:04}"),
        body: [1; 32],
    };
    let new = NewCall {
        key: Some(key),
        ..new_call(number, Some(terms())).expect("a call")
    };
    let id = match store.accept(new, then(when)).await.expect("accepted") {
        Accepted::New(call) => call.id,
        other => panic!("not new: {other:?}"),
    };
    let reported = store.report(report(number, id, status), then(when)).await;
    assert!(matches!(reported, Ok(Reported::Applied(_))), "{reported:?}");
    id
}

#[tokio::test]
async fn calls_that_ended_long_ago_go_with_everything_of_them() {
    let database = Database::fresh();
    let url = database.url();
    let store = PostgresStore::open(&url, Purpose::Dial(Durability::Local))
        .await
        .expect("opened");
    let now = store.clock().await.expect("told");
    let mut ended = Vec::new();
    for number in 1..=450 {
        ended.push(call(&store, number, LONG_AGO, AttemptStatus::Completed).await);
    }
    let waiting = call(&store, 501, LONG_AGO, AttemptStatus::Busy).await;
    let live = call(&store, 502, LONG_AGO, AttemptStatus::Ringing).await;
    let young = call(&store, 503, now - DAY / 2, AttemptStatus::Completed).await;

    let no_age = Duration::ZERO;
    let counted = prune(&url, no_age, true, &mut |_| ()).await.expect("counted");
    assert_eq!((counted.calls, counted.left), (450, 453));
    let mut told = Vec::new();
    let pruned = prune(&url, no_age, false, &mut |calls| told.push(calls)).await;
    let pruned = pruned.expect("pruned");
    assert_eq!((pruned.calls, pruned.left), (450, 3));
    assert!(pruned.bytes > 0 && pruned.before >= now);
    assert!(told.len() > 2 && told.is_sorted(), "{told:?}");

    let admin = admin(&url).await;
    for table in ["calls", "sids", "permits", "keys"] {
        let sql = format!("SELECT count(*) FROM {table}");
        let row = admin.query_one(&sql, &[]).await.expect("counted");
        assert_eq!(row.get::<_, i64>(0), 3, "{table}");
    }
    for id in [waiting, live, young] {
        assert!(store.call(id).await.expect("read").is_some());
    }
    assert_eq!(store.call(ended[0]).await.expect("read"), None);
    let late = store
        .report(report(1, ended[0], AttemptStatus::Completed), then(now))
        .await;
    assert_eq!(late.expect("stored"), Reported::Orphan);
    // Its key is free again.
    call(&store, 1, now, AttemptStatus::Ringing).await;
    // And the late word, which was kept, is its own.
    assert_eq!(store.dialling().await.expect("read").live, 1);
    let again = prune(&url, no_age, false, &mut |_| ()).await.expect("pruned");
    assert_eq!((again.calls, again.left), (0, 4));
}

#[tokio::test]
async fn a_database_without_tables_is_left_alone() {
    let database = Database::fresh();
    let refused = prune(&database.url(), DAY, false, &mut |_| ()).await;
    let words = refused.expect_err("refused").to_string();
    assert!(words.contains("start the server once"), "{words}");
}
