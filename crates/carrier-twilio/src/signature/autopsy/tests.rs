//! Each cause by itself, two together, and what no guess explains. Signed by code of the tests' own.

use http::{HeaderName, HeaderValue};

use super::*;

const TOKEN: &str = "1f2e3d";
const SECRET: &str = "a9b8c7";
const BASE: &str = "https://calls.example.com";
const TARGET: &str = "/twilio/status?call=c1&attempt=1";
const BODY: &str = "CallSid=CA1&CallStatus=busy";
const SIGNED_BODY: &str = "CallSidCA1CallStatusbusy";

/// A request as it came, and as it was signed.
struct Case<'a> {
    base: &'a str,
    target: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: &'a str,
    is_form: bool,
    /// The key, the whole address, and the fields.
    signed: (&'a str, &'a str, &'a str),
}

impl Default for Case<'_> {
    fn default() -> Self {
        Case {
            base: BASE,
            target: TARGET,
            headers: &[],
            body: BODY,
            is_form: true,
            signed: (TOKEN, "", SIGNED_BODY),
        }
    }
}

fn said(case: &Case<'_>) -> Option<String> {
    let (key, address, fields) = case.signed;
    let mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("any key");
    let mac = mac.chain_update(address).chain_update(fields);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    said_of(case, signature.as_bytes())
}

fn said_of(case: &Case<'_>, signature: &[u8]) -> Option<String> {
    let expected = Expected {
        public_address: case.base.to_owned(),
        tokens: vec![SecretString::from("new"), SecretString::from(TOKEN)],
        api_secret: Some(SecretString::from(SECRET)),
    };
    let headers = case.headers.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).expect("a value");
        (HeaderName::from_static(name), value)
    });
    let words = autopsy(
        &expected,
        &Refused {
            signature,
            headers: &headers.collect(),
            path_and_query: case.target,
            body: case.body.as_bytes(),
            is_form: case.is_form,
        },
    );
    for secret in [TOKEN, SECRET] {
        assert!(
            words.iter().all(|words| !words.contains(secret)),
            "a secret in: {words:?}"
        );
    }
    words
}

#[track_caller]
fn check(case: &Case<'_>, cause: &str) {
    let words = said(case).expect("a signature was looked into");
    assert_eq!(words, cause);
}

#[test]
fn another_scheme() {
    let signed = (
        TOKEN,
        "http://calls.example.com/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    check(
        &Case {
            signed,
            ..Case::default()
        },
        "the scheme: BASE_URL has https, and it was signed for http",
    );
}

