//! Forward only, all or nothing, and never over what is not ours.

use super::*;

const ONE: Migration = Migration {
    version: 1,
    name: "one",
    sql: "CREATE TABLE a (x INTEGER) STRICT",
};
const TWO: Migration = Migration {
    version: 2,
    name: "two",
    sql: "CREATE TABLE b (x INTEGER) STRICT",
};

fn memory() -> Connection {
    Connection::open_in_memory().expect("memory")
}

fn version(conn: &Connection) -> i64 {
    pragma(conn, "user_version").expect("a number")
}

#[test]
fn the_shipped_scripts_apply_to_an_empty_file_once() {
    let mut conn = memory();
    assert_eq!(standing(&conn).expect("empty"), Standing::Behind);
    run(&mut conn, 5).expect("applied");
    assert_eq!(standing(&conn).expect("ours"), Standing::Current);
    run(&mut conn, 6).expect("nothing to do");
    let at: i64 = conn
        .query_row("SELECT applied_at FROM migrations", [], |row| row.get(0))
        .expect("one row");
    assert_eq!(at, 5);
}

#[test]
fn an_older_file_gets_what_is_missing() {
    let mut conn = memory();
    run_all(&mut conn, &[ONE], 1).expect("applied");
    assert_eq!(standing_for(&conn, &[ONE, TWO]).expect("ours"), Standing::Behind);
    run_all(&mut conn, &[ONE, TWO], 2).expect("applied");
    assert_eq!(version(&conn), 2);
    conn.execute("INSERT INTO b (x) VALUES (1)", [])
        .expect("the second table");
}

#[test]
fn a_newer_schema_is_refused_untouched() {
    let mut conn = memory();
    run_all(&mut conn, &[ONE, TWO], 1).expect("applied");
    let refused = run_all(&mut conn, &[ONE], 2).expect_err("newer").to_string();
    assert!(
        refused.contains("schema 2") && refused.contains("a newer version"),
        "{refused}"
    );
    assert_eq!(version(&conn), 2);
}

#[test]
fn an_edited_script_is_noticed() {
    let mut conn = memory();
    run_all(&mut conn, &[ONE], 1).expect("applied");
    let edited = Migration {
        sql: "CREATE TABLE a (x TEXT) STRICT",
        ..ONE
    };
    let refused = standing_for(&conn, &[edited]).expect_err("edited").to_string();
    assert!(refused.contains("one"), "{refused}");
}

#[test]
fn another_programs_database_is_refused() {
    let mut conn = memory();
    conn.execute_batch("CREATE TABLE theirs (x)").expect("a table");
    let refused = run(&mut conn, 1).expect_err("not ours").to_string();
    assert!(refused.contains("another program"), "{refused}");
}

#[test]
fn a_script_that_fails_leaves_nothing_of_those_before_it() {
    let mut conn = memory();
    let wrong = Migration {
        version: 2,
        name: "wrong",
        sql: "CREATE TABLE a (x INTEGER) STRICT",
    };
    run_all(&mut conn, &[ONE, wrong], 1).expect_err("the table is there already");
    assert_eq!(version(&conn), 0);
    run_all(&mut conn, &[ONE], 1).expect("as if nothing had been tried");
}
