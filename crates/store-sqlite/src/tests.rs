//! The store as a whole on a real file: opening it, and what only this store promises. What every
//! store promises is tested by the suite that all of them share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::retry::RetryOn;
use domain::{
    AttemptStatus, CallState, Fact, MachineDetection, Phone, Policy, Request, Rules, Sid, Source, Word,
};
use tempfile::TempDir;

use super::*;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);
const MINUTE: Duration = Duration::from_secs(60);

struct Place {
    _folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("redial.db");
        Place {
            _folder: folder,
            path,
        }
    }

    fn try_open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.path, Purpose::Dial { wait: Duration::ZERO })
    }

    fn open(&self) -> SqliteStore {
        self.try_open().expect("opened")
    }
}

pub(crate) fn at(now: Timestamp) -> At {
    let rules = Rules {
        settle_after: 2 * MINUTE,
        silence_after: 2 * MINUTE,
        stop_on_unconfirmed: false,
        poll: false,
    };
    At {
        now,
        dice: 7,
        rules: Arc::new(rules),
    }
}

pub(crate) fn new_call(number: u32) -> NewCall {
    let mut chance = [0; 10];
    chance[6..].copy_from_slice(&number.to_be_bytes());
    let policy = Policy {
        max_attempts: 3,
        retry_delays: vec![2 * MINUTE],
        retry_on: RetryOn::default(),
        ring_timeout: MINUTE,
        time_limit: 240 * MINUTE,
        give_up_after: 24 * 60 * MINUTE,
        machine_detection: MachineDetection::Off,
    };
    let request = Request {
        user_id: UserId::new("ann").expect("a user id"),
        to: phone(number),
        from: phone(0),
        script: None,
        policy,
        scheduled_at: None,
        given: None,
    };
    NewCall {
        id: CallId::new(NOW, chance),
        request,
        key: None,
        permit: None,
    }
}

fn phone(number: u32) -> Phone {
    format!("+1555{number:07}").parse().expect("a number")
}

pub(crate) fn terms() -> Terms {
    Terms {
        account: "AC1".to_owned(),
        max_live: None,
        pace_clear_at: NOW,
        held: None,
    }
}

fn heard(status: AttemptStatus, sequence: u32) -> Fact {
    Fact {
        sequence: Some(sequence),
        ..Fact::new(Word::Known(status), Source::Callback)
    }
}

async fn dial(store: &SqliteStore, number: u32) -> CallId {
    let new = NewCall {
        permit: Some(terms()),
        ..new_call(number)
    };
    match store.accept(new, at(NOW)).await.expect("accepted") {
        Accepted::New(call) if matches!(call.state, CallState::Dialling { .. }) => call.id,
        other => panic!("not dialled: {other:?}"),
    }
}

async fn tell(store: &SqliteStore, id: CallId, leg: &str, fact: Fact) -> Reported {
    let sid = Sid::new(leg).expect("a leg");
    store
        .report(
            Stray {
                sid,
                named: Some((id, 1)),
                fact,
            },
            at(NOW),
        )
        .await
        .expect("stored")
}

fn all_of_ann() -> ListQuery {
    ListQuery {
        user: UserId::new("ann").expect("a user id"),
        status: None,
        to: None,
        created_after: None,
        created_before: None,
        limit: 50,
        offset: 0,
        after: None,
    }
}

#[tokio::test]
async fn a_call_and_its_history_are_there_after_a_restart() {
    let place = Place::new();
    let store = place.open();
    let id = dial(&store, 1).await;
    tell(&store, id, "CA1", heard(AttemptStatus::Ringing, 1)).await;
    tell(&store, id, "CA1", heard(AttemptStatus::Completed, 3)).await;
    let user = UserId::new("ann").expect("a user id");
    let before = store.record(&user, id).await.expect("read").expect("there");
    drop(store);
    let store = place.open();
    assert_eq!(store.record(&user, id).await.expect("read"), Some(before));
    assert_eq!(store.dialling().await.expect("read").restored, None);
}

#[tokio::test]
async fn what_was_answered_survives_a_process_that_never_closed_its_file() {
    let place = Place::new();
    let store = place.open();
    let id = dial(&store, 1).await;
    // What a killed process leaves: the file and its log as they are, nobody to tidy up.
    let copy = Place::new();
    for ending in ["", "-wal", ".boot"] {
        std::fs::copy(
            connect::beside(&place.path, ending),
            connect::beside(&copy.path, ending),
        )
        .expect("copied");
    }
    let store = copy.open();
    assert_eq!(store.granted().await.expect("read"), [(id, 1)]);
}

