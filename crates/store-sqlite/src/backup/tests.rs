//! A copy is whole, marked, private, and never in place of what it must not replace.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::{Accepted, Store as _};

use super::*;
use crate::tests::{NOW, at, new_call};
use crate::{Purpose, SqliteStore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Purpose::Dial { wait: Duration::ZERO }).expect("opened")
}

async fn accept(store: &SqliteStore, number: u32) {
    let accepted = store.accept(new_call(number), at(NOW)).await.expect("accepted");
    assert!(matches!(accepted, Accepted::New(_)));
}

#[tokio::test]
async fn a_copy_holds_what_there_is_and_says_that_it_is_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, to) = (folder.path().join("x.db"), folder.path().join("copy.db"));
    let store = open(&path);
    for number in 1..=3 {
        accept(&store, number).await;
    }
    let copied = back_up(&path, &to, &mut |_, _| ()).expect("copied");
    assert_eq!((copied.calls, copied.schema), (3, 1));
    let file = std::fs::metadata(&to).expect("there");
    assert_eq!(
        (file.len(), file.permissions().mode() & 0o777),
        (copied.bytes, 0o600)
    );
    assert_eq!(store.dialling().await.expect("read").restored, None);
    let names = std::fs::read_dir(folder.path()).expect("a folder");
    let names = names.map(|file| file.expect("a file").file_name().into_string().expect("plain"));
    let extra: Vec<_> = names
        .filter(|name| name.starts_with("copy") && name != "copy.db")
        .collect();
    assert!(extra.is_empty(), "{extra:?}");

    let copy = open(&to);
    let marked = copy.dialling().await.expect("read").restored;
    assert!(marked.is_some(), "whoever dials from it asks first");
    assert_eq!(copy.depths(NOW).await.expect("read").waiting, 3);
    // A copy of the copy is as old as the copy.
    drop(copy);
    let again = folder.path().join("again.db");
    back_up(&to, &again, &mut |_, _| ()).expect("copied");
    assert_eq!(open(&again).dialling().await.expect("read").restored, marked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_writer_is_not_held_up_and_does_not_spoil_the_copy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, to) = (folder.path().join("x.db"), folder.path().join("copy.db"));
    let store = Arc::new(open(&path));
    for number in 1..=2_000 {
        accept(&store, number).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, done) = (Arc::clone(&store), Arc::clone(&done));
        async move {
            let mut number = 2_000;
            while !done.load(Ordering::Relaxed) {
                number += 1;
                accept(&store, number).await;
            }
            u64::from(number)
        }
    });
    let copied = tokio::task::spawn_blocking(move || {
        let copied = back_up(&path, &to, &mut |_, _| ());
        done.store(true, Ordering::Relaxed);
        copied
    });
    let copied = copied.await.expect("no panic").expect("copied");
    let written = writing.await.expect("no panic");
    assert!(
        (2_000..=written).contains(&copied.calls),
        "{copied:?} of {written}"
    );
}

#[test]
fn what_is_in_use_is_never_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    let refused = |to: &Path| {
        let refused = back_up(&path, to, &mut |_, _| ()).expect_err("refused");
        refused.to_string()
    };
    assert!(refused(&folder.path().join("y.db")).contains("no database"));
    let store = open(&path);
    for own in ["x.db", "x.db-wal", "x.db.boot", "../x.db"] {
        let to = match own.strip_prefix("../") {
            Some(name) => {
                std::fs::create_dir(folder.path().join("in")).expect("a folder");
                folder.path().join("in").join("..").join(name)
            }
            None => folder.path().join(own),
        };
        assert!(refused(&to).contains("the database itself"), "{own}");
    }
    let other = folder.path().join("other.db");
    let used = open(&other);
    assert!(refused(&other).contains("in use"));
    drop(used);
    std::fs::write(beside(&other, "-wal"), "left by a crash").expect("written");
    assert!(refused(&other).contains("move both away"));
    std::fs::remove_file(beside(&other, "-wal")).expect("there");
    back_up(&path, &other, &mut |_, _| ()).expect("nobody uses it any more");
    drop(store);
    let nowhere = folder.path().join("nowhere").join("copy.db");
    assert!(refused(&nowhere).contains("cannot be made"));
}
