//! What goes with a transaction through a pooler.

use super::*;

fn sent(queries: &[&str], is_open: &mut bool) -> (Vec<String>, Range<usize>) {
    let queries = queries.iter().map(|sql| Query::new(*sql, [])).collect();
    let (queries, wanted) = within(queries, is_open);
    let name = |query: Query| match query.sql == settings() {
        true => "settings".to_owned(),
        false => query.sql,
    };
    (queries.into_iter().map(name).collect(), wanted)
}

#[test]
fn a_lone_statement_becomes_a_transaction_and_its_answer_is_the_only_one() {
    let mut is_open = false;
    let (queries, wanted) = sent(&["SELECT 1"], &mut is_open);
    assert_eq!(queries, [BEGIN, "settings", "SELECT 1", "COMMIT"]);
    assert_eq!((wanted, is_open), (2..3, false));
}

#[test]
fn a_transaction_gets_the_settings_once() {
    let mut is_open = false;
    let (queries, wanted) = sent(&[BEGIN, "SELECT 1"], &mut is_open);
    assert_eq!(queries, [BEGIN, "settings", "SELECT 1"]);
    assert_eq!((wanted, is_open), (1..3, true));
    let (queries, wanted) = sent(&["SELECT 2", "COMMIT"], &mut is_open);
    assert_eq!(queries, ["SELECT 2", "COMMIT"]);
    assert_eq!((wanted, is_open), (0..2, false));
}

#[test]
fn a_value_tells_its_type() {
    assert_eq!(type_of(&1_i64), Type::INT8);
    assert_eq!(type_of(&None::<i64>), Type::INT8);
    assert_eq!(type_of(&"a".to_owned()), Type::TEXT);
    assert_eq!(type_of(&Vec::<String>::new()), Type::TEXT_ARRAY);
    assert_eq!(type_of(&vec![1_u8]), Type::BYTEA);
    assert_eq!(type_of(&vec![vec![1_u8]]), Type::BYTEA_ARRAY);
    assert_eq!(type_of(&vec![None::<uuid::Uuid>]), Type::UUID_ARRAY);
    assert_eq!(type_of(&vec![true]), Type::BOOL_ARRAY);
}
