//! That every list walks an index, and none sorts or scans.

use domain::{CallId, CallStatus, UserId};
use store::Cursor;
use testkit::Database;

use super::*;
use crate::connect::config;
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

async fn check(pool: &Pool, query: ListQuery, index: &str) {
    let rows = Search::rows(&query);
    let explain = Query {
        sql: format!("EXPLAIN {}", rows.sql),
        ..rows
    };
    let queries = vec![Query::new(MERGED, []), explain];
    let plan = pool.snapshot(queries).await.expect("a plan").remove(1);
    let plan: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains(&format!("using {index} ")), "{query:?}:\n{plan}");
    let is_idle = !plan.contains("Sort  ") && !plan.contains("Seq Scan") && !plan.contains("Bitmap");
    assert!(is_idle, "{query:?}:\n{plan}");
}

#[tokio::test]
async fn every_list_walks_an_index_in_its_order() {
    let database = Database::fresh();
    let pool = Pool::new(config(&database.url()).expect("read"), 1).expect("a pool");
    let mut conn = pool.get().await.expect("connected");
    migrate::run(&mut conn).await.expect("the schema");
    drop(conn);
    let after = Some(Cursor {
        created_at: Timestamp::from_millis(5),
        id: CallId::from_bytes([0; 16]),
    });
    let some = Some(Timestamp::from_millis(5));
    let to = Some("+15550000001".parse().expect("a number"));
    let status = |status| ListQuery {
        status: Some(status),
        ..query()
    };
    for (query, index) in [
        (query(), "calls_by_shelf"),
        (ListQuery { after, ..query() }, "calls_by_shelf"),
        (
            ListQuery {
                created_after: some,
                created_before: some,
                ..query()
            },
            "calls_by_shelf",
        ),
        (status(CallStatus::Completed), "calls_by_shelf"),
        (status(CallStatus::Queued), "calls_by_shelf"),
        (status(CallStatus::Ringing), "calls_alive"),
        (ListQuery { to, after, ..query() }, "calls_by_number"),
    ] {
        check(&pool, query, index).await;
    }
}
