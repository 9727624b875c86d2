//! What goes, what stays, and that the counters and the server beside it stay right.

use domain::{AttemptStatus, CallId, Fact, Sid, Source, Word};
use store::{Accepted, Key, ListQuery, NewCall, Reported, Store as _, Stray};

use super::*;
use crate::tests::{NOW, at, new_call, terms};
use crate::{Purpose, SqliteStore};

/// Every example call is accepted here, long ago.
const LONG_AGO: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Purpose::Dial { wait: Duration::ZERO }).expect("opened")
}

fn key(number: u32) -> Key {
    Key {
        key: format!("key-{number}"),
        body: [1; 32],
    }
}

fn report(number: u32, id: CallId, status: AttemptStatus) -> Stray {
    Stray {
        sid: Sid::new(&format!("CA{number}")).expect("a leg"),
        named: Some((id, 1)),
        fact: Fact::new(Word::Known(status), Source::Callback),
    }
}

/// A call that was dialled at `when`; it ended at once where it is told how.
async fn call(store: &SqliteStore, number: u32, when: Timestamp, end: Option<AttemptStatus>) -> CallId {
    let new = NewCall {
        permit: Some(terms()),
        key: Some(key(number)),
        ..new_call(number)
    };
    let id = match store.accept(new, at(when)).await.expect("accepted") {
        Accepted::New(call) => call.id,
        other => panic!("not new: {other:?}"),
    };
    if let Some(status) = end {
        let reported = store.report(report(number, id, status), at(when)).await;
        assert!(matches!(reported, Ok(Reported::Applied(_))));
    }
    id
}

fn all() -> ListQuery {
    ListQuery {
        user: domain::UserId::new("ann").expect("a user id"),
        status: None,
        to: None,
        created_after: None,
        created_before: None,
        limit: 500,
        offset: 0,
        after: None,
    }
}

fn rows(path: &Path, table: &str) -> i64 {
    let conn = connect::reader(path).expect("opened");
    let sql = format!("SELECT count(*) FROM {table}");
    conn.query_row(&sql, [], |row| row.get(0)).expect("counted")
}

#[tokio::test]
async fn calls_that_ended_long_ago_go_with_everything_of_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let store = open(&path);
    let mut ended = Vec::new();
    for number in 1..=450 {
        ended.push(call(&store, number, LONG_AGO, Some(AttemptStatus::Completed)).await);
    }
    let waiting = call(&store, 501, LONG_AGO, Some(AttemptStatus::Busy)).await;
    let live = call(&store, 502, LONG_AGO, Some(AttemptStatus::Ringing)).await;
    let later = call(&store, 503, LONG_AGO + DAY * 2, Some(AttemptStatus::Completed)).await;
    let before = LONG_AGO + DAY;
    let counted = prune(&path, before, true, &mut |_| ()).expect("counted");
    assert_eq!((counted.calls, counted.left), (450, 453));
    let pruned = prune(&path, before, false, &mut |_| ()).expect("pruned");
    assert_eq!((pruned.calls, pruned.left), (450, 3));
    assert!(pruned.free_bytes > 0 && pruned.file_bytes > pruned.free_bytes);

    let page = store.page(all()).await.expect("read");
    let mut left: Vec<CallId> = page.calls.iter().map(|row| row.id).collect();
    left.sort();
    let mut expected = vec![waiting, live, later];
    expected.sort();
    assert_eq!((left, page.total.count), (expected, 3));
    for table in ["calls", "sids", "permits", "keys"] {
        assert_eq!(rows(&path, table), 3, "{table}");
    }
    assert_eq!(store.call(ended[0]).await.expect("read"), None);
    // The server beside it goes on with what it has, and takes late words of what is gone.
    let over = store
        .report(report(502, live, AttemptStatus::Completed), at(NOW))
        .await;
    assert!(matches!(over, Ok(Reported::Applied(_))));
    let late = store
        .report(report(1, ended[0], AttemptStatus::Completed), at(NOW))
        .await;
    assert_eq!(late.expect("stored"), Reported::Orphan);
    // Its key is free again, and its number in the file.
    call(&store, 1, NOW, None).await;
    assert_eq!(store.page(all()).await.expect("read").total.count, 4);
    assert_eq!(store.dialling().await.expect("read").live, 1);
}

#[tokio::test]
async fn a_call_stays_as_long_as_its_key_must_find_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let store = open(&path);
    let hours = |hours: u32| clock::now() - Duration::from_secs(3_600) * hours;
    call(&store, 1, hours(23), Some(AttemptStatus::Completed)).await;
    call(&store, 2, hours(25), Some(AttemptStatus::Completed)).await;
    let pruned = prune(&path, clock::now(), false, &mut |_| ()).expect("pruned");
    assert_eq!((pruned.calls, pruned.left), (1, 1));
    let repeat = NewCall {
        key: Some(key(1)),
        ..new_call(9)
    };
    let repeated = store.accept(repeat, at(NOW)).await.expect("accepted");
    assert!(matches!(repeated, Accepted::Repeat(_)));
}

#[tokio::test]
async fn a_call_about_which_the_carrier_is_still_asked_stays() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let store = open(&path);
    let id = call(&store, 1, LONG_AGO, Some(AttemptStatus::Completed)).await;
    // A second leg of the attempt, which is to be hung up.
    let second = Stray {
        sid: Sid::new("CA2").expect("a leg"),
        ..report(1, id, AttemptStatus::Ringing)
    };
    store.report(second, at(LONG_AGO)).await.expect("stored");
    let pruned = prune(&path, NOW, false, &mut |_| ()).expect("pruned");
    assert_eq!((pruned.calls, pruned.left), (0, 1));
}

#[test]
fn where_there_is_no_database_none_is_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let refused = prune(&path, NOW, false, &mut |_| ())
        .expect_err("refused")
        .to_string();
    assert!(refused.contains("no database"), "{refused}");
    assert!(!path.exists());
}
