//! Typed ids. Knows their written forms and nothing of what they point to.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::limits;
use crate::time::Timestamp;

/// Names a call. A UUID of version 7 (RFC 9562, section 5.7), so that ids sort by the time of
/// acceptance and land at the end of an index.
///
/// A call that was imported keeps the name that it had: an ObjectId, twelve bytes of which the first
/// four are its time in seconds. It is carried in a UUID of version 8 (section 5.8), whose layout is
/// the maker's own: the id's 96 bits in order in the first free bits (48, 12 and 36 of them), and
/// zeros in the 26 that are left. Such an id is written as its 24 hexadecimal digits and in no other
/// way. The version keeps the two kinds apart, and ids of one kind sort by their time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(Uuid);

impl CallId {
    /// Makes an id from the time of acceptance and 80 random bits.
    pub fn new(now: Timestamp, chance: [u8; 10]) -> CallId {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        CallId(uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid())
    }

    /// Carries an ObjectId.
    pub fn from_object_id(bytes: [u8; 12]) -> CallId {
        let mut wide = [0; 16];
        wide[4..].copy_from_slice(&bytes);
        let bits = u128::from_be_bytes(wide);
        let carried = (bits >> 48) << 80 | (bits >> 36 & 0xfff) << 64 | (bits & 0xf_ffff_ffff) << 26;
        CallId(Uuid::from_u128(carried | VERSION_8))
    }

    /// The ObjectId that it carries, if it carries one.
    pub fn object_id(&self) -> Option<[u8; 12]> {
        let carried = self.0.as_u128();
        let bits = (carried >> 80) << 48 | (carried >> 64 & 0xfff) << 36 | (carried >> 26 & 0xf_ffff_ffff);
        let bytes: [u8; 16] = bits.to_be_bytes();
        let bytes: [u8; 12] = bytes[4..].try_into().ok()?;
        // Any other bit set, and it is not one of ours.
        (CallId::from_object_id(bytes) == *self).then_some(bytes)
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

/// The bits of a UUID that say version 8 and the variant of RFC 9562.
const VERSION_8: u128 = 0x8 << 76 | 0b10 << 62;

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object_id() {
            None => fmt::Display::fmt(&self.0.hyphenated(), f),
            Some(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the id of any call that redial made or imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a call id")]
pub struct NotACallId;

impl FromStr for CallId {
    type Err = NotACallId;

    fn from_str(text: &str) -> Result<CallId, NotACallId> {
        // In lower case only: one call has one spelling, in URLs and in what is signed.
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(NotACallId);
        }
        match text.len() {
            36 => {
                let id = Uuid::try_parse(text).map(CallId).map_err(|_| NotACallId)?;
                // One that carries an ObjectId is written as that.
                id.object_id().map_or(Ok(id), |_| Err(NotACallId))
            }
            24 => object_id(text).map(CallId::from_object_id).ok_or(NotACallId),
            _ => Err(NotACallId),
        }
    }
}

/// The bytes of 24 hexadecimal digits.
fn object_id(text: &str) -> Option<[u8; 12]> {
    let mut bytes = [0; 12];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(digits[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
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
