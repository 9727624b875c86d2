//! What a look at a database finds, and that it leaves no trace.

use std::time::Duration;

use super::*;
use crate::{Purpose, SqliteStore};

fn made() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.db");
    let wait = Duration::ZERO;
    drop(SqliteStore::open(&path, Purpose::Dial { wait }).expect("opened"));
    (folder, path)
}

#[test]
fn where_there_is_no_file_none_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.db");
    assert_eq!(examine(&path, true).expect("looked"), None);
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn a_sound_file_has_no_faults_and_no_holder() {
    let (_folder, path) = made();
    let sound = Examination {
        is_current: true,
        held_by: None,
        faults: Vec::new(),
    };
    assert_eq!(examine(&path, true).expect("looked"), Some(sound));
}

#[test]
fn whoever_holds_the_right_to_dial_is_named_and_keeps_it() {
    let (_folder, path) = made();
    let wait = Duration::ZERO;
    let store = SqliteStore::open(&path, Purpose::Dial { wait }).expect("opened");
    for _ in 0..2 {
        let found = examine(&path, false).expect("looked").expect("a file");
        let holder = found.held_by.expect("held");
        assert!(holder.contains(&std::process::id().to_string()), "{holder}");
    }
    drop(store);
    drop(SqliteStore::open(&path, Purpose::Dial { wait }).expect("the look took nothing"));
}

#[test]
fn a_damaged_file_is_found_out() {
    let (_folder, path) = made();
    let conn = connect::writer(&path).expect("opened");
    conn.execute_batch(
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA foreign_keys = OFF;
         CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;
         CREATE TABLE child (id INTEGER PRIMARY KEY REFERENCES parent (id)) STRICT;
         INSERT INTO child VALUES (1);",
    )
    .expect("written");
    drop(conn);
    let found = examine(&path, true).expect("looked").expect("a file");
    assert_eq!(
        found.faults,
        ["a row of child refers to one of parent that is not there"]
    );
    assert!(
        examine(&path, false)
            .expect("looked")
            .expect("a file")
            .faults
            .is_empty()
    );
}

#[test]
fn a_file_that_is_no_database_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.db");
    std::fs::write(&path, "these are my notes, and no database at all".repeat(100)).expect("written");
    let said = examine(&path, false).expect_err("refused").to_string();
    assert!(said.contains("not a database"), "{said}");
}
