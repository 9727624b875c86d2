//! What may come of asking a carrier, sorted by what it proves.

use std::time::Duration;

use domain::Sid;

/// What became of the one request that makes a leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// The carrier has made this leg.
    Placed(Sid),
    /// The carrier refuses this dial for good.
    Refused {
        /// The carrier's error code.
        code: Option<u32>,
        /// The carrier's words.
        message: String,
    },
    /// The carrier refuses the account, whatever is dialled; nothing was executed.
    AccountRefused {
        /// The carrier's error code.
        code: Option<u32>,
        /// The carrier's words.
        message: String,
    },
    /// Proven not to have been executed.
    NotSent(NotSent),
    /// Neither proven nor disproven.
    InDoubt {
        /// What was seen.
        why: String,
    },
}

/// Why a request is proven not to have been executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The gate was shut before the first byte.
    Gate,
    /// The connection failed before the last byte was handed over.
    Cut(String),
    /// The carrier says that it did not take it, and to come again.
    Busy {
        /// The carrier's error code.
        code: Option<u32>,
        /// The carrier's words.
        message: String,
        /// Not before this, if the carrier said so.
        retry_after: Option<Duration>,
    },
}

/// No connection came about; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the carrier cannot be reached: {0}")]
pub struct Unreachable(pub String);

/// A question to the carrier brought no answer that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No connection, a cut, a time-out, or an answer that makes no sense.
    #[error("the carrier did not answer: {0}")]
    Unanswered(String),
    /// The carrier refuses the account.
    #[error("the carrier refuses the account: {0}")]
    Account(String),
    /// The carrier refuses the question.
    #[error("the carrier refused: {0}")]
    Refused(String),
}

/// A request that claims to be the carrier's cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Its signature does not verify.
    #[error("the signature does not verify: {0}")]
    Forged(&'static str),
    /// It is the carrier's, but a field is missing or cannot be read.
    #[error("{field}: {problem}")]
    Malformed {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// A script that the carrier would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ScriptFault {
    /// The field of the request, as its sender wrote it.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub problem: String,
}
