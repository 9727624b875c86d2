//! Which server a new connection reaches, and how long one that is silent or gone keeps it.

use std::net::TcpListener;
use std::time::Instant;

use testkit::Database;

use super::super::{Pool, Query, config};
use super::*;

/// Takes connections and never says a word, as a host does whose server hangs.
fn a_silent_host() -> (TcpListener, String) {
    let silent = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = silent.local_addr().expect("bound").to_string();
    (silent, address)
}

/// The address of the database with other hosts before its own.
fn behind(database: &Database, others: &[&str]) -> String {
    let url = database.url();
    let (start, rest) = url.split_once('@').expect("an address has a user");
    format!("{start}@{},{rest}", others.join(","))
}

#[tokio::test]
async fn hosts_that_are_silent_or_gone_cost_a_connection_little_and_the_next_one_nothing() {
    let database = Database::fresh();
    let (silent, at) = a_silent_host();
    let (unused, gone) = a_silent_host();
    drop(unused);
    let url = behind(&database, &[&at, &gone, &at]);
    let config = config(&url).expect("read");
    let pool = Pool::new(config.clone(), 1).expect("a pool");
    let begun = Instant::now();
    pool.one(Query::new("SELECT 1", [])).await.expect("connected");
    assert!(begun.elapsed() >= 2 * NEXT_AFTER, "two were silent");
    assert!(begun.elapsed() < super::super::address::CONNECT_WITHIN);
    let asked = || {
        silent.set_nonblocking(true).expect("set");
        std::iter::from_fn(|| silent.accept().ok()).count()
    };
    assert_eq!(asked(), 2);
    // Whoever else connects asks whom the first one found.
    drop(config.connect().await.expect("connected"));
    assert_eq!(asked(), 0);
}

#[tokio::test]
async fn where_nobody_lets_us_in_the_last_words_are_told() {
    let (unused, gone) = a_silent_host();
    drop(unused);
    for hosts in [gone.clone(), format!("{gone},{gone}")] {
        let config = config(&format!("postgres://ann@{hosts}/calls")).expect("read");
        let error = config.connect().await.err().expect("nobody is there");
        assert!(error.to_string().contains("connecting"), "{error}");
    }
}

#[tokio::test]
async fn one_that_hangs_keeps_nobody_from_asking_the_others_again() {
    let (_silent, hangs) = a_silent_host();
    let (unused, gone) = a_silent_host();
    drop(unused);
    let config = config(&format!("postgres://ann@{hangs},{gone}/calls")).expect("read");
    let begun = Instant::now();
    let error = config.connect().await.err().expect("nobody lets us in");
    assert!(error.to_string().contains("connecting"), "{error}");
    assert!(begun.elapsed() < 2 * ONE_WITHIN, "{:?}", begun.elapsed());
}

#[test]
fn nothing_that_the_address_says_is_lost_on_the_way_to_one_server() {
    let url = "postgres://ann:hush@a:1,b:2/calls?options=-cjit%3Doff&keepalives_idle=7&keepalives_interval=3\
               &keepalives_retries=2&channel_binding=disable&target_session_attrs=any&application_name=x";
    let mut all: tokio_postgres::Config = url.parse().expect("read");
    all.connect_timeout(NEXT_AFTER).tcp_user_timeout(NEXT_AFTER);
    let mut one: tokio_postgres::Config = url.replace("a:1,b:2", "b:2").parse().expect("read");
    one.connect_timeout(NEXT_AFTER).tcp_user_timeout(NEXT_AFTER);
    assert_eq!(only(&all, 1), one);
}
