//! The whole seam over a scripted transport: what goes out, and what is made of what comes back.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use domain::{AttemptStatus, CallId, MachineDetection, Word};
use http::{Method, Request};
use secrecy::SecretString;

use super::list::MOST_PAGES;
use super::*;

mod account;
mod probe;

const SID: &str = "CA00000000000000000000000000000001";

/// One prepared answer.
enum Scripted {
    Answer(u16, String),
    Unreachable,
    Cut,
    NotWritten,
}

/// Plays the carrier: gives the prepared answers in order and keeps what was sent.
#[derive(Default)]
struct Play {
    answers: Mutex<VecDeque<Scripted>>,
    sent: Mutex<Vec<Request<Bytes>>>,
}

struct Played(Arc<Play>);

#[async_trait]
impl Transport for Played {
    async fn connect(&self, within: Duration) -> Result<Box<dyn Connection>, ConnectError> {
        let mut answers = self.0.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(answers.front(), Some(Scripted::Unreachable)) {
            answers.pop_front();
            return Err(ConnectError::TooSlow { within });
        }
        Ok(Box::new(Played(Arc::clone(&self.0))))
    }
}

#[async_trait]
impl Connection for Played {
    async fn send(
        self: Box<Self>,
        request: Request<Bytes>,
        gate: &dyn Gate,
        _within: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        if !gate.is_open() {
            return Err(SendError::KeptBack);
        }
        self.0
            .sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        let next = self
            .0
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        match next.expect("an answer is prepared for every request") {
            Scripted::Answer(status, body) => Ok(Response::builder()
                .status(status)
                .header("date", "Sun, 22 Nov 2026 10:00:00 GMT")
                .body(Bytes::from(body))
                .expect("a test's answer is valid")),
            Scripted::Cut => Err(SendError::InDoubt("reset by peer".into())),
            Scripted::NotWritten => Err(SendError::NotWritten("reset by peer".into())),
            Scripted::Unreachable => panic!("a connection was made"),
        }
    }
}

struct Door(bool);

impl Gate for Door {
    fn is_open(&self) -> bool {
        self.0
    }
}

fn settings() -> Settings {
    Settings {
        account_sid: "AC1".to_owned(),
        auth_tokens: vec![SecretString::from("current"), SecretString::from("previous")],
        api_key: None,
        api_address: "https://api.example.com:8443/laml".to_owned(),
        public_address: "https://calls.example.com".to_owned(),
        inline_only: false,
        verbs: ["Say", "Hangup"].map(String::from).to_vec(),
    }
}

fn carrier(answers: impl IntoIterator<Item = Scripted>) -> (Twilio, Arc<Play>) {
    carrier_with(settings(), answers)
}

fn carrier_with(settings: Settings, answers: impl IntoIterator<Item = Scripted>) -> (Twilio, Arc<Play>) {
    let script = Arc::new(Play::default());
    script
        .answers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(answers);
    let twilio = Twilio::over(settings, Arc::new(Played(Arc::clone(&script)))).expect("good settings");
    (twilio, script)
}

fn answer(status: u16, body: &str) -> Scripted {
    Scripted::Answer(status, body.to_owned())
}

