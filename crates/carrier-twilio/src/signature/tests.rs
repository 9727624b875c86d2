//! Signatures, held against the vectors of Twilio's own libraries and against tampering.

use std::borrow::Cow;

use serde_json::Value;

use super::*;

/// Verifies a vector as a server would: the address cut into a base and what follows the authority.
fn accepts(token: &str, url: &str, signature: &str, signed: &Signed<'_>) -> bool {
    let authority = url.find("://").expect("a vector has an absolute address") + 3;
    let cut = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    let (base, path_and_query) = url.split_at(cut);
    Verifier::new(base, &[SecretString::from(token)]).covers(signature.as_bytes(), path_and_query, signed)
}

fn pairs_of(params: &Value) -> Vec<Pair<'_>> {
    let pair = |key: &'_ str, value: &'_ Value| {
        let value = value.as_str().expect("a parameter is text").as_bytes().to_vec();
        (Cow::Owned(key.as_bytes().to_vec()), Cow::Owned(value))
    };
    let mut pairs = Vec::new();
    for (key, value) in params.as_object().expect("parameters are an object") {
        match value {
            Value::Array(values) => pairs.extend(values.iter().map(|value| pair(key, value))),
            value => pairs.push(pair(key, value)),
        }
    }
    sort(&mut pairs);
    pairs
}

fn check(vector: &Value) {
    let text = |name: &str| vector[name].as_str();
    let id = text("id").expect("a vector has an id");
    let token = text("token").expect("a vector has a token");
    let signature = text("signature").expect("a vector has a signature");
    // One vector depends on the address parser of one library, which rewrites the query before signing.
    let url = if vector["portable"] == Value::Bool(false) {
        text("signed_url")
    } else {
        text("url")
    };
    let url = url.expect("a vector has an address");

    let mut pairs = pairs_of(&vector["params"]);
    if let Some(raw) = text("raw_form_body") {
        let mut decoded: Vec<Pair<'_>> = form::parse(raw.as_bytes()).collect();
        sort(&mut decoded);
        assert_eq!(decoded, pairs, "{id}: decoding of the body");
        pairs = decoded;
    }
    let signed = match text("body") {
        Some(body) => Signed::Body(body.as_bytes()),
        None => Signed::Form(&pairs),
    };
    let valid = vector["valid"]
        .as_bool()
        .expect("a vector says whether it is valid");
    assert_eq!(accepts(token, url, signature, &signed), valid, "{id}");
}

#[test]
fn every_vector_of_the_official_libraries_is_judged_as_they_judge_it() {
    let file = include_str!("../../tests/data/twilio-signature-vectors.json");
    let file: Value = serde_json::from_str(file).expect("the vectors are JSON");
    let mut count = 0;
    for list in ["vectors", "derived_vectors"] {
        for vector in file[list].as_array().expect("the vectors are lists") {
            check(vector);
            count += 1;
        }
    }
    assert_eq!(count, 46, "no vector is left out");
}

const BASE: &str = "https://calls.example.com";
const PATH: &str = "/twilio/status?call=c1&attempt=1";
const BODY: &[u8] = b"CallSid=CA01&CallStatus=busy&CallerName=&To=%2B15005550006";

