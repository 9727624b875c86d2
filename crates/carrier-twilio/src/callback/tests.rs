//! Callbacks, signed as Twilio signs them by code of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderValue;
use secrecy::SecretString;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::*;

const BASE: &str = "https://calls.example.com";
const CALL: &str = "019a0000-0000-7000-8000-000000000001";
const BUSY: &str = "Called=%2B15005550006&ToState=&CallerCountry=US&Direction=outbound-api\
    &Timestamp=Sat%2C+07+May+2022+14%3A30%3A14+%2B0000&CallbackSource=call-progress-events\
    &SipResponseCode=486&SequenceNumber=2&CallSid=CA01&To=%2B15005550006&ApiVersion=2010-04-01\
    &CallStatus=busy&Duration=0&From=%2B15005550001&CallDuration=0\
    &AccountSid=AC00000000000000000000000000000001&FromCity=";

/// What Twilio signs: the address and the decoded fields, sorted, one after the other.
fn sign(path: &str, body: &str) -> String {
    let fields: std::collections::BTreeSet<(String, String)> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let fields: String = fields.into_iter().map(|(name, value)| name + &value).collect();
    let mac = Hmac::<Sha1>::new_from_slice(b"token").expect("any key");
    STANDARD.encode(
        mac.chain_update(format!("{BASE}{path}{fields}"))
            .finalize()
            .into_bytes(),
    )
}

