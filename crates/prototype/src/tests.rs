//! From the bytes of an export to calls, and what is said of those that are none.

use std::time::Duration;

use domain::{CallStatus, EventKind, MachineDetection};

use super::*;

/// 2026-11-22T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// What an operator has set; what the prototype fixed is something else on purpose.
pub(crate) fn policy() -> Policy {
    Policy {
        max_attempts: 9,
        retry_delays: vec![Duration::from_secs(1)],
        retry_on: domain::retry::RetryOn {
            busy: false,
            ..Default::default()
        },
        ring_timeout: Duration::from_secs(45),
        time_limit: Duration::from_secs(3_600),
        give_up_after: Duration::from_secs(86_400),
        machine_detection: MachineDetection::Off,
    }
}

/// The calls and complaints of an export.
fn import(export: &str) -> Vec<Result<Converted, String>> {
    let mut found = Vec::new();
    let mut each = |piece: Piece<'_>| {
        found.push(read(&piece, &policy(), NOW).map_err(|broken| broken.to_string()));
    };
    let mut splitter = Splitter::default();
    splitter.push(export.as_bytes(), &mut each);
    splitter.finish(&mut each);
    found
}

const CANONICAL: &str = r#"{"_id":{"$oid":"656e6f7a1f2c3d4e5f607182"},"user_id":"ada","to":"+15551230104","from":"+15550001111","twilio_sid":"CA1","status":"busy","attempt_count":{"$numberInt":"1"},"max_attempts":{"$numberInt":"3"},"should_retry":true,"next_retry_at":{"$date":{"$numberLong":"1795341720000"}},"attempts":[{"attempt_number":{"$numberInt":"1"},"twilio_sid":"CA1","status":"busy","timestamp":{"$date":{"$numberLong":"1795341600000"}},"error_message":null,"_id":{"$oid":"656e6f7a1f2c3d4e5f607183"}}],"created_at":{"$date":{"$numberLong":"1795341599000"}},"updated_at":{"$date":{"$numberLong":"1795341600500"}},"__v":{"$numberInt":"1"}}"#;

const RELAXED: &str = r#"{
  "_id": {"$oid": "656e6f7a1f2c3d4e5f607182"},
  "user_id": "ada", "to": "+15551230104", "from": "+15550001111",
  "twilio_sid": "CA1", "status": "busy", "attempt_count": 1, "max_attempts": 3,
  "should_retry": true, "next_retry_at": {"$date": "2026-11-22T10:02:00Z"},
  "attempts": [
    {"attempt_number": 1, "twilio_sid": "CA1", "status": "busy", "timestamp": {"$date": "2026-11-22T10:00:00Z"}}
  ],
  "created_at": {"$date": "2026-11-22T09:59:59Z"}, "updated_at": {"$date": "2026-11-22T10:00:00.5Z"}
}"#;

#[test]
fn canonical_and_relaxed_exports_give_the_same_call() {
    let forms = [
        CANONICAL.to_owned(),
        format!("[{CANONICAL}]"),
        format!("[\n{RELAXED},\n]"),
        RELAXED.to_owned(),
    ];
    let calls: Vec<Converted> = forms
        .iter()
        .map(|export| import(export)[0].clone().expect("a call"))
        .collect();
    assert!(calls.iter().all(|call| *call == calls[0]), "{calls:#?}");
    let call = &calls[0].step.call;
    assert_eq!(call.id.to_string(), "656e6f7a1f2c3d4e5f607182");
    assert_eq!(
        (call.request.user_id.as_str(), call.request.to.reveal()),
        ("ada", "+15551230104")
    );
    assert_eq!(call.status(), CallStatus::Busy);
    assert_eq!(call.next_retry_at(), Some(NOW + Duration::from_secs(120)));
    assert_eq!(
        (call.created_at, call.updated_at),
        (NOW - Duration::from_secs(1), NOW + Duration::from_millis(500))
    );
    assert_eq!(call.attempts.len(), 1);
    assert_eq!(calls[0].remarks, [""; 0]);
    let told = &calls[0].step.events;
    assert_eq!(told.len(), 1);
    let message = "imported as `busy`, to be retried".to_owned();
    assert_eq!(
        (told[0].at, &told[0].kind),
        (NOW, &EventKind::Imported { message })
    );
}

