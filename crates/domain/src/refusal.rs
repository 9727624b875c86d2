//! Why a step was not taken. A refusal changes nothing; it is an answer, not a fault.

use crate::event::Hold;

/// Why an input does not apply to the call as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The call is over.
    #[error("the call is already over")]
    AlreadyOver,
    /// A dial of it is out, or a leg of it is alive.
    #[error("the call is being dialled or is live")]
    Busy,
    /// Its next dial is not due yet.
    #[error("the next dial is not due yet")]
    NotDue,
    /// Its next dial is held back; the call says so.
    #[error("held back: {}", .0.message)]
    Held(Hold),
    /// The input names an attempt that the call never had.
    #[error("the call has no such attempt")]
    NoSuchAttempt,
    /// The input says nothing new.
    #[error("already known")]
    AlreadyKnown,
}
