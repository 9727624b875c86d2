//! Work to do at the carrier, as plain data. Which work a call needs is read off its state
//! ([`crate::Call::effects`]), so that a crash can forget none.

use crate::ids::Sid;

/// One thing to do at the carrier for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End this leg, then look how it stands.
    HangUp {
        /// The attempt that it belongs to.
        attempt: u32,
        /// The leg.
        sid: Sid,
    },
    /// Ask how this leg stands.
    LookUp {
        /// The attempt that it belongs to.
        attempt: u32,
        /// The leg.
        sid: Sid,
    },
    /// List the legs between the call's two numbers: one of them may be this attempt's.
    Find {
        /// The attempt in doubt.
        attempt: u32,
    },
    /// The call has waited longer than it may: end it.
    GiveUp,
}