#[test]
fn what_the_prototype_fixed_holds_and_the_rest_is_the_operators() {
    let call = import(CANONICAL)[0].clone().expect("a call").step.call;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let expected = Policy {
        max_attempts: 3,
        retry_delays: vec![minutes(2), minutes(5), minutes(10)],
        retry_on: Default::default(),
        ..policy()
    };
    assert_eq!(call.request.policy, expected);
}

/// One change to a document that is in order, and what is said of it then.
#[track_caller]
fn refused(from: &str, to: &str, why: &str) {
    assert!(CANONICAL.contains(from), "{from}");
    let export = format!("\n{}\n{CANONICAL}", CANONICAL.replacen(from, to, 1));
    let found = import(&export);
    assert_eq!(
        found[0].as_ref().map(drop),
        Err(&format!("line 2: {why}")),
        "{to}"
    );
    assert_eq!(found.len(), 2);
    assert!(found[1].is_ok());
}

#[test]
fn a_document_that_cannot_be_names_its_line_and_field() {
    let id = r#""_id":{"$oid":"656e6f7a1f2c3d4e5f607182"},"#;
    refused(id, "", "_id: is missing");
    refused(
        id,
        r#""_id":"x","#,
        r#"_id: must be an ObjectId such as {"$oid": "656e6f7a1f2c3d4e5f607182"}"#,
    );
    refused(
        "656e6f7a1f",
        "656E6F7A1F",
        "_id: must be an ObjectId of 24 digits, 0 to 9 and a to f",
    );
    refused(
        r#""ada""#,
        r#""""#,
        "user_id: must be a text of 1 to 255 bytes without control characters",
    );
    refused(r#""ada""#, "7", "user_id: must be a text");
    let phone =
        "must be + and 8 to 15 digits, the first not 0, without spaces or separators, such as +15551230100";
    refused("+15551230104", "5551230104", &format!("to: {phone}"));
    refused("+15550001111", "anonymous", &format!("from: {phone}"));
    refused(r#""to":"+15551230104","#, "", "to: is missing");
    refused(
        r#""status":"busy","attempt_count""#,
        r#""status":"ended","attempt_count""#,
        "status: must be one of queued, initiated, ringing, in-progress, completed, busy, no-answer, failed, canceled",
    );
    refused(
        r#""max_attempts":{"$numberInt":"3"}"#,
        r#""max_attempts":50"#,
        "max_attempts: must be 1 to 20",
    );
    refused(
        r#""should_retry":true"#,
        r#""should_retry":1"#,
        "should_retry: must be true or false",
    );
    refused(
        r#""attempt_number":{"$numberInt":"1"}"#,
        r#""attempt_number":2"#,
        "attempts.0.attempt_number: must be 1: attempts stand in their order, counted from 1",
    );
    refused(
        r#""timestamp":{"$date":{"$numberLong":"1795341600000"}}"#,
        r#""timestamp":"soon""#,
        r#"attempts.0.timestamp: must be a date such as {"$date": "2026-11-22T10:00:00Z"}, from 1970 on"#,
    );
    refused(
        r#""__v""#,
        r#""attempts":[{"twilio_sid":"CA1","status":"busy"},{"twilio_sid":"CA1","status":"busy"}],"__v""#,
        "attempts.1.twilio_sid: is an earlier attempt's too",
    );
    refused(
        r#""twilio_sid":"CA1","status""#,
        r#""twilio_sid":"CA 1","status""#,
        "twilio_sid: must be 1 to 128 visible characters",
    );
    refused(
        r#","__v":{"$numberInt":"1"}}"#,
        "",
        "not a whole JSON document: EOF while parsing an object (column 595)",
    );
    refused(
        r#""ada""#,
        r#"ada"#,
        "not a whole JSON document: expected value (column 54)",
    );
}

#[test]
fn a_telephone_number_stands_in_no_complaint() {
    for broken in [
        "+15551230104,busy".to_owned(),
        CANONICAL.replace("+15551230104", "(+15551230104)"),
        CANONICAL.replace(r#""busy""#, r#""buzy""#),
    ] {
        let why = import(&broken)[0].clone().expect_err("broken");
        assert!(!why.contains("0104"), "{why}");
    }
}
