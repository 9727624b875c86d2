//! The vendor's shapes: forms, dates, the call resource, error bodies. It must not decide anything. Used by
//! all that speak REST.

use crate::call::{Call, Status};
use crate::notice::Answer;
use jiff::Timestamp;
use serde::Serialize;

/// The only version of the API that exists.
pub const API_VERSION: &str = "2010-04-01";

/// A decoded form or query: pairs in the order they came, keys possibly repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Decodes `application/x-www-form-urlencoded` bytes; what is no valid encoding is kept as it is.
    pub fn decode(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first value of `key` that is not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs()
            .find(|(name, value)| *name == key && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// Every pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Every value of `key`.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Form {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// A time as the vendor writes it, such as `Tue, 31 Aug 2010 20:36:28 +0000`.
pub fn rfc2822(ms: u64) -> String {
    moment(ms).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A time as the header `Date` has it.
pub fn http_date(ms: u64) -> String {
    moment(ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A time as the ledger writes it: ISO 8601 with milliseconds.
pub fn iso(ms: u64) -> String {
    moment(ms).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn moment(ms: u64) -> Timestamp {
    // Beyond the year 9999 there is nothing to write; no clock gets there.
    Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
}

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The vendor's number for it.
    pub code: u32,
    /// What is wrong, in words.
    pub message: String,
}

impl Problem {
    /// An error in what was asked, which is what nearly all are.
    pub fn bad(code: u32, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            message: message.into(),
        }
    }

    /// Wrong or missing credentials, or an account that may not be used.
    pub fn unauthorized() -> Self {
        Self {
            status: 401,
            code: 20_003,
            message: "Authenticate".into(),
        }
    }

    /// No such resource.
    pub fn not_found(path: &str) -> Self {
        Self {
            status: 404,
            code: 20_404,
            message: format!("The requested resource {path} was not found"),
        }
    }
}

#[derive(Serialize)]
struct ProblemBody<'a> {
    code: u32,
    message: &'a str,
    more_info: String,
    status: u16,
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let more_info = format!("https://www.twilio.com/docs/errors/{}", problem.code);
        let Problem {
            status,
            code,
            message,
        } = &problem;
        let body = ProblemBody {
            code: *code,
            message,
            more_info,
            status: *status,
        };
        Self::Reply {
            status: problem.status,
            body: json(&body),
        }
    }
}

/// `value` as JSON text.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain structs with text keys always serialise")
}

/// The call resource. Numbers are strings there, as the vendor has them.
#[derive(Serialize)]
pub struct Resource<'a> {
    sid: String,
    account_sid: &'a str,
    parent_call_sid: Option<&'static str>,
    phone_number_sid: Option<&'static str>,
    group_sid: Option<&'static str>,
    trunk_sid: &'static str,
    to: &'a str,
    to_formatted: String,
    from: &'a str,
    from_formatted: String,
    status: &'static str,
    direction: &'static str,
    answered_by: Option<&'static str>,
    api_version: &'static str,
    caller_name: Option<&'static str>,
    forwarded_from: Option<&'static str>,
    queue_time: String,
    duration: Option<String>,
    price: Option<&'static str>,
    price_unit: &'static str,
    date_created: String,
    date_updated: String,
    start_time: Option<String>,
    end_time: Option<String>,
    uri: String,
    subresource_uris: Subresources,
}

#[derive(Serialize)]
struct Subresources {
    events: String,
    notifications: String,
    recordings: String,
}

impl<'a> Resource<'a> {
    /// The resource of `call` as it stands.
    pub fn of(account_sid: &'a str, call: &'a Call) -> Self {
        let sid = call.sid.to_string();
        let base = format!("/{API_VERSION}/Accounts/{account_sid}/Calls/{sid}");
        // Only a call that was answered and ended well has an end; only one that was dialled has a start.
        let completed = call.status == Status::Completed;
        Self {
            account_sid,
            parent_call_sid: None,
            phone_number_sid: None,
            group_sid: None,
            trunk_sid: "",
            to: &call.to,
            to_formatted: formatted(&call.to),
            from: &call.from,
            from_formatted: formatted(&call.from),
            status: call.status.resource_word(),
            direction: "outbound-api",
            answered_by: call.answered_by,
            api_version: API_VERSION,
            caller_name: None,
            forwarded_from: None,
            queue_time: call.queue_ms.to_string(),
            duration: call.duration_s.map(|seconds| seconds.to_string()),
            price: None,
            price_unit: "USD",
            date_created: rfc2822(call.created_ms),
            date_updated: rfc2822(call.updated_ms),
            start_time: call.dialled_ms.map(rfc2822),
            end_time: call.ended_ms.filter(|_| completed).map(rfc2822),
            uri: format!("{base}.json"),
            subresource_uris: Subresources {
                events: format!("{base}/Events.json"),
                notifications: format!("{base}/Notifications.json"),
                recordings: format!("{base}/Recordings.json"),
            },
            sid,
        }
    }
}

/// A North American number as people write it there; any other unchanged.
fn formatted(number: &str) -> String {
    match number.strip_prefix("+1") {
        Some(rest) if rest.len() == 10 => format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..]),
        _ => number.to_owned(),
    }
}
