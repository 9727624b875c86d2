//! The vendor's JSON, as documented and as found.

use domain::{AttemptStatus, Word};

use super::*;

fn call(json: &str) -> Call {
    serde_json::from_str(json).expect("a call")
}

/// Twilio's own description of the Calls paths.
fn openapi() -> Value {
    serde_json::from_str(include_str!("../../tests/data/twilio_calls_openapi.json")).expect("it is JSON")
}

const CALLS: &str = "/2010-04-01/Accounts/{AccountSid}/Calls.json";
const CALL: &str = "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json";

fn examples(path: &str, method: &str, status: &str) -> Vec<Value> {
    let answers = &openapi()["paths"][path][method]["responses"][status];
    let examples = answers["content"]["application/json"]["examples"]
        .as_object()
        .expect("examples")
        .clone();
    examples
        .into_iter()
        .map(|(_, example)| example["value"].clone())
        .collect()
}

#[test]
fn every_example_of_twilios_own_description_can_be_read() {
    let mut count = 0;
    for (path, method, status) in [
        (CALLS, "post", "201"),
        (CALL, "get", "200"),
        (CALL, "post", "200"),
    ] {
        for example in examples(path, method, status) {
            let call: Call = serde_json::from_value(example.clone()).expect("an example is a call");
            let leg = call.leg().unwrap_or_else(|| panic!("{path} {method}: {example}"));
            assert_eq!(leg.sid.as_str(), example["sid"]);
            assert_eq!(leg.fact.word.text(), example["status"]);
            count += 1;
        }
    }
    for example in examples(CALLS, "get", "200") {
        let page: Page = serde_json::from_value(example.clone()).expect("an example is a page");
        assert_eq!(
            page.calls.len(),
            example["calls"].as_array().expect("calls").len()
        );
        assert!(page.calls.iter().all(|call| call.leg().is_some()));
        assert_eq!(
            page.next_page_uri.as_deref(),
            example["next_page_uri"].as_str().filter(|uri| !uri.is_empty())
        );
        count += 1;
    }
    assert!(count >= 10, "the examples were found: {count}");
}

#[test]
fn the_statuses_of_the_description_are_all_known() {
    let file = openapi();
    let all = file["components"]["schemas"]["call_enum_status"]["enum"]
        .as_array()
        .expect("an enumeration");
    assert!(all.len() >= 8);
    for word in all {
        let text = word.as_str().expect("a word");
        assert!(status::word(text).status().is_some(), "{text}");
    }
}

#[test]
fn the_end_the_talk_and_who_answered_are_read_from_a_finished_call() {
    let fact = call(
        r#"{"sid":"CA1","status":"completed","duration":"15","answered_by":"machine_start",
            "date_updated":"Tue, 31 Aug 2010 20:36:45 +0000","end_time":"Tue, 31 Aug 2010 20:36:44 +0000",
            "annotation":{"new":["field"]},"price":-0.03}"#,
    )
    .fact()
    .expect("a fact");
    assert_eq!(fact.word, Word::Known(AttemptStatus::Completed));
    assert_eq!(fact.source, Source::LookUp);
    assert_eq!(
        fact.at,
        Timestamp::from_rfc2822("Tue, 31 Aug 2010 20:36:44 +0000")
    );
    assert_eq!(fact.duration_seconds, Some(15));
    assert_eq!(fact.answered_by.as_deref(), Some("machine_start"));
}

#[test]
fn empty_and_missing_fields_are_nothing_and_numbers_may_be_numbers() {
    let fact = call(
        r#"{"sid":"CA1","status":"busy","duration":0,"end_time":"","answered_by":null,
            "date_updated":"2026-11-22T10:00:00Z"}"#,
    )
    .fact()
    .expect("a fact");
    assert_eq!(fact.duration_seconds, Some(0));
    assert_eq!(fact.at, "2026-11-22T10:00:00Z".parse().ok());
    assert_eq!(fact.answered_by, None);
    assert_eq!(
        call(r#"{"sid":"CA1","status":"ringing","duration":"7"}"#)
            .fact()
            .expect("a fact")
            .duration_seconds,
        None
    );
    assert_eq!(call(r#"{"sid":"CA1"}"#).fact(), None);
    assert_eq!(call(r#"{"sid":7,"status":["x"]}"#).fact(), None);
}

#[test]
fn a_leg_without_the_fields_that_decide_is_no_leg() {
    let good = r#"{"sid":"CA1","status":"queued","date_created":"Tue, 31 Aug 2010 20:36:28 +0000"}"#;
    assert!(call(good).leg().is_some());
    for field in ["sid", "status", "date_created"] {
        assert_eq!(call(&good.replace(field, "gone")).leg(), None, "{field}");
    }
    assert_eq!(call(&good.replace("Aug", "Foo")).leg(), None);
}

#[test]
fn legs_of_other_origin_are_told_apart() {
    assert!(call(r#"{"direction":"outbound-api"}"#).may_be_ours());
    assert!(call("{}").may_be_ours());
    assert!(!call(r#"{"direction":"inbound"}"#).may_be_ours());
    assert!(!call(r#"{"direction":"outbound-dial"}"#).may_be_ours());
}