#[tokio::test]
async fn a_second_dialler_is_refused_and_named_but_others_may_look() {
    let place = Place::new();
    let store = place.open();
    store.accept(new_call(1), at(NOW)).await.expect("accepted");
    let refused = place.try_open().err().expect("held").to_string();
    assert!(
        refused.contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    let beside = SqliteStore::open(&place.path, Purpose::Beside).expect("opened beside");
    assert_eq!(beside.page(all_of_ann()).await.expect("read").total.count, 1);
    drop(store);
    place.open();
}

#[tokio::test]
async fn who_writes_alone_is_alone_and_counts_for_nothing() {
    let place = Place::new();
    let alone = || SqliteStore::open(&place.path, Purpose::Alone);
    // A file that was never dialled from, and has no boot count beside it.
    let store = alone().expect("opened alone");
    let id = match store.accept(new_call(1), at(NOW)).await.expect("accepted") {
        Accepted::New(call) => call.id,
        other => panic!("not new: {other:?}"),
    };
    let permit = store.permit(id, terms(), at(NOW)).await;
    assert!(matches!(permit, Err(StoreError::Broken(..))));
    assert!(matches!(place.try_open(), Err(StoreError::Held(..))));
    drop(store);
    for boots in 1..=2 {
        let store = place.open();
        assert_eq!(store.boot_number(), Some(boots));
        assert_eq!(store.dialling().await.expect("read").restored, None);
        assert!(matches!(alone(), Err(StoreError::Held(..))));
        drop(store);
        assert_eq!(alone().expect("opened alone").boot_number(), None);
    }
}

#[tokio::test]
async fn nobody_dials_without_the_right_to() {
    let place = Place::new();
    let store = place.open();
    let id = match store.accept(new_call(1), at(NOW)).await.expect("accepted") {
        Accepted::New(call) => call.id,
        other => panic!("not new: {other:?}"),
    };
    let beside = SqliteStore::open(&place.path, Purpose::Beside).expect("opened beside");
    assert!(matches!(
        beside.permit(id, terms(), at(NOW)).await,
        Err(StoreError::Broken(..))
    ));
    // The lock file was removed under a running process, and another one began to dial.
    std::fs::remove_file(connect::beside(&place.path, ".lock")).expect("removed");
    let usurper = place.open();
    assert!(matches!(
        store.permit(id, terms(), at(NOW)).await,
        Err(StoreError::Broken(..))
    ));
    assert!(matches!(
        usurper.permit(id, terms(), at(NOW)).await,
        Ok(Permitted::Granted(_))
    ));
}

#[tokio::test]
async fn an_older_copy_says_so_until_it_is_settled() {
    let place = Place::new();
    drop(place.open());
    let backup = std::fs::read(&place.path).expect("a backup");
    drop(place.open());
    std::fs::write(&place.path, backup).expect("restored");
    drop(place.open());
    let store = place.open();
    assert!(store.dialling().await.expect("read").restored.is_some());
    store.set_restored(None).await.expect("stored");
    drop(store);
    assert_eq!(place.open().dialling().await.expect("read").restored, None);
}

#[test]
fn a_newer_schema_and_a_foreign_file_are_refused() {
    let place = Place::new();
    drop(place.open());
    let conn = rusqlite::Connection::open(&place.path).expect("a database");
    conn.pragma_update(None, "user_version", 99)
        .expect("a schema from the future");
    drop(conn);
    let refused = place.try_open().err().expect("newer").to_string();
    assert!(refused.contains("a newer version"), "{refused}");
    std::fs::write(
        &place.path,
        "not a database, however long one looks at it".repeat(50),
    )
    .expect("overwritten");
    let refused = place.try_open().err().expect("no database").to_string();
    assert!(refused.contains("not a database"), "{refused}");
}

#[tokio::test]
async fn a_look_is_never_noted_too_late() {
    let place = Place::new();
    let store = place.open();
    let id = dial(&store, 1).await;
    tell(&store, id, "CA1", heard(AttemptStatus::Ringing, 1)).await;
    let later = at(NOW + MINUTE);
    let sid = Sid::new("CA1").expect("a leg");
    let fact = heard(AttemptStatus::InProgress, 2);
    store
        .report(
            Stray {
                sid,
                named: Some((id, 1)),
                fact,
            },
            later,
        )
        .await
        .expect("stored");
    let needed = store
        .call(id)
        .await
        .expect("read")
        .expect("there")
        .check_at()
        .expect("it is live");
    assert_eq!(needed, NOW + 3 * MINUTE);
    let noted = store.next_check(NOW).await.expect("read").expect("noted");
    assert!(noted <= needed);
    assert_eq!(store.to_check(noted, 10).await.expect("read").len(), 1);
    store.put_off_checks(vec![id]).await.expect("stored");
    assert_eq!(store.next_check(NOW).await.expect("read"), Some(needed));
    assert!(store.to_check(noted, 10).await.expect("read").is_empty());
}

#[tokio::test]
async fn counters_agree_with_the_rows() {
    let place = Place::new();
    let store = place.open();
    for number in 1..=20 {
        let id = dial(&store, number).await;
        let leg = format!("CA{number}");
        tell(&store, id, &leg, heard(AttemptStatus::Ringing, 1)).await;
        if number % 2 == 0 {
            tell(&store, id, &leg, heard(AttemptStatus::Completed, 3)).await;
        }
    }
    let page = |status| {
        store.page(ListQuery {
            status,
            ..all_of_ann()
        })
    };
    for (status, count) in [
        (None, 20),
        (Some(domain::CallStatus::Ringing), 10),
        (Some(domain::CallStatus::Completed), 10),
        (Some(domain::CallStatus::Initiated), 0),
    ] {
        let page = page(status).await.expect("read");
        assert_eq!(
            (page.total.count, page.calls.len()),
            (count, usize::try_from(count).expect("few")),
            "{status:?}"
        );
    }
    assert_eq!(store.dialling().await.expect("read").live, 10);
    assert_eq!(store.depths(NOW).await.expect("read").live, 10);
}

#[tokio::test]
async fn the_live_limit_counts_what_the_same_batch_has_granted() {
    let place = Place::new();
    let store = Arc::new(place.open());
    let mut tasks = Vec::new();
    for number in 1..=50 {
        let store = Arc::clone(&store);
        let permit = Some(Terms {
            max_live: Some(5),
            ..terms()
        });
        let new = NewCall {
            permit,
            ..new_call(number)
        };
        tasks.push(tokio::spawn(async move { store.accept(new, at(NOW)).await }));
    }
    for task in tasks {
        task.await.expect("no panic").expect("accepted");
    }
    assert_eq!(store.granted().await.expect("read").len(), 5);
    assert_eq!(store.dialling().await.expect("read").live, 5);
}
