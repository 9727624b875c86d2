//! What an address becomes, and what holds on every connection.

use testkit::Database;

use super::*;

#[test]
fn an_address_is_read_and_only_a_server_that_takes_writes_will_do() {
    let config = config("postgres://ann:hush@db.example.com:5433/calls").expect("read");
    assert_eq!(config.get_dbname(), Some("calls"));
    assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
}

#[test]
fn an_address_that_cannot_be_read_is_not_repeated() {
    let error = super::config("postgres://ann:hush@[").expect_err("no address");
    assert!(!error.to_string().contains("hush"), "{error}");
}

#[tokio::test]
async fn the_settings_hold_whatever_the_roles_defaults_are() {
    let database = Database::fresh();
    let url = format!("{}?options=-csynchronous_commit%3Doff", database.url());
    let pool = Pool::new(config(&url).expect("read"), 1).expect("a pool");
    for (setting, value) in [
        ("synchronous_commit", "on"),
        ("lock_timeout", "5s"),
        ("jit", "off"),
    ] {
        let shown = pool
            .one(Query::new(format!("SHOW {setting}"), []))
            .await
            .expect("shown");
        assert_eq!(shown.get::<_, &str>(0), value, "{setting}");
    }
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing_on_its_connection() {
    let database = Database::fresh();
    let pool = Pool::new(config(&database.url()).expect("read"), 1).expect("a pool");
    let failing = vec![
        Query::new("CREATE TABLE a (x bigint)", []),
        Query::new("SELECT 1 / 0", []),
    ];
    pool.transaction("BEGIN", failing)
        .await
        .expect_err("a division by zero");
    let left = pool
        .one(Query::new("SELECT to_regclass('a') IS NULL", []))
        .await
        .expect("read");
    assert!(left.get::<_, bool>(0));
}
