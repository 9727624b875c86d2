//! What is refused before anything is stored, and who may read the file.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn the_bundled_sqlite_is_new_enough_and_an_old_one_is_refused() {
    check_version().expect("the bundled one");
    accept_version(3_051_003, "3.51.3").expect("the first without the fault");
    let refused = accept_version(3_051_002, "3.51.2")
        .expect_err("loses commits")
        .to_string();
    assert!(refused.contains("3.51.2"), "{refused}");
}

#[test]
fn a_new_file_and_its_neighbours_are_the_owners_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    assert!(prepare_file(&path).expect("made"));
    assert!(!prepare_file(&path).expect("there"));
    let conn = writer(&path).expect("a database");
    conn.execute_batch("CREATE TABLE t (x)").expect("written");
    for ending in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(beside(&path, ending))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
}

#[test]
fn a_file_that_is_no_database_is_named_as_such() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    std::fs::write(&path, "shopping list\n".repeat(100)).expect("written");
    let refused = writer(&path).expect_err("no database").to_string();
    assert!(refused.contains("not a database"), "{refused}");
}

#[test]
fn a_missing_folder_is_named() {
    let refused = prepare_file(Path::new("/nowhere/at/all/x.db"))
        .expect_err("no folder")
        .to_string();
    assert!(refused.contains("/nowhere/at/all/x.db"), "{refused}");
}

#[test]
fn commits_are_synced() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    prepare_file(&path).expect("made");
    let conn = writer(&path).expect("a database");
    let setting = |name| conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    assert_eq!(setting("synchronous"), Ok(rusqlite::types::Value::Integer(2)));
    assert_eq!(
        setting("journal_mode"),
        Ok(rusqlite::types::Value::Text("wal".to_owned()))
    );
    assert_eq!(
        setting("wal_autocheckpoint"),
        Ok(rusqlite::types::Value::Integer(0))
    );
}
