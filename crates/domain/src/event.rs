//! The history of a call: what happened, when, in order. Entries are only ever added.

use crate::fact::Fact;
use crate::ids::Sid;
use crate::outcome::CallStatus;
use crate::time::Timestamp;

/// Why a call is not being dialled now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldReason {
    /// Not before `scheduled_at`.
    Schedule,
    /// Waiting for the time of the next attempt.
    Retry,
    /// More is due than the allowed dials a second.
    Pace,
    /// As many calls are live as are allowed at once.
    LiveLimit,
    /// A dial between the same two numbers is still undecided.
    Pair,
    /// The carrier cannot be reached, or asks us to wait.
    Carrier,
    /// The carrier refuses the account.
    Account,
    /// A dial was sent whose fate is being looked up.
    Settling,
    /// Dialling is paused, by an operator or because the clock is not proven good.
    Paused,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [HoldReason; 9] = [
        HoldReason::Schedule,
        HoldReason::Retry,
        HoldReason::Pace,
        HoldReason::LiveLimit,
        HoldReason::Pair,
        HoldReason::Carrier,
        HoldReason::Account,
        HoldReason::Settling,
        HoldReason::Paused,
    ];

    /// The word that the record shows.
    pub fn word(self) -> &'static str {
        match self {
            HoldReason::Schedule => "schedule",
            HoldReason::Retry => "retry",
            HoldReason::Pace => "pace",
            HoldReason::LiveLimit => "live_limit",
            HoldReason::Pair => "pair",
            HoldReason::Carrier => "carrier",
            HoldReason::Account => "account",
            HoldReason::Settling => "settling",
            HoldReason::Paused => "paused",
        }
    }
}

/// What a call is waiting for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Which kind of obstacle.
    pub reason: HoldReason,
    /// Since when it has been in the way.
    pub since: Timestamp,
    /// When it is tried again, where that is known.
    pub until: Option<Timestamp>,
    /// For a person to read: what is in the way, in the carrier's words where they are its.
    pub message: String,
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Our time of it.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The call was taken, durably.
    Accepted,
    /// The call was begun by another program and taken over as that left it; what happened to it
    /// there is in its attempts alone.
    Imported {
        /// How it stood there, and what was made of it.
        message: String,
    },
    /// A dial is held back.
    Held(Hold),
    /// The carrier has made the leg.
    Sent {
        /// Which attempt.
        attempt: u32,
        /// The carrier's name for the leg.
        sid: Sid,
    },
    /// The request went out, or may have, and its fate is not known.
    InDoubt {
        /// Which attempt.
        attempt: u32,
        /// What was seen.
        why: String,
    },
    /// The carrier refused for good.
    Refused {
        /// Which attempt.
        attempt: u32,
        /// The carrier's error code.
        code: Option<u32>,
        /// The carrier's words.
        message: String,
    },
    /// A permit was given back: the request is proven never to have been executed.
    GivenBack {
        /// Which attempt keeps its turn.
        attempt: u32,
        /// What was seen.
        why: String,
    },
    /// The carrier said something about a leg.
    Heard {
        /// Which attempt.
        attempt: u32,
        /// What it said.
        fact: Fact,
    },
    /// Nothing proves that the attempt's request was executed, nor that it was not.
    Unconfirmed {
        /// Which attempt.
        attempt: u32,
    },
    /// A record that was final, or closed without proof, has been put right.
    Corrected {
        /// Which attempt; `None` when it is the call's own outcome.
        attempt: Option<u32>,
        /// What stood there.
        from: CallStatus,
        /// What stands there now.
        to: CallStatus,
    },
    /// Something that should not be: recorded, acted upon, and worth a person's look.
    Incident {
        /// Which attempt, where it is about one.
        attempt: Option<u32>,
        /// What was seen and what is done about it.
        what: String,
    },
    /// Somebody asked to cancel the call.
    CancelRequested,
    /// The call is over.
    Ended {
        /// How.
        status: CallStatus,
        /// Why no further attempt is made.
        why: String,
    },
}
