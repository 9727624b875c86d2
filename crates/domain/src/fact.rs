//! What a carrier told us about one leg, in our words. Facts may come late, twice, shuffled or
//! never; [`crate::step()`] makes the best of any order of them.

use crate::ids::Sid;
use crate::limits;
use crate::outcome::AttemptStatus;
use crate::time::Timestamp;

/// The carrier's word for where a leg stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Word {
    /// Accepted by the carrier and waiting for its pace; the record shows `initiated`.
    Queued,
    /// A status that the record has too (never [`AttemptStatus::Unconfirmed`], which is ours).
    Known(AttemptStatus),
    /// A word that nobody has seen yet: written down, and nothing moves.
    Other(Box<str>),
}

impl Word {
    /// What the record shows for it; `None` for a word that moves nothing.
    pub fn status(&self) -> Option<AttemptStatus> {
        match self {
            Word::Queued => Some(AttemptStatus::Initiated),
            Word::Known(status) => Some(*status),
            Word::Other(_) => None,
        }
    }

    /// The word in the record's spelling, or the carrier's where we have none.
    pub fn text(&self) -> &str {
        match self {
            Word::Queued => "queued",
            Word::Known(status) => status.word(),
            Word::Other(text) => text,
        }
    }
}

/// How a fact reached us. A resource that we fetched beats what was pushed to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The carrier called our status URL.
    Callback,
    /// The carrier asked what to say: the leg is up.
    Answer,
    /// We asked the carrier.
    LookUp,
}

/// One thing that the carrier said about one leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Where the leg stands.
    pub word: Word,
    /// How we know.
    pub source: Source,
    /// The carrier's numbering of its own events, from 0.
    pub sequence: Option<u32>,
    /// The carrier's time of it.
    pub at: Option<Timestamp>,
    /// How long was talked, in seconds; final words only.
    pub duration_seconds: Option<u32>,
    /// Who answered, in the carrier's open set of words (`human`, `machine_start`, ...).
    pub answered_by: Option<String>,
    /// The last SIP answer (RFC 3261, section 21), such as 486 for busy.
    pub sip_response_code: Option<u16>,
    /// The carrier's error code, where one is given.
    pub error_code: Option<u32>,
    /// The carrier's words for it.
    pub error_message: Option<String>,
}

impl Fact {
    /// A fact that says no more than a word.
    pub fn new(word: Word, source: Source) -> Fact {
        Fact {
            word,
            source,
            sequence: None,
            at: None,
            duration_seconds: None,
            answered_by: None,
            sip_response_code: None,
            error_code: None,
            error_message: None,
        }
    }
}

/// A leg that the carrier listed for a pair of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The carrier's name for it.
    pub sid: Sid,
    /// When the carrier made it (whole seconds).
    pub created_at: Timestamp,
    /// Where it stands.
    pub fact: Fact,
}

impl Leg {
    /// Whether the request of a permit that was granted then may have made it.
    pub(crate) fn may_be_of(&self, permit_at: Timestamp) -> bool {
        self.created_at >= permit_at - limits::LEG_BEFORE_PERMIT
            && self.created_at <= permit_at + limits::LEG_AFTER_PERMIT
    }
}