fn headers(signature: &str, media_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(SIGNATURE, HeaderValue::try_from(signature).expect("a header"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers
}

fn signed_with(token: &str) -> Callbacks {
    Callbacks::new(Expected {
        public_address: BASE.to_owned(),
        tokens: vec![SecretString::from(token)],
        api_secret: None,
    })
}

fn callbacks() -> Callbacks {
    signed_with("token")
}

fn read_with(kind: WebhookKind, path: &str, headers: &HeaderMap, body: &str) -> Result<Report, WebhookError> {
    callbacks().read(&Webhook {
        kind,
        path_and_query: path,
        headers,
        body: body.as_bytes(),
    })
}

/// Reads a form that is signed as it is.
fn read(kind: WebhookKind, path: &str, body: &str) -> Result<Report, WebhookError> {
    read_with(kind, path, &headers(&sign(path, body), FORM), body)
}

fn status_path() -> String {
    format!("/twilio/status?call={CALL}&attempt=2")
}

#[test]
fn a_status_callback_tells_everything_that_it_knows() {
    let report = read(WebhookKind::Status, &status_path(), BUSY).expect("a good callback");
    assert_eq!(report.sid.as_str(), "CA01");
    assert_eq!(report.named, Some((CALL.parse().expect("an id"), 2)));
    let mut fact = Fact::new(Word::Known(AttemptStatus::Busy), Source::Callback);
    fact.sequence = Some(2);
    fact.at = domain::Timestamp::from_rfc2822("Sat, 07 May 2022 14:30:14 +0000");
    fact.duration_seconds = Some(0);
    fact.sip_response_code = Some(486);
    assert!(fact.at.is_some());
    assert_eq!(report.fact, fact);
}

#[test]
fn rarer_fields_are_read_too() {
    let body = "CallSid=CA01&CallStatus=completed&CallDuration=42&AnsweredBy=machine_end_beep&ErrorCode=13224\
        &ErrorMessage=Not+reached";
    let fact = read(WebhookKind::Status, "/s", body)
        .expect("a good callback")
        .fact;
    assert_eq!(fact.duration_seconds, Some(42));
    assert_eq!(fact.answered_by.as_deref(), Some("machine_end_beep"));
    assert_eq!(
        (fact.error_code, fact.error_message.as_deref()),
        (Some(13_224), Some("Not reached"))
    );
}

#[test]
fn details_that_cannot_be_read_do_not_lose_the_word() {
    let body = "CallSid=CA01&CallStatus=ringing&SequenceNumber=x&Timestamp=now&CallDuration=5&SipResponseCode=-1\
        &ErrorCode=none&AnsweredBy=";
    let fact = read(WebhookKind::Status, "/s", body)
        .expect("a good callback")
        .fact;
    assert_eq!(
        fact,
        Fact::new(Word::Known(AttemptStatus::Ringing), Source::Callback)
    );
    let odd = read(WebhookKind::Status, "/s", "CallSid=CA01&CallStatus=on+hold").expect("a good callback");
    assert_eq!(odd.fact.word, Word::Other("on hold".into()));
}

#[test]
fn who_asks_what_to_say_has_a_leg_that_is_up() {
    let path = format!("/twilio/voice?call={CALL}&attempt=1");
    for body in ["CallSid=CA01&CallStatus=in-progress", "CallSid=CA01"] {
        let report = read(WebhookKind::Answer, &path, body).expect("a good request");
        assert_eq!(
            report.fact,
            Fact::new(Word::Known(AttemptStatus::InProgress), Source::Answer)
        );
        assert_eq!(report.named.map(|(_, attempt)| attempt), Some(1));
    }
}

#[test]
fn a_get_has_its_fields_in_its_address() {
    let path = format!("/twilio/voice?call={CALL}&attempt=2&CallSid=CA01&CallStatus=in-progress");
    let report = read(WebhookKind::Answer, &path, "").expect("a good question");
    assert_eq!(report.sid.as_str(), "CA01");
    assert_eq!(report.named.map(|(_, attempt)| attempt), Some(2));
    let other = path.replace("CA01", "CA02");
    let forged = read_with(WebhookKind::Answer, &other, &headers(&sign(&path, ""), FORM), "");
    assert!(matches!(forged, Err(WebhookError::Forged(_))), "{forged:?}");
}

#[test]
fn json_is_read_as_a_form_is_when_its_hash_is_signed() {
    let body = r#"{"CallSid":"CA01","CallStatus":"completed","CallDuration":"7","SequenceNumber":3,
        "AccountSid":"AC00000000000000000000000000000001","Extra":{"a":[1]},"Null":null}"#;
    let hash: String = Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let path = format!("{}&bodySHA256={hash}", status_path());
    let good = headers(&sign(&path, ""), "application/json; charset=utf-8");
    let report = read_with(WebhookKind::Status, &path, &good, body).expect("a good callback");
    assert_eq!(report.named.map(|(_, attempt)| attempt), Some(2));
    assert_eq!(
        (report.fact.duration_seconds, report.fact.sequence),
        (Some(7), Some(3))
    );

    let altered = body.replace("CA01", "CA02");
    assert!(matches!(
        read_with(WebhookKind::Status, &path, &good, &altered),
        Err(WebhookError::Forged(_))
    ));
    let bare = headers(&sign(&status_path(), ""), "application/json");
    let refused = read_with(WebhookKind::Status, &status_path(), &bare, body);
    assert!(
        matches!(refused, Err(WebhookError::Forged(_))),
        "a body that no hash covers"
    );
    let as_form = headers(&sign(&path, ""), FORM);
    let refused = read_with(WebhookKind::Status, &path, &as_form, body);
    assert!(
        matches!(refused, Err(WebhookError::Forged(_))),
        "the fields of a form are signed one by one"
    );
}

#[test]
fn a_body_that_is_neither_form_nor_object_is_malformed_though_signed() {
    for body in ["[1]", "\"x\"", "{", "CallSid=CA01"] {
        let hash: String = Sha256::digest(body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = format!("/s?bodySHA256={hash}");
        let refused = read_with(
            WebhookKind::Status,
            &path,
            &headers(&sign(&path, ""), "text/plain"),
            body,
        );
        assert!(
            matches!(refused, Err(WebhookError::Malformed { field: "body", .. })),
            "{body}"
        );
    }
}

fn check_malformed(path: &str, body: &str, expected: &'static str) {
    match read(WebhookKind::Status, path, body) {
        Err(WebhookError::Malformed { field, .. }) => assert_eq!(field, expected, "{path} {body}"),
        other => panic!("{path} {body}\n{other:?}"),
    }
}

#[test]
fn what_must_be_there_and_is_not_is_named() {
    check_malformed("/s", "", "CallSid");
    check_malformed("/s", "CallStatus=busy", "CallSid");
    check_malformed("/s", "CallSid=&CallStatus=busy", "CallSid");
    check_malformed("/s", "CallSid=C+A&CallStatus=busy", "CallSid");
    check_malformed("/s", "CallSid=CA01", "CallStatus");
    check_malformed("/s", "CallSid=CA01&CallStatus=", "CallStatus");
    check_malformed("/s", "CallSid=CA01&CallSid=CA02&CallStatus=busy", "CallSid");
    check_malformed(
        "/s",
        "CallSid=CA01&CallStatus=busy&CallStatus=completed",
        "CallStatus",
    );
}

#[test]
fn a_name_that_we_did_not_write_names_nothing_to_a_status_and_is_refused_by_an_answer() {
    let good = "CallSid=CA01&CallStatus=in-progress";
    let other = read(WebhookKind::Answer, "/s?other=1", good).expect("an address without our names");
    assert_eq!(other.named, None);
    let mut paths = vec!["/s?call=x&attempt=1".to_owned(), "/s?attempt=1".to_owned()];
    paths.push(format!("/s?call={CALL}"));
    for attempt in ["", "0", "+1", "1x", "99999999999", "1&attempt=2"] {
        paths.push(format!("/s?call={CALL}&attempt={attempt}"));
    }
    for path in paths {
        let report = read(WebhookKind::Status, &path, good).expect("the carrier's own request");
        assert_eq!(report.named, None, "{path}");
        let refused = read(WebhookKind::Answer, &path, good);
        assert!(matches!(refused, Err(WebhookError::Malformed { .. })), "{path}");
    }
}

#[test]
fn nothing_is_looked_at_before_the_signature_is_good() {
    let path = status_path();
    let good = sign(&path, BUSY);
    let mut none = headers(&good, FORM);
    none.remove(SIGNATURE);
    let mut two = headers(&good, FORM);
    two.append(SIGNATURE, HeaderValue::try_from(&good).expect("a header"));
    let stranger = signed_with("other");
    let plain = headers(&good, FORM);
    for (what, refused) in [
        ("no signature", read_with(WebhookKind::Status, &path, &none, BUSY)),
        (
            "two signatures",
            read_with(WebhookKind::Status, &path, &two, BUSY),
        ),
        (
            "an empty one",
            read_with(WebhookKind::Status, &path, &headers("", FORM), BUSY),
        ),
        (
            "another body",
            read_with(
                WebhookKind::Status,
                &path,
                &plain,
                &BUSY.replace("busy", "completed"),
            ),
        ),
        (
            "another attempt",
            read_with(WebhookKind::Status, &path.replace("=2", "=1"), &plain, BUSY),
        ),
        (
            "an unsigned body without a SID",
            read_with(WebhookKind::Status, &path, &headers("x", FORM), "a=b"),
        ),
        (
            "another token",
            stranger.read(&Webhook {
                kind: WebhookKind::Status,
                path_and_query: &path,
                headers: &plain,
                body: BUSY.as_bytes(),
            }),
        ),
    ] {
        assert!(matches!(refused, Err(WebhookError::Forged(_))), "{what}");
    }
}

#[test]
fn what_a_request_says_about_its_own_address_is_not_believed() {
    let mut headers = headers(&sign(&status_path(), BUSY), FORM);
    for name in [
        "host",
        "x-forwarded-host",
        "x-forwarded-proto",
        "forwarded",
        "x-original-url",
    ] {
        headers.insert(name, HeaderValue::from_static("evil.example"));
    }
    assert!(read_with(WebhookKind::Status, &status_path(), &headers, BUSY).is_ok());
}
