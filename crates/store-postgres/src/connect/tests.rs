//! What holds on every connection.

use testkit::Database;

use super::*;

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
