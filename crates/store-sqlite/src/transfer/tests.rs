//! A file as the target of a copy that is cut, and as a source that was moved.

use domain::Timestamp;
use store::transfer::{Outcome, transfer};
use store::{Accepted, Store as _};

use super::*;
use crate::tests::{at, new_call, terms};
use crate::{Purpose, SqliteStore};

const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);
const DIAL: Purpose = Purpose::Dial { wait: Duration::ZERO };

/// A file with a call that is being dialled and one that waits.
async fn filled(path: &Path) {
    let store = SqliteStore::open(path, DIAL).expect("opened");
    for (number, permit) in [(1, Some(terms())), (2, None)] {
        let new = store::NewCall {
            permit,
            ..new_call(number)
        };
        let accepted = store.accept(new, at(NOW)).await;
        assert!(matches!(accepted, Ok(Accepted::New(_))));
    }
}

fn refusal(path: &Path) -> String {
    let refused = SqliteStore::open(path, DIAL).err();
    refused.expect("refused").to_string()
}

async fn copy(from: &Path, to: &Path) -> Result<Outcome, StoreError> {
    let (mut from, mut to) = (SqliteSide::source(from)?, SqliteSide::target(to)?);
    transfer(&mut from, &mut to, &mut |_, _| {}).await
}

#[tokio::test]
async fn everything_arrives_and_the_source_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
    filled(&from).await;
    let copied = copy(&from, &to).await;
    assert!(matches!(copied, Ok(Outcome::Copied(_))), "{copied:?}");
    assert!(refusal(&from).contains("was moved to another database"));
    let store = SqliteStore::open(&to, DIAL).expect("opened");
    assert_eq!(store.granted().await.expect("read").len(), 1);
    let dialling = store.dialling().await.expect("read");
    assert_eq!((dialling.live, dialling.restored), (1, None));
    assert!(!beside(&to, ".part").exists());
}

#[tokio::test]
async fn a_copy_that_is_cut_before_its_end_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
    filled(&from).await;
    let mut source = SqliteSide::source(&from).expect("opened");
    let mut target = SqliteSide::target(&to).expect("opened");
    target.empty().await.expect("made");
    let rows = source.read(Kind::Calls, None).await.expect("read");
    assert_eq!(rows.len(), 2);
    target.write(Kind::Calls, rows).await.expect("written");
    drop((source, target));
    assert!(!to.exists());
    copy(&from, &to).await.expect("what was left is written over");
}

#[tokio::test]
async fn a_copy_that_is_cut_at_its_end_may_not_be_used_and_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (folder.path().join("from.db"), folder.path().join("to.db"));
    filled(&from).await;
    let mut target = SqliteSide::target(&to).expect("opened");
    target.empty().await.expect("made");
    let seal = Seal::Copied("x".to_owned());
    target.keep(Some(seal)).await.expect("kept");
    drop(target);
    assert!(refusal(&to).contains("cut at its end"));
    copy(&from, &to).await.expect("copied");
    SqliteStore::open(&to, DIAL).expect("opened");
}

#[tokio::test]
async fn a_file_that_is_dialled_from_is_not_copied() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("from.db");
    let _store = SqliteStore::open(&path, DIAL).expect("opened");
    let refused = SqliteSide::source(&path).err().expect("refused");
    assert!(matches!(refused, StoreError::Held(_)), "{refused:?}");
}

#[tokio::test]
async fn a_row_without_its_call_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut target = SqliteSide::target(&folder.path().join("to.db")).expect("opened");
    target.empty().await.expect("made");
    let leg = vec![
        Value::Text("CA1".to_owned()),
        Value::Bytes(vec![7; 16]),
        Value::Number(1),
    ];
    let refused = target.write(Kind::Legs, vec![leg]).await.expect_err("refused");
    assert!(refused.to_string().contains("a row of legs"), "{refused}");
}