#[test]
fn another_host_that_the_request_or_its_proxy_names() {
    let signed = (
        TOKEN,
        "https://old.example.com/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    let cause = "the host: BASE_URL has calls.example.com, and it was signed for old.example.com";
    let headers = &[("host", "old.example.com")];
    check(
        &Case {
            signed,
            headers,
            ..Case::default()
        },
        cause,
    );
    let headers = &[
        ("host", "10.0.0.7:8080"),
        ("x-forwarded-host", "old.example.com, inner"),
    ];
    check(
        &Case {
            signed,
            headers,
            ..Case::default()
        },
        cause,
    );
}

#[test]
fn another_port() {
    let signed = (
        TOKEN,
        "http://calls.example.com:9000/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    let headers = &[("host", "calls.example.com:9000")];
    let base = "http://calls.example.com:8080";
    check(
        &Case {
            base,
            signed,
            headers,
            ..Case::default()
        },
        "the port: BASE_URL has calls.example.com:8080, and it was signed for calls.example.com:9000",
    );
}

#[test]
fn another_path() {
    let with = (
        TOKEN,
        "https://calls.example.com/redial/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    let headers = &[("x-forwarded-prefix", "/redial/")];
    check(
        &Case {
            signed: with,
            headers,
            ..Case::default()
        },
        "the path: a proxy takes /redial off its front, so BASE_URL has to end in it",
    );
    let without = (
        TOKEN,
        "https://calls.example.com/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    let base = "https://calls.example.com/redial";
    check(
        &Case {
            base,
            signed: without,
            ..Case::default()
        },
        "the path: BASE_URL ends in /redial, and it was signed without that",
    );
    let slash = (
        TOKEN,
        "https://calls.example.com/twilio/status/?call=c1&attempt=1",
        SIGNED_BODY,
    );
    check(
        &Case {
            signed: slash,
            ..Case::default()
        },
        "the path: it was signed with a slash at its end",
    );
    let target = "/twilio/status/?call=c1&attempt=1";
    check(
        &Case {
            target,
            signed: without,
            ..Case::default()
        },
        "the path: it was signed without the slash at its end",
    );
}

#[test]
fn another_query() {
    let order = "the query: its fields were in another order when it was signed";
    let signed = (
        TOKEN,
        "https://calls.example.com/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    let target = "/twilio/status?attempt=1&call=c1";
    check(
        &Case {
            target,
            signed,
            ..Case::default()
        },
        order,
    );
    let target = "/twilio/status?call=c1&attempt=1&added=";
    let bare = (TOKEN, "https://calls.example.com/twilio/status", SIGNED_BODY);
    check(
        &Case {
            target,
            signed: bare,
            ..Case::default()
        },
        "the query: it was signed without one",
    );
    let plain = (
        TOKEN,
        "https://calls.example.com/twilio/status?call=c:1&attempt=1",
        SIGNED_BODY,
    );
    let target = "/twilio/status?call=c%3A1&attempt=1";
    check(
        &Case {
            target,
            signed: plain,
            ..Case::default()
        },
        "the query: it was signed with its letters unescaped, and something on the way escapes them",
    );
    let target = "/twilio/status";
    let words = said(&Case {
        target,
        signed,
        ..Case::default()
    })
    .expect("looked into");
    assert!(words.contains("came without a query"), "{words}");
}

#[test]
fn another_token() {
    let address = "https://calls.example.com/twilio/status?call=c1&attempt=1";
    let signed = ("", address, SIGNED_BODY);
    check(
        &Case {
            signed,
            ..Case::default()
        },
        "the token: it was made with an empty one",
    );
    let signed = (SECRET, address, SIGNED_BODY);
    let words = said(&Case {
        signed,
        ..Case::default()
    })
    .expect("looked into");
    assert!(
        words.starts_with("the token: it was made with TWILIO_API_SECRET"),
        "{words}"
    );
    let signed = ("somebody's", address, SIGNED_BODY);
    let words = said(&Case {
        signed,
        ..Case::default()
    })
    .expect("looked into");
    assert!(words.contains("another token than TWILIO_AUTH_TOKEN"), "{words}");
}

#[test]
fn another_body() {
    let address = "https://calls.example.com/twilio/status?call=c1&attempt=1";
    let cases = [
        (
            "A=+1+",
            "A1",
            "the body: it was signed without the spaces round its values",
        ),
        (
            "A=1&A=1",
            "A1A1",
            "the body: a field comes more than once, and each was signed",
        ),
        (
            "A=2&A=1",
            "A2",
            "the body: a field comes more than once, and only the first was signed",
        ),
        (
            "A=1",
            "",
            "the body: it was not signed, as in a request without one",
        ),
    ];
    for (body, fields, cause) in cases {
        check(
            &Case {
                body,
                signed: (TOKEN, address, fields),
                ..Case::default()
            },
            cause,
        );
    }
    check(
        &Case {
            is_form: false,
            signed: (TOKEN, address, SIGNED_BODY),
            ..Case::default()
        },
        "the body: it is a form, and comes with a `Content-Type` that says otherwise",
    );
    check(
        &Case {
            is_form: false,
            body: "{}",
            signed: (TOKEN, address, ""),
            ..Case::default()
        },
        "the body: its hash is not the one in the address, so something on the way changed it",
    );
}

#[test]
fn two_causes_together_and_the_simplest_explanation_first() {
    let headers = &[("host", "inner:8080"), ("x-forwarded-host", "new.example.com")];
    let base = "http://calls.example.com";
    let signed = (
        TOKEN,
        "https://new.example.com/twilio/status?call=c1&attempt=1",
        SIGNED_BODY,
    );
    check(
        &Case {
            base,
            signed,
            headers,
            ..Case::default()
        },
        "the scheme: BASE_URL has http, and it was signed for https; and the host: BASE_URL has calls.example.com, \
         and it was signed for new.example.com",
    );
}

#[test]
fn what_nobody_signed_is_not_looked_into() {
    let case = Case::default();
    for signature in [&b""[..], b"none", b"bm90IGEgc2lnbmF0dXJl", b"\xFF\xFE"] {
        assert_eq!(said_of(&case, signature), None);
    }
    let body = "A=1&".repeat(MOST_BODY_BYTES);
    assert_eq!(
        said(&Case {
            body: &body,
            ..Case::default()
        }),
        None
    );
}

#[test]
fn a_header_that_is_no_name_never_gets_into_the_words() {
    let host = "evil\u{9}{\"level\":\"fatal\"}";
    let signed = (
        TOKEN,
        &*format!("https://{host}/twilio/status?call=c1&attempt=1"),
        SIGNED_BODY,
    );
    let headers = &[("x-forwarded-host", host)];
    let words = said(&Case {
        signed,
        headers,
        ..Case::default()
    })
    .expect("looked into");
    assert!(words.starts_with("no usual cause"), "{words}");
}
