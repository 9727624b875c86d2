//! What was asked for: the parts of a request that decide anything. Already checked by whoever
//! built it (see [`crate::limits`]).

use crate::ids::UserId;
use crate::phone::Phone;
use crate::retry::Policy;
use crate::time::Timestamp;

/// What the called person hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Script {
    /// A text, spoken.
    Say {
        /// The text.
        message: String,
        /// The language it is spoken in; the carrier's default when absent.
        language: Option<String>,
        /// The voice; the carrier's default when absent.
        voice: Option<String>,
    },
    /// A document in the carrier's own language (TwiML).
    Document(String),
    /// A document that lives elsewhere.
    Url(String),
}

/// Whether the carrier listens for an answering machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MachineDetection {
    /// It does not.
    #[default]
    Off,
    /// It says who answered as soon as it knows.
    Enable,
    /// It waits for the end of a machine's greeting.
    DetectMessageEnd,
}

/// A call as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose call it is.
    pub user_id: UserId,
    /// Who is called.
    pub to: Phone,
    /// The number that the called person sees.
    pub from: Phone,
    /// What the called person hears; the operator's default when absent.
    pub script: Option<Script>,
    /// How often, how soon and for how long.
    pub policy: Policy,
    /// Not before this.
    pub scheduled_at: Option<Timestamp>,
    /// The optional fields as they were given, as JSON, only to be given back.
    pub given: Option<Box<str>>,
}
