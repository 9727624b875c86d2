//! What is kept, for how long, and that it is never believed against the file.

use domain::step::step;
use domain::{Fact, Sid, Source, Word};
use store::{Accepted, NewCall, Reported, Store, Stray};

use super::*;
use crate::calls;
use crate::tests::{NOW, at, new_call, terms};
use crate::{Purpose, SqliteStore};

fn stored(number: u32, state: CallState) -> Stored {
    let new = new_call(number);
    let mut call = domain::step::accept(new.id, new.request, NOW).call;
    call.state = state;
    Stored::new(i64::from(number), call, 1)
}

fn id(number: u32) -> CallId {
    new_call(number).id
}

#[test]
fn a_live_call_is_handed_out_once() {
    let mut recent = Recent::default();
    recent.keep(stored(1, CallState::Live));
    assert_eq!(recent.take(id(1)).map(|stored| stored.n), Some(1));
    assert!(recent.take(id(1)).is_none());
}

#[test]
fn a_call_that_waits_again_is_forgotten() {
    let mut recent = Recent::default();
    recent.keep(stored(1, CallState::Live));
    recent.keep(stored(
        1,
        CallState::Waiting {
            due_at: NOW,
            try_at: NOW,
            misses: 0,
        },
    ));
    assert!(recent.take(id(1)).is_none());
}

#[test]
fn the_oldest_make_room_and_the_newest_stay() {
    let most = u32::try_from(2 * GENERATION).expect("few");
    let mut recent = Recent::default();
    for number in 1..=most + 1 {
        recent.keep(stored(number, CallState::Live));
        assert!(recent.young.len() + recent.old.len() <= 2 * GENERATION);
    }
    assert!(recent.take(id(1)).is_none());
    assert!(recent.take(id(most)).is_some());
}

#[test]
fn what_is_kept_again_is_not_kept_twice() {
    let mut recent = Recent::default();
    recent.keep(stored(1, CallState::Live));
    recent.old = std::mem::take(&mut recent.young);
    recent.keep(stored(1, CallState::Live));
    recent.take(id(1)).expect("kept");
    assert!(recent.take(id(1)).is_none());
}

async fn dial(store: &SqliteStore) -> CallId {
    let new = NewCall {
        permit: Some(terms()),
        ..new_call(1)
    };
    match store.accept(new, at(NOW)).await.expect("accepted") {
        Accepted::New(call) => call.id,
        other => panic!("not new: {other:?}"),
    }
}

async fn tell(store: &SqliteStore, id: CallId, status: domain::AttemptStatus) -> Reported {
    let stray = Stray {
        sid: Sid::new("CA1").expect("a leg"),
        named: Some((id, 1)),
        fact: Fact::new(Word::Known(status), Source::Callback),
    };
    store.report(stray, at(NOW)).await.expect("stored")
}

#[tokio::test]
async fn what_another_connection_wrote_is_believed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("redial.db");
    let purpose = Purpose::Dial {
        wait: std::time::Duration::ZERO,
    };
    let store = SqliteStore::open(&path, purpose).expect("opened");
    let id = dial(&store).await;
    tell(&store, id, domain::AttemptStatus::Ringing).await;
    let other = rusqlite::Connection::open(&path).expect("opened beside");
    other
        .execute("UPDATE calls SET user_id = 'bob'", [])
        .expect("written");
    let Reported::Applied(call) = tell(&store, id, domain::AttemptStatus::InProgress).await else {
        panic!("not applied")
    };
    assert_eq!(call.request.user_id.as_str(), "bob");
}

#[tokio::test]
async fn what_was_undone_is_forgotten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let purpose = Purpose::Dial {
        wait: std::time::Duration::ZERO,
    };
    let store = SqliteStore::open(&folder.path().join("redial.db"), purpose).expect("opened");
    let id = dial(&store).await;
    let undone = store.writer.happened(move |tx| {
        let stored = calls::load_to_change(tx, id)?.expect("there");
        let cancelled = step(&stored.call, domain::step::Input::Cancel, at(NOW).moment()).expect("a step");
        assert!(cancelled.call.cancel_requested_at.is_some());
        calls::save(tx, &stored, cancelled, None)?;
        Err::<(), _>(store::StoreError::broken("a fault after the writing").into())
    });
    let fault = undone.await.expect_err("the fault").to_string();
    assert!(fault.contains("after the writing"), "{fault}");
    let Reported::Applied(call) = tell(&store, id, domain::AttemptStatus::Ringing).await else {
        panic!("not applied")
    };
    assert_eq!(call.cancel_requested_at, None);
}
