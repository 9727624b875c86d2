//! The form of a dial, field by field and against Twilio's own description.

use std::collections::BTreeSet;

use domain::{Script, Timestamp};

use super::*;

fn dial() -> DialCommand {
    DialCommand {
        call: domain::CallId::new(Timestamp::from_millis(1_795_341_600_000), [7; 10]),
        attempt: 2,
        to: "+15551230100".parse().expect("a number"),
        from: "+15550001111".parse().expect("a number"),
        script: Script::Url("https://a.example".to_owned()),
        ring_timeout: Duration::from_secs(60),
        time_limit: Duration::from_millis(90_500),
        machine_detection: MachineDetection::Off,
    }
}

fn pairs(form: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

fn values<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    pairs
        .iter()
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .collect()
}

#[test]
fn a_dial_asks_for_everything_that_the_engine_relies_on() {
    let dial = dial();
    let form = form(&dial, Some("https://calls.example.com/base"), || {
        unreachable!("no document goes along")
    });
    let query = format!("?call={}&attempt=2", dial.call);
    let expected = [
        ("To", "+15551230100".to_owned()),
        ("From", "+15550001111".to_owned()),
        (
            "Url",
            format!("https://calls.example.com/base/twilio/voice{query}"),
        ),
        ("Method", "POST".to_owned()),
        (
            "StatusCallback",
            format!("https://calls.example.com/base/twilio/status{query}#rc=3&rp=5xx,ct,rt&ct=2000&rt=4000"),
        ),
        ("StatusCallbackMethod", "POST".to_owned()),
        ("StatusCallbackEvent", "initiated".to_owned()),
        ("StatusCallbackEvent", "ringing".to_owned()),
        ("StatusCallbackEvent", "answered".to_owned()),
        ("StatusCallbackEvent", "completed".to_owned()),
        ("Timeout", "60".to_owned()),
        ("TimeLimit", "91".to_owned()),
    ];
    assert_eq!(
        pairs(&form),
        expected.map(|(name, value)| (name.to_owned(), value)).to_vec()
    );
}

#[test]
fn without_a_public_address_the_document_goes_along_and_nothing_is_asked_back() {
    let pairs = pairs(&form(&dial(), None, || "<Response/>".to_owned()));
    assert_eq!(values(&pairs, "Twiml"), ["<Response/>"]);
    for absent in [
        "Url",
        "Method",
        "StatusCallback",
        "StatusCallbackMethod",
        "StatusCallbackEvent",
    ] {
        assert_eq!(values(&pairs, absent), Vec::<&str>::new(), "{absent}");
    }
    assert_eq!(values(&pairs, "TimeLimit"), ["91"]);
}

#[test]
fn machine_detection_is_asked_for_in_twilios_words() {
    for (asked, sent) in [
        (MachineDetection::Off, &[][..]),
        (MachineDetection::Enable, &["Enable"]),
        (MachineDetection::DetectMessageEnd, &["DetectMessageEnd"]),
    ] {
        let command = DialCommand {
            machine_detection: asked,
            ..dial()
        };
        assert_eq!(
            values(&pairs(&form(&command, None, String::new)), "MachineDetection"),
            sent
        );
    }
}

#[test]
fn every_parameter_that_is_sent_is_one_that_twilio_describes() {
    let file = include_str!("../../tests/data/twilio_calls_openapi.json");
    let file: serde_json::Value = serde_json::from_str(file).expect("it is JSON");
    let create = &file["paths"]["/2010-04-01/Accounts/{AccountSid}/Calls.json"]["post"];
    let schema = &create["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    let described = schema["properties"]
        .as_object()
        .expect("the parameters are described");
    let command = DialCommand {
        machine_detection: MachineDetection::Enable,
        ..dial()
    };
    let mut sent = BTreeSet::new();
    for address in [None, Some("https://calls.example.com")] {
        sent.extend(
            pairs(&form(&command, address, String::new))
                .into_iter()
                .map(|(name, _)| name),
        );
    }
    assert!(sent.len() >= 11);
    for name in &sent {
        assert!(described.contains_key(name), "{name}");
    }
    for required in schema["required"].as_array().expect("some are required") {
        assert!(sent.contains(required.as_str().expect("a name")), "{required}");
    }
    assert_eq!(
        file["components"]["schemas"]["call_enum_event"]["enum"],
        serde_json::json!(EVENTS)
    );
}