fn denial(status: u16, code: u32) -> Scripted {
    Scripted::Answer(
        status,
        format!(r#"{{"code":{code},"message":"Words","status":{status}}}"#),
    )
}

/// What was sent, as `METHOD path form`.
fn sent(script: &Play) -> Vec<String> {
    let line = |it: &Request<Bytes>| {
        format!(
            "{} {} {}",
            it.method(),
            it.uri(),
            String::from_utf8_lossy(it.body())
        )
        .trim_end()
        .to_owned()
    };
    script
        .sent
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .map(line)
        .collect()
}

fn dial() -> DialCommand {
    DialCommand {
        call: CallId::new(Timestamp::from_millis(1), [0; 10]),
        attempt: 1,
        to: phone("+15551230100"),
        from: phone("+15550001111"),
        script: Script::Say {
            message: "Hi".to_owned(),
            language: None,
            voice: None,
        },
        ring_timeout: Duration::from_secs(60),
        time_limit: Duration::from_secs(600),
        machine_detection: MachineDetection::Off,
    }
}

fn phone(text: &str) -> Phone {
    text.parse().expect("a number")
}

fn sid(text: &str) -> Sid {
    Sid::new(text).expect("a SID")
}

async fn place(twilio: &Twilio, open: bool) -> Reply<Placement> {
    let line = twilio.connect(Duration::from_secs(5)).await.expect("a line");
    line.place(&dial(), &Door(open)).await
}

#[tokio::test]
async fn a_dial_is_one_request_signed_in_and_marked_as_ours() {
    let (twilio, script) = carrier([answer(201, &format!(r#"{{"sid":"{SID}"}}"#))]);
    let reply = place(&twilio, true).await;
    assert_eq!(reply.outcome, Placement::Placed(sid(SID)));
    assert_eq!(reply.date.map(Timestamp::millis), Some(1_795_341_600_000));

    let sent = script.sent.lock().unwrap_or_else(PoisonError::into_inner);
    let [request] = &sent[..] else {
        panic!("one request")
    };
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/laml/2010-04-01/Accounts/AC1/Calls.json");
    let header = |name: &str| request.headers()[name].to_str().expect("text");
    assert_eq!(header("host"), "api.example.com:8443");
    // base64 of AC1:current
    assert_eq!(header("authorization"), "Basic QUMxOmN1cnJlbnQ=");
    assert!(request.headers()["authorization"].is_sensitive());
    assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        header("user-agent"),
        format!("redial/{}", env!("CARGO_PKG_VERSION"))
    );
    let body = String::from_utf8_lossy(request.body());
    assert!(
        body.contains("&Url=https%3A%2F%2Fcalls.example.com%2Ftwilio%2Fvoice%3Fcall%3D"),
        "{body}"
    );
}

#[tokio::test]
async fn an_api_key_signs_in_when_there_is_one() {
    let key = ApiKey {
        sid: "SK1".to_owned(),
        secret: SecretString::from("s"),
    };
    let settings = Settings {
        api_key: Some(key),
        ..settings()
    };
    let (twilio, script) = carrier_with(settings, [answer(200, r#"{"calls":[]}"#)]);
    assert_eq!(twilio.ping().await.outcome, Ok(()));
    assert_eq!(
        sent(&script),
        ["GET /laml/2010-04-01/Accounts/AC1/Calls.json?PageSize=1"]
    );
    let sent = script.sent.lock().unwrap_or_else(PoisonError::into_inner);
    // base64 of SK1:s
    assert_eq!(sent[0].headers()["authorization"], "Basic U0sxOnM=");
}

#[tokio::test]
async fn what_went_wrong_on_the_way_is_judged_by_whether_a_byte_left() {
    let (twilio, script) = carrier([]);
    assert_eq!(
        place(&twilio, false).await.outcome,
        Placement::NotSent(NotSent::Gate)
    );
    assert_eq!(sent(&script).len(), 0);

    let (twilio, _) = carrier([Scripted::NotWritten]);
    let Placement::NotSent(NotSent::Cut(why)) = place(&twilio, true).await.outcome else {
        panic!("not sent")
    };
    assert_eq!(
        why,
        "the connection failed before the first byte was written: reset by peer"
    );

    let (twilio, script) = carrier([Scripted::Cut]);
    let Placement::InDoubt { why } = place(&twilio, true).await.outcome else {
        panic!("in doubt")
    };
    assert_eq!(
        why,
        "the request may have been received, its answer was not: reset by peer"
    );
    assert_eq!(sent(&script).len(), 1, "nothing is sent twice");

    let (twilio, _) = carrier([Scripted::Unreachable]);
    let refused = twilio.connect(Duration::from_millis(5)).await.map(drop);
    assert_eq!(
        refused,
        Err(Unreachable("no connection to the carrier within 5 ms".to_owned()))
    );
}

#[tokio::test]
async fn while_nobody_can_call_back_the_document_goes_along() {
    let settings = Settings {
        public_address: "http://127.0.0.1:8080".to_owned(),
        ..settings()
    };
    let (twilio, script) = carrier_with(settings, [answer(201, &format!(r#"{{"sid":"{SID}"}}"#))]);
    assert!(!twilio.calls_back());
    place(&twilio, true).await;
    let sent = sent(&script);
    assert!(
        sent[0].contains("&Twiml=%3C%3Fxml") && !sent[0].contains("Callback"),
        "{}",
        sent[0]
    );
}

#[tokio::test]
async fn hanging_up_is_over_when_the_leg_is_over() {
    let path = format!("POST /laml/2010-04-01/Accounts/AC1/Calls/{SID}.json");
    let (completed, canceled) = (
        format!("{path} Status=completed"),
        format!("{path} Status=canceled"),
    );
    let unknown = || Err(AskError::Refused("20404: Words".to_owned()));
    for (answers, outcome, requests) in [
        (vec![answer(200, "{}")], Ok(()), vec![&completed]),
        (
            vec![denial(400, 21_220), answer(200, "{}")],
            Ok(()),
            vec![&completed, &canceled],
        ),
        (
            vec![denial(400, 21_220), denial(400, 21_220)],
            Ok(()),
            vec![&completed, &canceled],
        ),
        (
            vec![denial(400, 21_220), denial(404, 20_404)],
            unknown(),
            vec![&completed, &canceled],
        ),
        (vec![denial(404, 20_404)], unknown(), vec![&completed]),
        (
            vec![denial(401, 20_003)],
            Err(AskError::Account("20003: Words".to_owned())),
            vec![&completed],
        ),
        (
            vec![answer(503, "")],
            Err(AskError::Unanswered("HTTP 503".to_owned())),
            vec![&completed],
        ),
    ] {
        let (twilio, script) = carrier(answers);
        assert_eq!(twilio.hang_up(&sid(SID)).await.outcome, outcome);
        assert_eq!(sent(&script).iter().collect::<Vec<_>>(), requests);
    }
}

#[tokio::test]
async fn a_leg_is_looked_up_by_its_name_and_a_missing_one_is_nothing() {
    let found = format!(r#"{{"sid":"{SID}","status":"no-answer"}}"#);
    let (twilio, script) = carrier([answer(200, &found), denial(404, 20_404)]);
    let fact = twilio
        .look_up(&sid(SID))
        .await
        .outcome
        .expect("an answer")
        .expect("a leg");
    assert_eq!(fact.word, Word::Known(AttemptStatus::NoAnswer));
    assert_eq!(twilio.look_up(&sid("a/../b?c")).await.outcome, Ok(None));
    assert_eq!(
        sent(&script),
        [
            format!("GET /laml/2010-04-01/Accounts/AC1/Calls/{SID}.json"),
            "GET /laml/2010-04-01/Accounts/AC1/Calls/a%2F%2E%2E%2Fb%3Fc.json".to_owned(),
        ]
    );
    for useless in [
        "",
        "{}",
        r#"{"sid":"CA2","status":"busy"}"#,
        &found.replace("status", "gone"),
    ] {
        let (twilio, _) = carrier([answer(200, useless)]);
        let outcome = twilio.look_up(&sid(SID)).await.outcome;
        assert!(matches!(outcome, Err(AskError::Unanswered(_))), "{useless}");
    }
    let (twilio, _) = carrier([answer(404, "<html/>")]);
    let outcome = twilio.look_up(&sid(SID)).await.outcome;
    assert!(
        matches!(outcome, Err(AskError::Unanswered(_))),
        "a 404 that is not the carrier's proves nothing"
    );
}

fn listed(name: &str, direction: &str, second: u32) -> String {
    format!(
        r#"{{"sid":"{name}","status":"queued","direction":"{direction}",
            "date_created":"Sun, 22 Nov 2026 10:00:{second:02} +0000"}}"#
    )
}

fn page(calls: &[String], next: &str) -> Scripted {
    Scripted::Answer(
        200,
        format!(r#"{{"calls":[{}],"next_page_uri":{next}}}"#, calls.join(",")),
    )
}

async fn find(twilio: &Twilio) -> Result<Vec<String>, AskError> {
    let not_before = "2026-11-22T10:00:05Z".parse().expect("a moment");
    let reply = twilio
        .find(&phone("+15550001111"), &phone("+15551230100"), not_before)
        .await;
    reply
        .outcome
        .map(|legs| legs.into_iter().map(|leg| leg.sid.as_str().to_owned()).collect())
}

const PAGE: &str = "/laml/2010-04-01/Accounts/AC1/Calls.json?Page=1&PageToken=x";

#[tokio::test]
async fn a_list_is_read_to_its_end_and_only_our_recent_legs_are_kept() {
    let first = [
        listed("CA1", "outbound-api", 9),
        listed("CA2", "inbound", 9),
        listed("CA3", "outbound-api", 4),
    ];
    let second = [listed("CA4", "outbound-api", 5)];
    let (twilio, script) = carrier([
        page(&first, &format!("\"{PAGE}\"")),
        page(&[], &format!("\"https://api.example.com:8443{PAGE}\"")),
        page(&second, "null"),
    ]);
    assert_eq!(find(&twilio).await, Ok(vec!["CA1".to_owned(), "CA4".to_owned()]));
    let start =
        "GET /laml/2010-04-01/Accounts/AC1/Calls.json?To=%2B15551230100&From=%2B15550001111&PageSize=200";
    assert_eq!(
        sent(&script),
        [start.to_owned(), format!("GET {PAGE}"), format!("GET {PAGE}")]
    );
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_proves_nothing() {
    let leg = || [listed("CA1", "outbound-api", 9)];
    for next in [
        "\"https://evil.example/2010-04-01/Accounts/AC1/Calls.json?Page=1\"",
        "\"//evil.example/laml/2010-04-01/Accounts/AC1/Calls.json?Page=1\"",
        "\"https://api.example.com:8443@evil.example/laml/2010-04-01/Accounts/AC1/Calls.json?Page=1\"",
        "\"/laml/2010-04-01/Accounts/AC2/Calls.json?Page=1\"",
        "\"/laml/2010-04-01/Accounts/AC1/Calls/CA1.json?Page=1\"",
        "\"/laml/2010-04-01/Accounts/AC1/Calls.json?a b\"",
    ] {
        let (twilio, script) = carrier([page(&leg(), next)]);
        assert!(
            matches!(find(&twilio).await, Err(AskError::Unanswered(_))),
            "{next}"
        );
        assert_eq!(sent(&script).len(), 1, "{next}");
    }
    for second in [
        answer(500, ""),
        answer(200, "{}"),
        answer(200, ""),
        Scripted::Cut,
        Scripted::Unreachable,
    ] {
        let (twilio, _) = carrier([page(&leg(), &format!("\"{PAGE}\"")), second]);
        assert!(matches!(find(&twilio).await, Err(AskError::Unanswered(_))));
    }
    let (twilio, _) = carrier([page(&[r#"{"sid":"CA1","status":"queued"}"#.to_owned()], "null")]);
    assert!(
        matches!(find(&twilio).await, Err(AskError::Unanswered(_))),
        "a leg without a date"
    );
    let endless = (0..MOST_PAGES).map(|_| page(&leg(), &format!("\"{PAGE}\"")));
    let (twilio, script) = carrier(endless);
    assert!(
        matches!(find(&twilio).await, Err(AskError::Unanswered(_))),
        "no list is followed for ever"
    );
    assert_eq!(sent(&script).len(), MOST_PAGES);
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_refused_and_not_merely_empty() {
    for (status, code) in [(404, 20_404), (401, 20_003), (403, 20_403)] {
        let words = format!("{code}: Words");
        let (twilio, _) = carrier([denial(status, code), denial(status, code)]);
        assert_eq!(find(&twilio).await, Err(AskError::Account(words.clone())));
        assert_eq!(twilio.ping().await.outcome, Err(AskError::Account(words)));
    }
}

fn check_script(twilio: &Twilio, script: &Script, expected: Option<&str>) {
    assert_eq!(
        twilio.check(script).err().map(|fault| fault.field),
        expected,
        "{script:?}"
    );
}

fn spoken(message: &str, language: Option<&str>, voice: Option<&str>) -> Script {
    let (language, voice) = (language.map(String::from), voice.map(String::from));
    Script::Say {
        message: message.to_owned(),
        language,
        voice,
    }
}

#[test]
fn scripts_are_checked_before_a_call_is_taken() {
    let (twilio, _) = carrier([]);
    check_script(
        &twilio,
        &spoken("Hi", Some("en-GB"), Some("Polly.Amy-Neural")),
        None,
    );
    check_script(&twilio, &spoken("Hi", Some("en GB"), None), Some("language"));
    check_script(&twilio, &spoken("Hi", None, Some("")), Some("voice"));
    check_script(&twilio, &spoken(&"&".repeat(4_000), None, None), None);
    check_script(&twilio, &Script::Url("https://a.example/x?y=1".to_owned()), None);
    for bad in [
        "",
        "a.example",
        "ftp://a.example",
        "https://",
        "https://a b",
        "javascript:alert(1)",
    ] {
        check_script(&twilio, &Script::Url(bad.to_owned()), Some("url"));
    }
    check_script(
        &twilio,
        &Script::Document("<Response><Say>Hi</Say></Response>".to_owned()),
        None,
    );
    check_script(
        &twilio,
        &Script::Document("<Response><Play>x</Play></Response>".to_owned()),
        Some("twiml"),
    );

    let (inline, _) = carrier_with(
        Settings {
            inline_only: true,
            ..settings()
        },
        [],
    );
    check_script(&inline, &spoken(&"x".repeat(3_900), None, None), None);
    check_script(&inline, &spoken(&"&".repeat(3_900), None, None), Some("message"));
}

#[test]
fn the_answer_says_the_script_and_without_one_ends_the_call() {
    let (twilio, _) = carrier([]);
    assert!(twilio.answer(None).ends_with("<Response><Hangup/></Response>"));
    assert!(
        twilio
            .answer(Some(&spoken("Hi", None, None)))
            .ends_with("<Say>Hi</Say></Response>")
    );
    let redirect = twilio.answer(Some(&Script::Url("https://a.example".to_owned())));
    assert!(redirect.contains("<Redirect method=\"POST\">https://a.example</Redirect>"));
    assert_eq!(
        twilio.answer(Some(&Script::Document("<Response/>".to_owned()))),
        "<Response/>"
    );
    assert_eq!(twilio.account(), "AC1");
}
