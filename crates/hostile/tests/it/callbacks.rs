//! What claims to be the carrier's.

use carrier::{Carrier as _, Webhook, WebhookError, WebhookKind};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use proptest::prelude::*;

use crate::{ADDRESS, TOKEN, bytes, many, twilio};

const FORM: &str = "application/x-www-form-urlencoded";
const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
const PATH: &str = "/twilio/status?call=01890000-0000-7000-8000-000000000000&attempt=1";

fn headers(content_type: &[u8], signature: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [(header::CONTENT_TYPE, content_type), (SIGNATURE, signature)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn webhook<'a>(
    kind: WebhookKind,
    path_and_query: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
) -> Webhook<'a> {
    Webhook {
        kind,
        path_and_query,
        headers,
        body,
    }
}

/// Names that mean something, so that values get as far as they can.
const NAMES: [&str; 8] = [
    "CallSid",
    "CallStatus",
    "SequenceNumber",
    "Timestamp",
    "CallDuration",
    "AnsweredBy",
    "ErrorCode",
    "ErrorMessage",
];

/// What is signed: each distinct pair, in order.
fn decoded(body: &[u8]) -> Vec<u8> {
    let mut pairs: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
        .into_iter()
        .flat_map(|(name, value)| [name, value].concat().into_bytes())
        .collect()
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn what_nobody_signed_is_never_believed(
        asks: bool,
        query in "[ -~]{0,40}",
        content_type in bytes(),
        signature in prop_oneof![bytes().boxed(), "[A-Za-z0-9+/]{27}=".prop_map(String::into_bytes).boxed()],
        body in prop_oneof![bytes().boxed(), "[A-Za-z&=%+0-9]{0,80}".prop_map(String::into_bytes).boxed()],
    ) {
        let twilio = twilio(false);
        let kind = if asks { WebhookKind::Answer } else { WebhookKind::Status };
        let path = format!("/twilio/status?{query}");
        for content_type in [content_type.as_slice(), FORM.as_bytes(), b"application/json"] {
            let headers = headers(content_type, &signature);
            let webhook = webhook(kind, &path, &headers, &body);
            let read = twilio.read_webhook(&webhook);
            prop_assert!(matches!(read, Err(WebhookError::Forged(_))), "{:?}", read);
            // The words for the operator are made of the same bytes.
            let _ = twilio.autopsy(&webhook);
        }
    }

    #[test]
    fn whatever_is_signed_is_read_or_refused_in_words_and_no_change_of_it_is(
        known in prop::collection::vec((prop::sample::select(&NAMES[..]), ".{0,12}"), 0..6),
        unknown in prop::collection::vec((".{0,12}", ".{0,12}"), 0..4),
        is_status: bool,
        change: prop::sample::Index,
        to: u8,
    ) {
        let twilio = twilio(false);
        let mut pairs: Vec<(&str, &str)> = known.iter().map(|(name, value)| (*name, value.as_str())).collect();
        pairs.extend(unknown.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if is_status {
            pairs.extend([("CallSid", "CA00000000000000000000000000000001"), ("CallStatus", "ringing")]);
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let signature = e2e::sign(TOKEN, &format!("{ADDRESS}{PATH}"), &pairs);
        let headers = headers(FORM.as_bytes(), signature.as_bytes());
        let read = twilio.read_webhook(&webhook(WebhookKind::Status, PATH, &headers, body.as_bytes()));
        prop_assert!(!matches!(read, Err(WebhookError::Forged(_))), "{:?} of {}", read, body);

        let mut changed = body.clone().into_bytes();
        if !changed.is_empty() {
            let at = change.index(changed.len());
            changed[at] = to;
        }
        if decoded(&changed) != decoded(body.as_bytes()) {
            let read = twilio.read_webhook(&webhook(WebhookKind::Status, PATH, &headers, &changed));
            prop_assert!(matches!(read, Err(WebhookError::Forged(_))), "{:?} of {:?}", read, changed);
        }
    }
}
