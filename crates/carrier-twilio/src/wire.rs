//! Twilio's JSON, as loosely as it may come: numbers are strings or numbers, dates may be missing or empty,
//! fields that nobody has seen are ignored. Knows Twilio's names, decides nothing. Called by the requests of
//! this crate.

use domain::limits::WORDS_KEPT;
use domain::{Fact, Leg, Phone, Sid, Source, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::status;

/// The direction of a leg that was asked for over the API, as ours are.
const OURS: &str = "outbound-api";

/// Longest description of who answered; the known ones have at most twenty letters.
const MOST_ANSWERED_BY_BYTES: usize = 64;

/// A Call resource.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Call {
    #[serde(deserialize_with = "text")]
    sid: Option<String>,
    #[serde(deserialize_with = "text")]
    status: Option<String>,
    #[serde(deserialize_with = "text")]
    direction: Option<String>,
    #[serde(deserialize_with = "text")]
    from: Option<String>,
    #[serde(deserialize_with = "text")]
    to: Option<String>,
    #[serde(deserialize_with = "text")]
    date_created: Option<String>,
    #[serde(deserialize_with = "text")]
    date_updated: Option<String>,
    #[serde(deserialize_with = "text")]
    end_time: Option<String>,
    #[serde(deserialize_with = "text")]
    duration: Option<String>,
    #[serde(deserialize_with = "text")]
    answered_by: Option<String>,
}

/// One page of a list of calls.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    /// The calls of this page.
    pub(crate) calls: Vec<Call>,
    /// Where the list goes on.
    #[serde(default, deserialize_with = "text")]
    pub(crate) next_page_uri: Option<String>,
}

impl Call {
    /// The carrier's name for the leg, if it has a readable one.
    pub(crate) fn sid(&self) -> Option<Sid> {
        self.sid.as_deref().and_then(Sid::new)
    }

    /// How the leg stands; `None` without a status.
    pub(crate) fn fact(&self) -> Option<Fact> {
        let mut fact = Fact::new(status::word(self.status.as_deref()?), Source::LookUp);
        let is_final = fact.word.status().is_some_and(|status| !status.is_open());
        let ended = self.end_time.as_deref().filter(|_| is_final);
        fact.at = ended.or(self.date_updated.as_deref()).and_then(moment);
        if is_final {
            fact.duration_seconds = self.duration.as_deref().and_then(|seconds| seconds.parse().ok());
        }
        fact.answered_by = self.answered_by.as_deref().map(answered_by);
        Some(fact)
    }

    /// Whether the leg may be one that was asked for over the API.
    pub(crate) fn may_be_ours(&self) -> bool {
        self.direction
            .as_deref()
            .is_none_or(|direction| direction == OURS)
    }

    /// When the carrier made it.
    pub(crate) fn created_at(&self) -> Option<Timestamp> {
        self.date_created.as_deref().and_then(moment)
    }

    /// The two numbers, the seen one first; `None` where either is none: a client of the account, say. Ours always
    /// have both.
    pub(crate) fn numbers(&self) -> Option<(Phone, Phone)> {
        let number = |text: &Option<String>| text.as_deref()?.parse().ok();
        Some((number(&self.from)?, number(&self.to)?))
    }

    /// The leg as it is listed; `None` when a field that a decision rests on cannot be read.
    pub(crate) fn leg(&self) -> Option<Leg> {
        Some(Leg {
            sid: self.sid()?,
            created_at: self.created_at()?,
            fact: self.fact()?,
        })
    }
}

/// A moment as Twilio writes it (RFC 2822), or as a compatible carrier does (ISO 8601).
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::from_rfc2822(text).or_else(|| text.parse().ok())
}

/// Who answered, in the carrier's words, cut to a length that any record can hold.
pub(crate) fn answered_by(text: &str) -> String {
    text[..text.floor_char_boundary(MOST_ANSWERED_BY_BYTES)].to_owned()
}

/// The carrier's words for what went wrong, cut to the length that the record keeps.
pub(crate) fn words(text: &str) -> String {
    text[..text.floor_char_boundary(WORDS_KEPT)].to_owned()
}

/// An error body that only Twilio writes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Twilio's error code.
    pub(crate) code: u32,
    /// Twilio's words.
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct RawComplaint {
    code: Value,
    message: Option<Value>,
    title: Option<Value>,
    detail: Option<Value>,
    status: Option<Value>,
}

impl Complaint {
    /// Reads an error body in either of its two forms, the classic one (`code`, `message`) and that of RFC
    /// 9457 (`code`, `title`, perhaps `detail`).
    ///
    /// `None` when it does not look like Twilio's own: proxies, firewalls and frameworks answer JSON with a
    /// message and a status too, but none of them has a code of five or six digits in it, and what they say
    /// proves nothing about the call.
    pub(crate) fn read(status: StatusCode, body: &[u8]) -> Option<Complaint> {
        let raw: RawComplaint = serde_json::from_slice(body).ok()?;
        let code = number(&raw.code).filter(|code| (10_000..1_000_000).contains(code))?;
        let claimed = raw.status.as_ref().filter(|claimed| !claimed.is_null());
        if claimed.is_some_and(|claimed| number(claimed) != Some(u32::from(status.as_u16()))) {
            return None;
        }
        let message = match (raw.message, raw.title, raw.detail) {
            (Some(Value::String(message)), _, _) => message,
            (_, Some(Value::String(title)), Some(Value::String(detail))) => format!("{title}: {detail}"),
            (_, Some(Value::String(title)), _) => title,
            _ => return None,
        };
        Some(Complaint {
            code,
            message: words(&message),
        })
    }
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A string or a number as text; empty, null and anything else as nothing.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
