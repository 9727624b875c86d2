//! That a look at a queue reads what it was asked for, however many calls are due.

use testkit::Database;

use super::*;
use crate::connect::config;
use crate::migrate;

/// As many calls due at one moment as after an hour without a server.
const DUE: &str = "INSERT INTO calls
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'ann', '+15550000001', '+15550000000', 0, 0, true, 0, 0, false, 1000, 1000, 1, ''
    FROM generate_series(1, 20000) AS n";
/// A few of them are others'.
const CLAIMED: &str = "INSERT INTO claims
    SELECT id, kind, 7, 20000 FROM (SELECT id FROM calls LIMIT 500) AS few, generate_series(0, 1) AS kind";

/// What PostgreSQL will do for a statement, with what it was asked for.
async fn plan(pool: &Pool, sql: &str, has_until: bool, mode: &str) -> String {
    let until = if has_until { ", 31000" } else { "" };
    let types = if has_until { ", bigint" } else { "" };
    let queries = vec![
        Query::new(format!("SET LOCAL plan_cache_mode = {mode}"), []),
        Query::new(
            format!("PREPARE look (bigint, bigint, bigint, bigint, bigint{types}) AS {sql}"),
            [],
        ),
        Query::new(
            format!("EXPLAIN EXECUTE look (2000, 256, 1, 21000, 62000{until})"),
            [],
        ),
        Query::new("DEALLOCATE look", []),
    ];
    let rows = pool
        .transaction("BEGIN", queries)
        .await
        .expect("a plan")
        .remove(2);
    let lines: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_look_at_a_queue_walks_its_index_and_stops() {
    let database = Database::fresh();
    let pool = Pool::new(config(&database.url()).expect("read"), 1).expect("a pool");
    let mut conn = pool.get().await.expect("connected");
    migrate::run(&mut conn).await.expect("the schema");
    drop(conn);
    for sql in [DUE, CLAIMED] {
        pool.all(Query::new(sql, [])).await.expect("written");
    }
    // Whether the server has counted all rows yet, or not, and knows what is asked for, or plans for anything.
    let plans = ["force_custom_plan", "force_generic_plan"];
    let counts = ["SELECT 1", "ANALYZE calls", "ANALYZE"];
    for (count, mode) in counts.iter().flat_map(|count| plans.map(|mode| (*count, mode))) {
        pool.all(Query::new(count, [])).await.expect("counted");
        for (kind, index, columns) in [
            (Kind::Dial, "calls_due", "id, due_at"),
            (Kind::Look, "calls_to_check", calls::COLUMNS),
        ] {
            for (sql, has_until) in [
                (free_or_own(kind, columns), false),
                (claim_free(kind, columns), true),
            ] {
                let plan = plan(&pool, &sql, has_until, mode).await;
                let looks_up = [
                    format!("using {index} on calls"),
                    "using claims_pkey on claims".to_owned(),
                ];
                let is_lean = looks_up.iter().all(|it| plan.contains(it)) && !plan.contains("Sort");
                assert!(is_lean, "{count}, {mode}:\n{plan}");
            }
        }
    }
}
