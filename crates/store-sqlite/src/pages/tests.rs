//! That every list walks an index, and none sorts or scans.

use domain::{CallStatus, UserId};
use store::Cursor;

use super::*;
use crate::migrate;

fn query() -> ListQuery {
    ListQuery {
        user: UserId::new("ann").expect("a user id"),
        status: None,
        to: None,
        created_after: None,
        created_before: None,
        limit: 50,
        offset: 0,
        after: None,
    }
}

/// What SQLite will do for a query's rows.
fn plan(query: &ListQuery) -> String {
    let mut conn = Connection::open_in_memory().expect("memory");
    migrate::run(&mut conn, 0).expect("the schema");
    let mut search = Search::rows(query);
    let sql = search.rows_sql(51, 0);
    let mut explain = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .expect("a query");
    let steps = explain
        .query_map(params_from_iter(&search.values), |row| row.get::<_, String>(3))
        .expect("a plan");
    steps
        .map(|step| step.expect("text"))
        .collect::<Vec<_>>()
        .join("; ")
}

fn check(query: ListQuery, index: &str) {
    let plan = plan(&query);
    assert!(plan.contains(&format!("INDEX {index} ")), "{plan}");
    assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{plan}");
}

#[test]
fn every_list_walks_an_index_in_its_order() {
    let after = Some(Cursor {
        created_at: Timestamp::from_millis(5),
        id: CallId::from_bytes([0; 16]),
    });
    let some = Some(Timestamp::from_millis(5));
    let to = Some("+15550000001".parse().expect("a number"));
    check(query(), "calls_by_shelf");
    check(ListQuery { after, ..query() }, "calls_by_shelf");
    check(
        ListQuery {
            created_after: some,
            created_before: some,
            ..query()
        },
        "calls_by_shelf",
    );
    check(
        ListQuery {
            status: Some(CallStatus::Completed),
            ..query()
        },
        "calls_by_shelf",
    );
    check(
        ListQuery {
            status: Some(CallStatus::Ringing),
            after,
            ..query()
        },
        "calls_alive",
    );
    check(
        ListQuery {
            to: to.clone(),
            ..query()
        },
        "calls_by_number",
    );
    check(
        ListQuery {
            to,
            after,
            created_after: some,
            ..query()
        },
        "calls_by_number",
    );
}

#[test]
fn a_cursor_narrows_the_walk_and_is_not_only_compared() {
    let after = Some(Cursor {
        created_at: Timestamp::from_millis(5),
        id: CallId::from_bytes([0; 16]),
    });
    let plan = plan(&ListQuery { after, ..query() });
    assert!(
        plan.contains("user_id=? AND shelf=? AND (created_at,id)<(?,?)"),
        "{plan}"
    );
}
