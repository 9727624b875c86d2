//! Copies are noticed; crashes and first starts are not taken for copies.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::{connect, migrate};

struct Place {
    _folder: TempDir,
    database: PathBuf,
    conn: Connection,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = folder.path().join("x.db");
    connect::prepare_file(&database).expect("a new file");
    let mut conn = connect::writer(&database).expect("a database");
    migrate::run(&mut conn, 0).expect("the schema");
    Place {
        _folder: folder,
        database,
        conn,
    }
}

impl Place {
    fn count(&self) -> Boot {
        count(&self.conn, &self.database).expect("counted")
    }

    fn side(&self) -> PathBuf {
        beside(&self.database, ".boot")
    }
}

#[test]
fn each_opening_counts_one() {
    let place = place();
    assert_eq!(
        place.count(),
        Boot {
            number: 1,
            restored: None
        }
    );
    assert_eq!(
        place.count(),
        Boot {
            number: 2,
            restored: None
        }
    );
}

#[test]
fn an_older_copy_is_noticed_and_stays_noticed() {
    let place = place();
    place.count();
    place.count();
    place
        .conn
        .execute("UPDATE dialling SET boots = 1", [])
        .expect("an older copy");
    assert_eq!(
        place.count(),
        Boot {
            number: 3,
            restored: Some(Timestamp::from_millis(1))
        }
    );
    assert_eq!(
        place.count(),
        Boot {
            number: 4,
            restored: Some(Timestamp::from_millis(1))
        }
    );
}

#[test]
fn a_copy_without_its_neighbour_is_noticed() {
    let place = place();
    place.count();
    std::fs::remove_file(place.side()).expect("there");
    assert!(place.count().restored.is_some());
}

#[test]
fn a_crash_between_the_two_writes_is_no_copy() {
    let place = place();
    place.count();
    place
        .conn
        .execute("UPDATE dialling SET boots = 2", [])
        .expect("counted inside alone");
    assert_eq!(
        place.count(),
        Boot {
            number: 3,
            restored: None
        }
    );
}

#[test]
fn a_new_file_beside_an_old_neighbour_is_no_copy() {
    let place = place();
    std::fs::write(place.side(), "41\n").expect("written");
    assert_eq!(
        place.count(),
        Boot {
            number: 42,
            restored: None
        }
    );
}

#[test]
fn a_copy_is_as_old_as_the_last_thing_that_it_knows() {
    let place = place();
    place.count();
    place
        .conn
        .execute(
            "INSERT INTO permits (call_n, attempt, account, from_number, to_number, state, granted_at)
             VALUES (1, 1, 'AC1', '+15550000000', '+15550000001', 3, 5000), (2, 1, 'AC1', '+15550000000',
                     '+15550000002', 3, 7000), (3, 1, 'AC1', '+15550000000', '+15550000003', 3, 6000)",
            [],
        )
        .expect("permits");
    std::fs::remove_file(place.side()).expect("there");
    assert_eq!(place.count().restored, Some(Timestamp::from_millis(7_000)));
    // What happens later makes the copy no younger.
    place
        .conn
        .execute("UPDATE permits SET granted_at = 9000", [])
        .expect("a later permit");
    assert_eq!(place.count().restored, Some(Timestamp::from_millis(7_000)));
}
