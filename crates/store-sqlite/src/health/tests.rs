//! Which errors end the trust in a file, and which pass.

use rusqlite::ffi;

use super::*;

fn lasting(code: std::ffi::c_int) -> bool {
    let health = Health::default();
    health.judge(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    health.broken().is_some()
}

#[test]
fn a_failed_sync_or_write_and_a_torn_file_end_the_trust() {
    for code in [
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR,
        ffi::SQLITE_CORRUPT,
        ffi::SQLITE_NOTADB,
    ] {
        assert!(lasting(code), "code {code}");
    }
}

#[test]
fn a_full_disk_a_lock_and_a_broken_rule_pass() {
    for code in [
        ffi::SQLITE_FULL,
        ffi::SQLITE_BUSY,
        ffi::SQLITE_CONSTRAINT,
        ffi::SQLITE_NOMEM,
    ] {
        assert!(!lasting(code), "code {code}");
    }
}

#[test]
fn the_first_reason_stays() {
    let health = Health::default();
    health.break_with("first".to_owned());
    health.break_with("second".to_owned());
    assert_eq!(health.broken(), Some("first"));
}
