//! Who may ask, and what paths mean.

use super::*;
use crate::Options;
use crate::fault::Faults;
use serde_json::Value;

fn ask(exchange: &mut Exchange, method: &str, path: &str, user: &str, body: &str) -> (u16, Value) {
    let authorization = format!("Basic {}", STANDARD.encode(user));
    let authorization = (!user.is_empty()).then_some(authorization.as_str());
    let incoming = Incoming {
        method,
        path,
        query: None,
        authorization,
        body: body.as_bytes(),
    };
    match answer(exchange, 1_795_000_000_000, &incoming).answer {
        Answer::Reply { status, body } => (status, serde_json::from_str(&body).expect("JSON")),
        Answer::Cut => (0, Value::Null),
    }
}

const RIGHT: &str = "AC1:secret";
const CALLS: &str = "/2010-04-01/Accounts/AC1/Calls.json";
const CREATE: &str = "To=%2B15551230100&From=%2B15557770001&Url=http%3A%2F%2Fh.test%2Fv";

fn exchange() -> Exchange {
    Exchange::new(Options {
        account_sid: "AC1".into(),
        auth_token: "secret".into(),
        ..Options::default()
    })
}

#[test]
fn only_the_account_with_its_token_may_ask() {
    for user in ["", "AC1:wrong", "AC2:secret", "AC1"] {
        let (status, body) = ask(&mut exchange(), "POST", CALLS, user, CREATE);
        assert_eq!((status, &body["code"]), (401, &20_003.into()), "{user}");
    }
    assert_eq!(ask(&mut exchange(), "POST", CALLS, RIGHT, CREATE).0, 201);
}

#[test]
fn another_account_and_an_unknown_call_are_not_found() {
    for path in [
        "/2010-04-01/Accounts/AC2/Calls.json",
        "/2010-04-01/Accounts/AC1/Calls/CA1.json",
        "/",
        "/2010-04-01/Accounts/AC1/Calls",
    ] {
        let (status, body) = ask(&mut exchange(), "GET", path, RIGHT, "");
        assert_eq!((status, &body["code"]), (404, &20_404.into()), "{path}");
    }
}

#[test]
fn a_created_call_can_be_read_changed_and_listed() {
    let exchange = &mut exchange();
    let (_, created) = ask(exchange, "POST", CALLS, RIGHT, CREATE);
    assert_eq!(created["status"], "queued");
    assert_eq!(created["direction"], "outbound-api");
    assert_eq!(created["start_time"], Value::Null);
    let date = created["date_created"].as_str().expect("a date");
    assert!(
        jiff::fmt::rfc2822::parse(date).is_ok() && date.ends_with(" +0000"),
        "{date}"
    );
    let uri = created["uri"].as_str().expect("an address").to_owned();
    assert_eq!(ask(exchange, "GET", &uri, RIGHT, "").1, created);
    assert_eq!(ask(exchange, "GET", CALLS, RIGHT, "").1["calls"][0], created);
    assert_eq!(
        ask(exchange, "POST", &uri, RIGHT, "Status=completed").1["status"],
        "canceled"
    );
    assert_eq!(ask(exchange, "DELETE", &uri, RIGHT, "").0, 405);
}

#[test]
fn faults_of_the_whole_carrier_come_first_and_place_nothing() {
    let exchange = &mut exchange();
    exchange.set_faults(Faults {
        down: true,
        ..Faults::default()
    });
    assert_eq!(ask(exchange, "POST", CALLS, RIGHT, CREATE).0, 0);
    exchange.set_faults(Faults {
        suspended: true,
        ..Faults::default()
    });
    assert_eq!(ask(exchange, "POST", CALLS, RIGHT, CREATE).0, 401);
    assert!(exchange.calls().is_empty());
}

#[test]
fn the_account_and_its_numbers_have_the_shapes_of_the_vendor() {
    let exchange = &mut exchange();
    let (status, account) = ask(exchange, "GET", "/2010-04-01/Accounts/AC1.json", RIGHT, "");
    assert_eq!((status, &account["status"]), (200, &"active".into()));
    assert_eq!(account["type"], "Full");
    let (_, rented) = ask(
        exchange,
        "GET",
        "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json",
        RIGHT,
        "",
    );
    let voices: Vec<&Value> = rented["incoming_phone_numbers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|number| &number["capabilities"]["voice"])
        .collect();
    assert_eq!(voices, [true, false]);
    let (_, verified) = ask(
        exchange,
        "GET",
        "/2010-04-01/Accounts/AC1/OutgoingCallerIds.json",
        RIGHT,
        "",
    );
    let verified = &verified["outgoing_caller_ids"][0]["phone_number"];
    assert_eq!(verified, "+15551230100");
    exchange.set_faults(Faults {
        trial: true,
        ..Faults::default()
    });
    let (_, account) = ask(exchange, "GET", "/2010-04-01/Accounts/AC1.json", RIGHT, "");
    assert_eq!(account["type"], "Trial");
}
