//! Requests from Twilio: verified first, then translated. Knows Twilio's field names; stores nothing. This is
//! the hottest path of the program: fields are borrowed from the body, and nothing is parsed twice.

use std::borrow::Cow;

use carrier::{Report, Webhook, WebhookError, WebhookKind};
use domain::{AttemptStatus, CallId, Fact, Sid, Source, Word};
use http::{HeaderMap, header};
use serde_json::Value;

use crate::form::{self, Pair};
use crate::signature::autopsy::{Expected, Refused, autopsy};
use crate::signature::{self, Signed, Verifier};
use crate::{status, wire};

/// The header that carries the signature.
const SIGNATURE: &str = "x-twilio-signature";

/// The one media type whose fields are signed one by one.
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads the requests of one account.
pub(crate) struct Callbacks {
    verifier: Verifier,
    expected: Expected,
}

impl Callbacks {
    /// For what is signed as `expected`.
    pub(crate) fn new(expected: Expected) -> Self {
        Self {
            verifier: Verifier::new(&expected.public_address, &expected.tokens),
            expected,
        }
    }

    /// Verifies and translates. The caller bounds the size of the body.
    ///
    /// # Errors
    /// `Forged` when the signature does not cover the request; `Malformed` when a
    /// request of the carrier lacks what it must have.
    pub(crate) fn read(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
        let signature = only_signature(webhook.headers)?;
        let mut pairs: Vec<Pair<'_>>;
        let signed = if is_form(webhook.headers, webhook.body) {
            // A usual callback has about 25 fields.
            pairs = Vec::with_capacity(32);
            pairs.extend(form::parse(webhook.body));
            signature::sort(&mut pairs);
            let verified = self.verify(signature, webhook, &Signed::Form(&pairs));
            if webhook.body.is_empty() {
                // A GET has its fields in its address, which the signature covers whole.
                pairs.extend(form::parse(query(webhook.path_and_query).as_bytes()));
            }
            verified
        } else {
            let verified = self.verify(signature, webhook, &Signed::Body(webhook.body));
            pairs = if verified.is_ok() {
                json_fields(webhook.body)?
            } else {
                Vec::new()
            };
            verified
        };
        signed?;
        Fields::gather(&pairs)?.report(webhook)
    }

    /// Why a request that [`Callbacks::read`] calls forged is not signed for us, in words for the operator;
    /// `None` when nobody signed it.
    pub(crate) fn autopsy(&self, webhook: &Webhook<'_>) -> Option<String> {
        let refused = Refused {
            signature: only_signature(webhook.headers).ok()?,
            headers: webhook.headers,
            path_and_query: webhook.path_and_query,
            body: webhook.body,
            is_form: is_form(webhook.headers, webhook.body),
        };
        autopsy(&self.expected, &refused)
    }

    fn verify(
        &self,
        signature: &[u8],
        webhook: &Webhook<'_>,
        signed: &Signed<'_>,
    ) -> Result<(), WebhookError> {
        if self.verifier.covers(signature, webhook.path_and_query, signed) {
            Ok(())
        } else {
            Err(WebhookError::Forged(
                "it was not made with our token over our address and these fields",
            ))
        }
    }
}

/// The signature, if there is exactly one: two would let a sender choose which is looked at.
fn only_signature(headers: &HeaderMap) -> Result<&[u8], WebhookError> {
    let mut all = headers.get_all(SIGNATURE).iter();
    match (all.next(), all.next()) {
        (Some(signature), None) => Ok(signature.as_bytes()),
        (None, _) => Err(WebhookError::Forged("there is none")),
        (Some(_), Some(_)) => Err(WebhookError::Forged("there are two")),
    }
}

/// Whether the fields of the body are signed one by one. An empty body has none, whatever its type.
fn is_form(headers: &HeaderMap, body: &[u8]) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let media_type = media_type.split(';').next().unwrap_or("").trim();
    body.is_empty() || media_type.eq_ignore_ascii_case(FORM)
}

/// The fields of a JSON body, numbers and truth values as the text that a form would carry.
fn json_fields(body: &[u8]) -> Result<Vec<Pair<'static>>, WebhookError> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return Err(WebhookError::Malformed {
            field: "body",
            problem: "is neither a form nor a JSON object",
        });
    };
    let pairs = fields.into_iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some((Cow::Owned(name.into_bytes()), Cow::Owned(text.into_bytes())))
    });
    Ok(pairs.collect())
}