/// Signs as the carrier does, from the description of the scheme and without the code under test.
fn sign(token: &str, text: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(token.as_bytes())
        .expect("any key")
        .chain_update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn signed_status(token: &str) -> String {
    sign(
        token,
        &format!("{BASE}{PATH}CallSidCA01CallStatusbusyCallerNameTo+15005550006"),
    )
}

fn covers(verifier: &Verifier, signature: &str, path: &str, body: &[u8]) -> bool {
    let mut pairs: Vec<Pair<'_>> = form::parse(body).collect();
    sort(&mut pairs);
    verifier.covers(signature.as_bytes(), path, &Signed::Form(&pairs))
}

fn tokens(all: &[&str]) -> Vec<SecretString> {
    all.iter().map(|token| SecretString::from(*token)).collect()
}

#[test]
fn the_old_and_the_new_token_are_both_good_during_rotation_and_no_other() {
    let verifier = Verifier::new(BASE, &tokens(&["new", "old"]));
    assert!(covers(&verifier, &signed_status("new"), PATH, BODY));
    assert!(covers(&verifier, &signed_status("old"), PATH, BODY));
    assert!(!covers(&verifier, &signed_status("other"), PATH, BODY));
}

#[test]
fn without_a_token_nothing_is_good() {
    assert!(!covers(&Verifier::new(BASE, &[]), &signed_status(""), PATH, BODY));
}

#[test]
fn any_change_to_what_was_signed_is_noticed() {
    let verifier = Verifier::new(BASE, &tokens(&["t"]));
    let good = signed_status("t");
    assert!(covers(&verifier, &good, PATH, BODY));
    let altered: [&[u8]; 6] = [
        b"CallSid=CA02&CallStatus=busy&CallerName=&To=%2B15005550006",
        b"CallSid=CA01&CallStatus=busy&To=%2B15005550006",
        b"CallSid=CA01&CallStatus=busy&CallerName=&To=%2B15005550006&More=1",
        b"CallSid=CA01&CallSid=CA02&CallStatus=busy&CallerName=&To=%2B15005550006",
        b"CallSid=CA01&CallStatus=busy&CallerName=&To=%2B15005550006+",
        b"",
    ];
    for body in altered {
        assert!(
            !covers(&verifier, &good, PATH, body),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    for path in [
        "/twilio/status?call=c1&attempt=2",
        "/Twilio/status?call=c1&attempt=1",
        "/twilio/status",
        "",
    ] {
        assert!(!covers(&verifier, &good, path, BODY), "{path}");
    }
    for base in [
        "http://calls.example.com",
        "https://calls.example.org",
        "https://calls.example.com/x",
    ] {
        assert!(
            !covers(&Verifier::new(base, &tokens(&["t"])), &good, PATH, BODY),
            "{base}"
        );
    }
}

#[test]
fn what_is_no_signature_at_all_is_refused() {
    let verifier = Verifier::new(BASE, &tokens(&["t"]));
    let good = signed_status("t");
    let long = STANDARD.encode([0_u8; 21]);
    let doubled = format!("{good}{good}");
    let cut = &good[..good.len() - 4];
    for signature in ["", " ", "=", "not base64!", cut, &long, &doubled, "\u{e9}"] {
        assert!(!covers(&verifier, signature, PATH, BODY), "{signature}");
    }
}

#[test]
fn the_port_of_the_base_may_be_signed_or_left_out() {
    for (base, good) in [
        (
            "https://a.example:8443",
            ["https://a.example", "https://a.example:8443"],
        ),
        (
            "https://a.example",
            ["https://a.example", "https://a.example:443"],
        ),
        (
            "http://127.0.0.1:8080",
            ["http://127.0.0.1:8080", "http://127.0.0.1"],
        ),
        ("http://a.example", ["http://a.example", "http://a.example:80"]),
        ("http://[::1]:8080", ["http://[::1]:8080", "http://[::1]"]),
        ("https://[::1]", ["https://[::1]", "https://[::1]:443"]),
        (
            "https://a.example:8443/base",
            ["https://a.example/base", "https://a.example:8443/base"],
        ),
        (
            "https://u:p@a.example",
            ["https://a.example", "https://u:p@a.example:443"],
        ),
    ] {
        let verifier = Verifier::new(base, &tokens(&["t"]));
        for spelling in good {
            assert!(
                covers(&verifier, &sign("t", &format!("{spelling}/x?y=1")), "/x?y=1", b""),
                "{spelling}"
            );
        }
        for wrong in [
            "https://a.example:1",
            "http://a.example:8081",
            "https://v:p@a.example",
        ] {
            assert!(
                !covers(&verifier, &sign("t", &format!("{wrong}/x?y=1")), "/x?y=1", b""),
                "{base} {wrong}"
            );
        }
    }
}

#[test]
fn a_body_that_is_no_form_is_covered_by_its_hash_alone() {
    let verifier = Verifier::new(BASE, &tokens(&["t"]));
    let body = br#"{"CallSid":"CA01"}"#;
    let hash: String = Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let judge = |path: &str, body: &[u8]| {
        let signature = sign("t", &format!("{BASE}{path}"));
        verifier.covers(signature.as_bytes(), path, &Signed::Body(body))
    };
    assert!(judge(&format!("/s?bodySHA256={hash}"), body));
    assert!(judge(
        &format!("/s?a=1&bodySHA256={}&b=2", hash.to_uppercase()),
        body
    ));
    assert!(!judge(&format!("/s?bodySHA256={hash}"), b"{}"));
    assert!(!judge(&format!("/s?bodySHA256={}", &hash[..62]), body));
    assert!(!judge(&format!("/s?bodySHA256={hash}&bodySHA256={hash}"), body));
    assert!(!judge(&format!("/s?bodysha256={hash}"), body));
    assert!(!judge("/s", body));
    assert!(!judge("/s?bodySHA256=", b""));
}
