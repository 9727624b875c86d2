//! The classification, row by row.

use super::*;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .expect("a test's answer is valid")
}

fn classic(status: u16, code: u32) -> String {
    format!(r#"{{"code":{code},"message":"Their words","more_info":"https://x.example","status":{status}}}"#)
}

fn problem(status: u16, code: u32) -> String {
    format!(
        r#"{{"type":"https://x.example","title":"Their","detail":"words","status":{status},"code":{code}}}"#
    )
}

/// The judgement without its texts.
fn kind(placement: &Placement) -> (&'static str, Option<u32>) {
    match placement {
        Placement::Placed(_) => ("placed", None),
        Placement::Refused { code, .. } => ("refused", *code),
        Placement::AccountRefused { code, .. } => ("account", *code),
        Placement::NotSent(NotSent::Busy { code, .. }) => ("busy", *code),
        Placement::NotSent(_) => ("not sent", None),
        Placement::InDoubt { .. } => ("in doubt", None),
    }
}

fn check(status: u16, body: &str, expected: (&'static str, Option<u32>)) {
    let found = placement(&answer(status, &[], body));
    assert_eq!(kind(&found), expected, "{status} {body}\n{found:?}");
}

#[test]
fn only_a_created_with_a_sid_is_placed() {
    let sid = format!("CA{}", "a".repeat(32));
    assert_eq!(
        placement(&answer(
            201,
            &[],
            &format!(r#"{{"sid":"{sid}","status":"queued"}}"#)
        )),
        Placement::Placed(domain::Sid::new(&sid).expect("a SID"))
    );
    for unreadable in [
        "",
        "{}",
        "null",
        "[]",
        "<Response/>",
        r#"{"sid":null}"#,
        r#"{"sid":""}"#,
        r#"{"sid":{}}"#,
        r#"{"sid":"C A"}"#,
        r#"{"sid":"CA"#,
    ] {
        check(201, unreadable, ("in doubt", None));
    }
    for status in [200, 202, 204, 206] {
        check(status, &format!(r#"{{"sid":"{sid}"}}"#), ("in doubt", None));
    }
}

#[test]
fn every_error_is_judged_by_what_it_proves() {
    for (status, code, expected) in [
        (429, 20_429, "busy"),
        (400, 10_004, "busy"),
        (403, 10_004, "busy"),
        (503, 10_004, "busy"),
        (400, 22_005, "busy"),
        (500, 22_005, "busy"),
        (401, 20_003, "account"),
        (403, 20_003, "account"),
        (400, 20_003, "account"),
        (400, 20_005, "account"),
        (403, 20_006, "account"),
        (403, 20_008, "account"),
        (403, 20_403, "account"),
        (404, 20_404, "account"),
        (400, 20_404, "account"),
        (400, 10_001, "account"),
        (400, 10_002, "account"),
        (401, 21_999, "account"),
        (400, 21_201, "refused"),
        (400, 21_211, "refused"),
        (400, 21_210, "refused"),
        (400, 21_215, "refused"),
        (400, 21_216, "refused"),
        (400, 21_219, "refused"),
        (405, 20_004, "refused"),
        (409, 20_409, "refused"),
        (422, 21_217, "refused"),
        (410, 20_410, "refused"),
    ] {
        check(status, &classic(status, code), (expected, Some(code)));
        check(status, &problem(status, code), (expected, Some(code)));
    }
    for (status, code) in [
        (500, 20_500),
        (502, 20_502),
        (503, 20_503),
        (504, 20_504),
        (500, 20_003),
        (500, 21_211),
    ] {
        check(status, &classic(status, code), ("in doubt", None));
    }
    for status in [301, 302, 303, 307, 308, 304, 300] {
        check(status, &classic(status, 21_211), ("in doubt", None));
    }
}

#[test]
fn an_error_in_somebody_elses_words_proves_nothing() {
    let foreign = [
        "",
        "Forbidden",
        "<html><h1>403</h1></html>",
        "{}",
        "[]",
        r#"{"message":"Forbidden"}"#,
        r#"{"message":"Not Found","status":404}"#,
        r#"{"code":403,"message":"Forbidden"}"#,
        r#"{"code":"AccessDenied","message":"Forbidden"}"#,
        r#"{"code":21211}"#,
        r#"{"code":21211,"message":null}"#,
        r#"{"code":-21211,"message":"x"}"#,
        r#"{"code":21211,"message":"x","status":200}"#,
        r#"{"error":{"code":21211,"message":"x"}}"#,
        r#"{"code":21211,"message":"cut of"#,
    ];
    for body in foreign {
        for status in [400, 401, 403, 404, 407, 451, 500, 502, 503, 504] {
            check(status, body, ("in doubt", None));
        }
    }
    // The one status whose meaning does not depend on who says it: the request was turned away.
    check(429, "Too many", ("busy", None));
}

#[test]
fn both_forms_of_an_error_give_the_carriers_words_and_code() {
    let message = |body: &str| match placement(&answer(400, &[], body)) {
        Placement::Refused {
            code: Some(21_211),
            message,
        } => message,
        other => panic!("{body}\n{other:?}"),
    };
    assert_eq!(message(&classic(400, 21_211)), "Their words");
    assert_eq!(message(&problem(400, 21_211)), "Their: words");
    assert_eq!(
        message(r#"{"type":"x","title":"Only","status":400,"code":21211}"#),
        "Only"
    );
    assert_eq!(
        message(r#"{"code":"21211","message":"As text","status":"400"}"#),
        "As text"
    );
    assert_eq!(message(r#"{"code":21211,"message":"No status"}"#), "No status");
    let long = format!(r#"{{"code":21211,"message":"{}"}}"#, "\u{e9}".repeat(5_000));
    assert_eq!(message(&long).len(), domain::limits::WORDS_KEPT);
}

#[test]
fn the_carriers_wish_to_wait_is_heard_in_either_form() {
    let wait = |headers: &[(&str, &str)]| match placement(&answer(429, headers, "")) {
        Placement::NotSent(NotSent::Busy { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    };
    let now = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");
    assert_eq!(wait(&[]), None);
    assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
    assert_eq!(
        wait(&[("retry-after", "Sun, 22 Nov 2026 10:01:30 GMT"), now]),
        Some(Duration::from_secs(90))
    );
    assert_eq!(
        wait(&[("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT"), now]),
        Some(Duration::ZERO)
    );
    assert_eq!(wait(&[("retry-after", "Sun, 22 Nov 2026 10:01:30 GMT")]), None);
    assert_eq!(wait(&[("retry-after", "soon")]), None);
    let a_day = Duration::from_secs(86_400);
    assert_eq!(wait(&[("retry-after", "99999999999")]), Some(a_day));
}

#[test]
fn the_carriers_clock_is_read_off_every_answer() {
    let dated = answer(500, &[("date", "Sun, 22 Nov 2026 10:00:00 GMT")], "");
    assert_eq!(
        date(dated.headers()).map(Timestamp::millis),
        Some(1_795_341_600_000)
    );
    assert_eq!(date(answer(500, &[("date", "yesterday")], "").headers()), None);
    assert_eq!(date(answer(500, &[], "").headers()), None);
}

#[test]
fn a_question_is_denied_in_the_words_of_the_one_who_denies_it() {
    let denied = |status, body: &str| answered(&answer(status, &[], body)).expect_err("a denial");
    let words = |code: u32| format!("{code}: Their words");
    assert_eq!(answered(&answer(200, &[], "")), Ok(()));
    assert_eq!(answered(&answer(204, &[], "")), Ok(()));
    assert_eq!(
        denied(404, &classic(404, 20_404)),
        Denial::NoSuchLeg(words(20_404))
    );
    assert_eq!(
        denied(400, &classic(400, 21_220)),
        Denial::WrongState(words(21_220))
    );
    assert_eq!(
        denied(401, &classic(401, 20_003)),
        Denial::Other(AskError::Account(words(20_003)))
    );
    assert_eq!(
        denied(400, &classic(400, 20_005)),
        Denial::Other(AskError::Account(words(20_005)))
    );
    assert_eq!(
        denied(400, &classic(400, 20_007)),
        Denial::Other(AskError::Refused(words(20_007)))
    );
    assert_eq!(
        denied(429, &classic(429, 20_429)),
        Denial::Other(AskError::Unanswered(words(20_429)))
    );
    for (status, body) in [
        (404, "<html/>"),
        (302, ""),
        (500, &*classic(500, 20_404)),
        (429, ""),
    ] {
        assert!(
            matches!(denied(status, body), Denial::Other(AskError::Unanswered(_))),
            "{status} {body}"
        );
    }
}
