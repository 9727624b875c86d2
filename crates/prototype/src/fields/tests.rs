//! Every form of extended JSON in which a value of ours may stand.

use serde_json::json;

use super::*;

/// Reads the field `x` of a document in which it has this value.
fn field<T>(
    value: Value,
    read: impl FnOnce(&Fields<'_>) -> Result<Option<T>, Fault>,
) -> Result<Option<T>, String> {
    let document = json!({ "x": value });
    let fields = Fields::of(&document).expect("an object");
    read(&fields).map_err(|fault| fault.to_string())
}

#[test]
fn whole_numbers_may_be_plain_or_typed() {
    for value in [
        json!(3),
        json!(3.0),
        json!({"$numberInt": "3"}),
        json!({"$numberLong": "3"}),
        json!({"$numberDouble": "3.0"}),
    ] {
        assert_eq!(field(value.clone(), |it| it.whole("x")), Ok(Some(3)), "{value}");
    }
    for value in [
        json!(-1),
        json!(3.5),
        json!("3"),
        json!({"$numberInt": 3}),
        json!({"$numberInt": "x"}),
        json!({"$numberDouble": "Infinity"}),
        json!({"$numberDouble": "NaN"}),
        json!({"$numberInt": "3", "y": 1}),
        json!(true),
        json!(1e300),
    ] {
        let refused = field(value.clone(), |it| it.whole("x"));
        assert_eq!(
            refused,
            Err("x: must be a whole number from 0 on".to_owned()),
            "{value}"
        );
    }
}

#[test]
fn dates_may_be_canonical_relaxed_or_texts() {
    let ten = Timestamp::from_millis(1_795_341_600_000);
    for value in [
        json!({"$date": {"$numberLong": "1795341600000"}}),
        json!({"$date": "2026-11-22T10:00:00Z"}),
        json!({"$date": "2026-11-22T10:00:00.000Z"}),
        json!({"$date": "2026-11-22T11:00:00+01:00"}),
        json!({"$date": 1_795_341_600_000_i64}),
        json!("2026-11-22T10:00:00.000Z"),
    ] {
        assert_eq!(
            field(value.clone(), |it| it.moment("x")),
            Ok(Some(ten)),
            "{value}"
        );
    }
    for value in [
        json!(1_795_341_600_000_i64),
        json!("yesterday"),
        json!({"$date": "2026-11-22"}),
        json!({"$date": {"$numberLong": "-1"}}),
        json!({"$date": {"$numberLong": "999999999999999999"}}),
        json!({"$timestamp": {"t": 1, "i": 1}}),
        json!({}),
    ] {
        let refused = field(value.clone(), |it| it.moment("x"));
        assert!(
            refused.is_err_and(|why| why.starts_with("x: must be a date")),
            "{value}"
        );
    }
}

#[test]
fn texts_flags_and_names_have_one_form() {
    assert_eq!(
        field(json!("a"), |it| it.text("x").map(|it| it.map(str::to_owned))),
        Ok(Some("a".to_owned()))
    );
    assert_eq!(field(json!(true), |it| it.flag("x")), Ok(Some(true)));
    let name = |value| field(value, |it| it.object_id("x").map(|it| it.map(str::to_owned)));
    assert_eq!(name(json!({"$oid": "65"})), Ok(Some("65".to_owned())));
    assert!(name(json!("65")).is_err());
    assert_eq!(
        field(json!(1), |it| it.flag("x")),
        Err("x: must be true or false".to_owned())
    );
}

#[test]
fn null_is_as_good_as_missing() {
    assert_eq!(field(Value::Null, |it| it.whole("x")), Ok(None));
    assert_eq!(field(json!(1), |it| it.moment("y")), Ok(None));
    let missing = field(Value::Null, |it| it.needed("x", it.flag("x")?).map(Some));
    assert_eq!(missing, Err("x: is missing".to_owned()));
}

#[test]
fn a_field_of_a_list_is_named_as_the_database_names_it() {
    let document = json!({"tries": [{"at": 1}, {"at": "x"}], "odd": [7]});
    let fields = Fields::of(&document).expect("an object");
    let tries = fields.list("tries").expect("a list");
    assert_eq!(tries[0].whole("at"), Ok(Some(1)));
    let fault = tries[1].whole("at").expect_err("a text is no number");
    assert_eq!(fault.field, "tries.1.at");
    assert_eq!(fields.list("odd").expect_err("no objects").field, "odd.0");
    assert!(fields.list("none").expect("missing is empty").is_empty());
    assert!(Fields::of(&json!([])).is_err());
}
