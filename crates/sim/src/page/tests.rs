//! Lists: order, pages, filters.

use super::*;
use crate::Options;
use serde_json::Value;

const START_MS: u64 = 1_795_000_000_000;

/// Five calls to one number and two to another, a second apart, the last two still queued.
fn exchange() -> Exchange {
    let mut exchange = Exchange::new(Options {
        cps: Some(5.0),
        ..Options::default()
    });
    for place in 0..7 {
        let to = if place % 3 == 1 {
            "+15551230101"
        } else {
            "+15551230100"
        };
        let form = [
            ("To", to),
            ("From", "+15557770001"),
            ("Twiml", "<Response><Say>x</Say></Response>"),
        ];
        exchange.create(START_MS + place, &form.into_iter().collect());
    }
    exchange.advance(START_MS + 900);
    exchange
}

fn ask(exchange: &Exchange, query: &str) -> Value {
    match list(exchange, &Form::decode(query.as_bytes())) {
        Answer::Reply { body, .. } => serde_json::from_str(&body).expect("JSON"),
        Answer::Cut => panic!("lists are answered"),
    }
}

fn sids(page: &Value) -> Vec<String> {
    let calls = page["calls"].as_array().expect("a list").iter();
    calls
        .map(|call| call["sid"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn the_newest_call_is_first_and_pages_follow_each_other() {
    let exchange = exchange();
    let all: Vec<String> = exchange
        .calls()
        .iter()
        .rev()
        .map(|call| call.sid.to_string())
        .collect();
    assert_eq!(sids(&ask(&exchange, "")), all);
    let (mut seen, mut query, mut previous) = (Vec::new(), "PageSize=3".to_owned(), Value::Null);
    loop {
        let page = ask(&exchange, &query);
        seen.extend(sids(&page));
        previous = if page["previous_page_uri"].is_null() {
            previous
        } else {
            page["previous_page_uri"].clone()
        };
        match page["next_page_uri"].as_str() {
            Some(uri) => query = uri.split_once('?').expect("a query").1.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let back = ask(
        &exchange,
        previous
            .as_str()
            .expect("a page before")
            .split_once('?')
            .expect("a query")
            .1,
    );
    assert_eq!(sids(&back), all[3..6]);
}

#[test]
fn a_new_call_does_not_shift_the_next_page() {
    let mut exchange = exchange();
    let next = ask(&exchange, "PageSize=3")["next_page_uri"]
        .as_str()
        .expect("more")
        .to_owned();
    let expected = sids(&ask(&exchange, ""))[3..6].to_vec();
    let form = [
        ("To", "+15551230100"),
        ("From", "+15557770001"),
        ("Twiml", "<Response/>"),
    ];
    exchange.create(START_MS + 1_000, &form.into_iter().collect());
    assert_eq!(
        sids(&ask(&exchange, next.split_once('?').expect("a query").1)),
        expected
    );
}

#[test]
fn filters_hold_together() {
    let exchange = exchange();
    let count = |query: &str| sids(&ask(&exchange, query)).len();
    assert_eq!(count("To=%2B15551230101"), 2);
    assert_eq!(count("To=%2B15551230101&From=%2B15557770002"), 0);
    assert_eq!(count("From=%2B15557770001&PageSize=1000"), 7);
    assert_eq!(count("Status=completed"), 0);
    assert_eq!(count("ParentCallSid=CA1"), 0);
    let day = wire::iso(START_MS)[..10].to_owned();
    assert_eq!(
        count(&format!("StartTime={day}")),
        5,
        "a queued call has no start"
    );
    assert_eq!(count(&format!("StartTime%3E={day}")), 5);
    assert_eq!(count(&format!("StartTime%3C={day}")), 0);
    assert_eq!(
        count(&format!("StartTime%3C={}", wire::iso(START_MS + 60_000))),
        5
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    let exchange = exchange();
    assert_eq!(ask(&exchange, "PageSize=1001")["code"], 20_007);
    assert_eq!(ask(&exchange, "PageToken=PAxyz")["status"], 400);
    assert_eq!(ask(&exchange, "StartTime=yesterday")["status"], 400);
    assert_eq!(ask(&exchange, "Status=initiated")["status"], 400);
}
