//! What an address becomes, and what is refused in words.

use super::*;

fn refusal(url: &str) -> String {
    config(url).err().expect("refused").to_string()
}

#[test]
fn an_address_is_read_and_only_a_server_that_takes_writes_will_do() {
    let config = config("postgres://ann:hush@db.example.com:5433/calls").expect("read");
    assert_eq!(config.driver.get_dbname(), Some("calls"));
    assert_eq!(
        config.driver.get_target_session_attrs(),
        TargetSessionAttrs::ReadWrite
    );
    assert!(!config.is_pooled());
}

#[test]
fn a_connection_that_only_listens_notices_within_seconds_that_the_other_end_is_gone() {
    let gaps = |url| {
        let driver = config(url).expect("read").driver;
        (driver.get_keepalives_idle(), driver.get_keepalives_interval())
    };
    assert_eq!(gaps("postgres://h/x"), (ASKED_AFTER, Some(ASKED_AFTER)));
    let own = "postgres://h/x?keepalives_idle=60&keepalives_interval=7";
    let wanted = (Duration::from_secs(60), Some(Duration::from_secs(7)));
    assert_eq!(gaps(own), wanted, "whoever wants it otherwise");
}

#[test]
fn what_the_driver_does_not_know_is_ours_and_the_rest_is_its_own() {
    let url = "postgres://h/x?pgbouncer=true&connect_timeout=9&sslmode=verify-full&sslrootcert=%2Fa%20b";
    let (rest, own) = part(url).expect("read");
    assert_eq!(rest, "postgres://h/x?connect_timeout=9");
    let wanted = Own {
        sslmode: Some("verify-full".to_owned()),
        sslrootcert: Some("/a b".into()),
        pgbouncer: Some("true".to_owned()),
    };
    assert_eq!(own, wanted);
}

#[test]
fn as_much_is_checked_as_libpq_would_check_or_more() {
    let file = || Some(PathBuf::from("ca.pem"));
    let anybody = Trust::Anybody;
    for (mode, authority, wanted) in [
        (None, None, (SslMode::Prefer, anybody.clone())),
        (Some("disable"), None, (SslMode::Disable, anybody.clone())),
        (Some("require"), None, (SslMode::Require, anybody)),
        (
            Some("require"),
            file(),
            (SslMode::Require, Trust::Authority("ca.pem".into())),
        ),
        (
            Some("verify-ca"),
            file(),
            (SslMode::Require, Trust::Authority("ca.pem".into())),
        ),
        (Some("verify-full"), None, (SslMode::Require, Trust::Name(None))),
        (
            Some("verify-full"),
            file(),
            (SslMode::Require, Trust::Name(file())),
        ),
    ] {
        assert_eq!(security(mode, authority).expect("read"), wanted, "{mode:?}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_and_no_password_is_repeated() {
    for (query, words) in [
        ("sslmode=allow", "must be disable, prefer, require"),
        ("sslmode=verify-ca", "needs sslrootcert=FILE"),
        ("sslmode=prefer&sslrootcert=x", "set sslmode=verify-full"),
        (
            "sslmode=verify-full&sslrootcert=/nowhere",
            "/nowhere holds no certificate",
        ),
        ("pgbouncer=yes", "must be true or false"),
        ("sslmod=require", "cannot be read"),
    ] {
        let refusal = refusal(&format!("postgres://ann:hush@h/x?{query}"));
        assert!(refusal.contains(words), "{refusal}");
        assert!(!refusal.contains("hush"), "{refusal}");
    }
    assert!(!refusal("postgres://ann:hush@[").contains("hush"));
}
