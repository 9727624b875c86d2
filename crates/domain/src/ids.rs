//! Typed ids. Knows their written forms and nothing of what they point to.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::limits;
use crate::time::Timestamp;

/// Names a call. A UUID of version 7 (RFC 9562, section 5.7), so that ids sort by the time of
/// acceptance and land at the end of an index.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(Uuid);

impl CallId {
    /// Makes an id from the time of acceptance and 80 random bits.
    pub fn new(now: Timestamp, chance: [u8; 10]) -> CallId {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        CallId(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
    }

    /// The sixteen bytes that stores keep.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Reads back what [`CallId::as_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> CallId {
        CallId(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.hyphenated(), f)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the id of any call that redial made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a call id")]
pub struct NotACallId;

impl FromStr for CallId {
    type Err = NotACallId;

    fn from_str(text: &str) -> Result<CallId, NotACallId> {
        // The hyphenated form in lower case only: one call has one spelling, in URLs and in what is signed.
        if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(NotACallId);
        }
        Uuid::try_parse(text).map(CallId).map_err(|_| NotACallId)
    }
}

/// The carrier's own name for one leg. Carriers use different forms, so only the length and the
/// alphabet are checked.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid(Box<str>);

impl Sid {
    /// Takes 1 to [`limits::SID_LENGTH`] visible ASCII characters; `None` for anything else.
    pub fn new(text: &str) -> Option<Sid> {
        let fits = (1..=limits::SID_LENGTH).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_graphic())).then(|| Sid(text.into()))
    }

    /// The carrier's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose call it is, in the words of the program that asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Box<str>);

impl UserId {
    /// Takes 1 to [`limits::USER_ID_LENGTH`] bytes without control characters; `None` otherwise.
    pub fn new(text: &str) -> Option<UserId> {
        let fits = (1..=limits::USER_ID_LENGTH).contains(&text.len());
        (fits && !text.chars().any(char::is_control)).then(|| UserId(text.into()))
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
