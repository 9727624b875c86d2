//! That no count and no start reads what has been decided long ago.

use super::*;
use crate::{claims, migrate};

/// What SQLite will do for a query, a step each.
fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut explain = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .expect("a query");
    // What a query is given changes nothing of its plan.
    let steps = explain.raw_query().mapped(|row| row.get(3));
    steps.map(|step| step.expect("text")).collect()
}

#[test]
fn permits_are_found_among_the_undecided_alone() {
    let mut conn = Connection::open_in_memory().expect("memory");
    migrate::run(&mut conn, 0).expect("the schema");
    for sql in [claims::UNDECIDED, UNDECIDED] {
        let plan = plan(&conn, sql);
        let of_permits: Vec<_> = plan.iter().filter(|step| step.contains("permits")).collect();
        assert!(!of_permits.is_empty(), "{plan:?}");
        assert!(
            of_permits
                .iter()
                .all(|step| step.contains("INDEX permits_undecided")),
            "{plan:?}"
        );
    }
}