/// The fields that mean something to us, as they came.
#[derive(Default)]
struct Fields<'a> {
    sid: Option<&'a [u8]>,
    status: Option<&'a [u8]>,
    sequence: Option<&'a [u8]>,
    timestamp: Option<&'a [u8]>,
    duration: Option<&'a [u8]>,
    sip_response_code: Option<&'a [u8]>,
    answered_by: Option<&'a [u8]>,
    error_code: Option<&'a [u8]>,
    error_message: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Picks the known fields out of all. Empty ones count as absent.
    fn gather(pairs: &'a [Pair<'_>]) -> Result<Self, WebhookError> {
        let mut fields = Fields::default();
        for (name, value) in pairs {
            let (slot, name) = match name.as_ref() {
                b"CallSid" => (&mut fields.sid, "CallSid"),
                b"CallStatus" => (&mut fields.status, "CallStatus"),
                b"SequenceNumber" => (&mut fields.sequence, "SequenceNumber"),
                b"Timestamp" => (&mut fields.timestamp, "Timestamp"),
                b"CallDuration" => (&mut fields.duration, "CallDuration"),
                b"SipResponseCode" => (&mut fields.sip_response_code, "SipResponseCode"),
                b"AnsweredBy" => (&mut fields.answered_by, "AnsweredBy"),
                b"ErrorCode" => (&mut fields.error_code, "ErrorCode"),
                b"ErrorMessage" => (&mut fields.error_message, "ErrorMessage"),
                _ => continue,
            };
            if value.is_empty() {
                continue;
            }
            if slot.is_some_and(|before| before != value.as_ref()) {
                return Err(WebhookError::Malformed {
                    field: name,
                    problem: "is given twice",
                });
            }
            *slot = Some(value.as_ref());
        }
        Ok(fields)
    }

    fn report(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
        let sid = text(self.sid).ok_or(missing("CallSid"))?;
        let sid = Sid::new(sid).ok_or(WebhookError::Malformed {
            field: "CallSid",
            problem: "is no SID",
        })?;
        let (source, word) = match (webhook.kind, text(self.status)) {
            (WebhookKind::Status, Some(status)) => (Source::Callback, status::word(status)),
            (WebhookKind::Status, None) => return Err(missing("CallStatus")),
            (WebhookKind::Answer, Some(status)) => (Source::Answer, status::word(status)),
            // Whoever asks what to say has a leg that is up.
            (WebhookKind::Answer, None) => (Source::Answer, Word::Known(AttemptStatus::InProgress)),
        };
        let named = match (named(webhook.path_and_query), webhook.kind) {
            (Ok(named), _) => named,
            // The leg's own name decides where a status belongs.
            (Err(_), WebhookKind::Status) => None,
            // What is said depends on the attempt that is named.
            (Err(unreadable), WebhookKind::Answer) => return Err(unreadable),
        };
        Ok(Report {
            sid,
            named,
            fact: self.fact(word, source),
        })
    }

    /// Details that cannot be read are left out: the word itself must not be lost over them.
    fn fact(&self, word: Word, source: Source) -> Fact {
        let is_final = word.status().is_some_and(|status| !status.is_open());
        let mut fact = Fact::new(word, source);
        fact.sequence = number(self.sequence);
        fact.at = text(self.timestamp).and_then(wire::moment);
        fact.duration_seconds = number(self.duration).filter(|_| is_final);
        fact.sip_response_code = number(self.sip_response_code);
        fact.answered_by = text(self.answered_by).map(wire::answered_by);
        fact.error_code = number(self.error_code);
        fact.error_message = text(self.error_message).map(wire::words);
        fact
    }
}

fn missing(field: &'static str) -> WebhookError {
    WebhookError::Malformed {
        field,
        problem: "is missing",
    }
}

fn text(bytes: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(bytes?).ok()
}

fn number<N: std::str::FromStr>(bytes: Option<&[u8]>) -> Option<N> {
    text(bytes)?.parse().ok()
}

fn query(path_and_query: &str) -> &str {
    path_and_query.split_once('?').map_or("", |(_, query)| query)
}

/// The call and attempt that we wrote into the address; an error for what we did not write: half of
/// it, twice, or in another spelling.
fn named(path_and_query: &str) -> Result<Option<(CallId, u32)>, WebhookError> {
    let (mut call, mut attempt) = (None, None);
    let unreadable = |field| WebhookError::Malformed {
        field,
        problem: "is none of ours",
    };
    for (name, value) in form::parse(query(path_and_query).as_bytes()) {
        let (slot, field) = match name.as_ref() {
            b"call" => (&mut call, "call"),
            b"attempt" => (&mut attempt, "attempt"),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(unreadable(field));
        }
    }
    if call.is_none() && attempt.is_none() {
        return Ok(None);
    }
    let call = text(call.as_deref())
        .and_then(|call| call.parse().ok())
        .ok_or(unreadable("call"))?;
    // Digits alone: the number has one spelling, as we wrote it.
    let digits = attempt
        .as_deref()
        .filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let attempt = number(digits)
        .filter(|&attempt| attempt > 0)
        .ok_or(unreadable("attempt"))?;
    Ok(Some((call, attempt)))
}

#[cfg(test)]
mod tests;
