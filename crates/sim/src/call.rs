//! One call as the carrier keeps it, and the small words it is made of. It must not know how a call proceeds
//! (that is the exchange's) nor how it is written on the wire. Kept small: hundreds of thousands are held.

use crate::callee::Story;
use crate::fault::Callbacks;
use crate::notice::Request;
use std::fmt;

/// The name of a call: `CA` and 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sid(pub(crate) u128);

impl Sid {
    /// Reads a name; `None` for anything that is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("CA")?;
        let plain = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if plain {
            u128::from_str_radix(digits, 16).ok().map(Self)
        } else {
            None
        }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CA{:032x}", self.0)
    }
}

/// Where a call stands, in the vendor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Taken, not dialled.
    Queued,
    /// Dialled. Only callbacks say so; the REST resource still reads `queued`.
    Initiated,
    /// The phone rings.
    Ringing,
    /// Answered, by a person or a machine.
    InProgress,
    /// Was answered and is over.
    Completed,
    /// The line was busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// Could not be put through.
    Failed,
    /// Ended before it was answered, by request or by the carrier.
    Canceled,
}

impl Status {
    /// The word a callback uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The word the REST resource uses: its list of statuses has no `initiated`.
    pub fn resource_word(self) -> &'static str {
        if self == Self::Initiated {
            "queued"
        } else {
            self.word()
        }
    }

    /// Whether nothing can happen to the call any more.
    pub fn is_over(self) -> bool {
        !matches!(
            self,
            Self::Queued | Self::Initiated | Self::Ringing | Self::InProgress
        )
    }
}

/// How a customer's URL is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Parameters in the query.
    Get,
    /// Parameters in a form.
    Post,
}

/// What a customer may be told about while a call proceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Dialling has begun.
    Initiated,
    /// The phone rings.
    Ringing,
    /// Somebody or something answered.
    Answered,
    /// The call is over, however it ended.
    Completed,
}

/// A set of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events(u8);

impl Events {
    /// No event.
    pub const NONE: Self = Self(0);

    /// This set and `event`.
    pub fn with(self, event: Event) -> Self {
        Self(self.0 | 1 << event as u8)
    }

    /// Whether `event` is in the set.
    pub fn has(self, event: Event) -> bool {
        self.0 & (1 << event as u8) != 0
    }
}

/// How answering machines are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detection {
    /// Wait for the end of a machine's greeting, not only for its beginning.
    pub message_end: bool,
    /// Run beside the document, not before it.
    pub is_async: bool,
    /// Where the verdict of an asynchronous detection goes.
    pub callback: Option<String>,
    /// How that is requested.
    pub method: Method,
    /// After this many seconds the verdict is `unknown`.
    pub timeout_s: u32,
}

/// One call. Times are milliseconds since 1970, UTC.
#[derive(Debug)]
pub struct Call {
    pub sid: Sid,
    pub to: Box<str>,
    pub from: Box<str>,
    pub status: Status,
    pub created_ms: u64,
    pub updated_ms: u64,
    pub dialled_ms: Option<u64>,
    pub answered_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    /// How long it was expected to queue when it was created.
    pub queue_ms: u64,
    pub url: Option<Box<str>>,
    pub method: Method,
    /// The document itself, until it was used.
    pub twiml: Option<Box<str>>,
    /// Whether it was created with a document of its own.
    pub came_with_twiml: bool,
    pub status_callback: Option<Box<str>>,
    pub status_callback_method: Method,
    pub events: Events,
    pub ring_timeout_s: u32,
    pub time_limit_s: u32,
    pub detection: Option<Box<Detection>>,
    pub answered_by: Option<&'static str>,
    pub sip_response_code: Option<u16>,
    /// Whole undivided seconds between answer and end, once completed.
    pub duration_s: Option<u64>,
    pub story: Story,
    pub callbacks: Callbacks,
    /// Callbacks fired so far, which is the sequence number of the next.
    pub fired: u8,
    /// Callbacks kept back until the call is over.
    pub held: Vec<Request>,
    /// When the talk ends, once that is known.
    pub ends_ms: Option<u64>,
    /// Documents asked for so far, modulo 256: the number of the latest request.
    pub fetches: u8,
    /// Whether that request is still to be answered.
    pub awaits_document: bool,
    /// How often the call was sent on to another document since it was answered or changed.
    pub redirects: u8,
}
