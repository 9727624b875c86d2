//! The id of a request: the client's own where it is sane, else one of ours. It stands in every
//! answer's header, in errors, and in the log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it, both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id taken from a client: room for any usual form, and a log line stays a line.
const LENGTH: usize = 128;

/// Makes ids: the moment when this process began, and a count.
#[derive(Debug)]
pub(crate) struct Ids {
    began: i64,
    count: AtomicU64,
}

/// The id of one request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl Ids {
    pub(crate) fn starting(now: Timestamp) -> Ids {
        Ids {
            began: now.millis(),
            count: AtomicU64::new(1),
        }
    }

    /// The id of the request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        match headers.get(HEADER) {
            Some(given) if is_sane(given) => RequestId(given.clone()),
            _ => self.make(),
        }
    }

    fn make(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let text = format!("{:x}-{count:x}", self.began);
        RequestId(HeaderValue::try_from(text).expect("hexadecimal digits and a dash are visible ASCII"))
    }
}

fn is_sane(given: &HeaderValue) -> bool {
    let bytes = given.as_bytes();
    let harmless = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:".contains(b);
    (1..=LENGTH).contains(&bytes.len()) && bytes.iter().all(harmless)
}

impl RequestId {
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().expect("an id is visible ASCII")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
