//! The only door through which a call changes. Pure: no clock, no chance, no I/O; the same call,
//! input and moment give the same answer. A step returns the new call and the entries of history;
//! the work that follows from it is read off the new call ([`Call::effects`]).

mod asked;
mod cancel;
mod dial;
mod fact;
mod follow;
mod forgotten;
mod request;

use std::time::Duration;

use crate::call::Call;
use crate::event::{Event, EventKind, Hold, HoldReason};
use crate::fact::{Fact, Leg};
use crate::ids::Sid;
use crate::refusal::Refusal;
use crate::time::Timestamp;

pub use request::accept;

/// Something that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Its dial is about to be sent: the permit is asked for.
    Due {
        /// What held the dial back after it was due, if anything did.
        held: Option<Hold>,
    },
    /// A dial is held back before any permit.
    Held {
        /// Which kind of obstacle.
        reason: HoldReason,
        /// For a person to read.
        message: String,
        /// Try again after this long; the carrier's wish where it gave one.
        retry_after: Option<Duration>,
    },
    /// The permit's request is proven never to have been executed.
    NotSent {
        /// The permit's attempt.
        attempt: u32,
        /// When the permit was granted: an attempt whose permit was given back has another later, and what is
        /// said of one, late or twice, says nothing of the other. `None`: there can be only one.
        permit_at: Option<Timestamp>,
        /// Which kind of obstacle.
        reason: HoldReason,
        /// For a person to read, in the carrier's words where they are its.
        message: String,
        /// Try again after this long; the carrier's wish where it gave one.
        retry_after: Option<Duration>,
    },
    /// The carrier has made the leg.
    Placed {
        /// The permit's attempt.
        attempt: u32,
        /// The carrier's name for the leg.
        sid: Sid,
    },
    /// The carrier refused the request for good.
    Refused {
        /// The permit's attempt.
        attempt: u32,
        /// The carrier's error code.
        code: Option<u32>,
        /// The carrier's words.
        message: String,
    },
    /// Whether the permit's request was executed is not known.
    InDoubt {
        /// The permit's attempt.
        attempt: u32,
        /// What was seen.
        why: String,
    },
    /// The carrier said something about a leg.
    Fact {
        /// The attempt that the carrier's request named, if it named one.
        attempt: Option<u32>,
        /// The leg.
        sid: Sid,
        /// What it said.
        fact: Fact,
    },
    /// A request about a leg named an attempt of this call, but the leg is another call's.
    Misdirected {
        /// The attempt that was named.
        attempt: u32,
        /// The leg.
        sid: Sid,
    },
    /// The carrier was asked about an attempt.
    Asked {
        /// Which attempt.
        attempt: u32,
        /// When the question was begun, by our clock.
        begun_at: Timestamp,
        /// What came back.
        answer: Answer,
    },
    /// The carrier lists a leg that was made after the copy from which the database was put back.
    Forgotten {
        /// The leg.
        leg: Leg,
        /// Whether no other call could have made it.
        is_certain: bool,
    },
    /// A leg was to be hung up.
    HungUp {
        /// The leg.
        sid: Sid,
        /// Whether the carrier took it (or says that it is over anyway).
        done: bool,
    },
    /// Somebody wants the call to stop.
    Cancel,
    /// The call has waited longer than it may.
    GiveUp,
}

/// What came back from asking the carrier about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// How its leg stands.
    Leg(Fact),
    /// The legs between the call's two numbers that may be this attempt's: no other attempt owns
    /// them, and none is younger than the next permit for the pair.
    Legs(Vec<Leg>),
    /// The carrier knows no such leg.
    Nothing,
    /// No answer that can be trusted.
    Failed(String),
}

/// The outside of a step, as plain values.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// What time it is.
    pub now: Timestamp,
    /// A throw of the dice.
    pub dice: u64,
    /// The operator's rules.
    pub rules: &'a Rules,
}

/// The operator's rules that are not fixed when a call is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// A dial in doubt is `unconfirmed` only when a look-up begun this long after has shown nothing.
    pub settle_after: Duration,
    /// A live attempt of which nothing was heard for this long is asked for.
    pub silence_after: Duration,
    /// After `unconfirmed` the call ends, instead of going on with the next attempt.
    pub stop_on_unconfirmed: bool,
    /// No callback can reach us: every live attempt is watched by asking.
    pub poll: bool,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The call as it stands now.
    pub call: Call,
    /// What is added to its history.
    pub events: Vec<Event>,
}

/// Takes one step.
///
/// # Errors
/// A [`Refusal`] when the input does not apply to the call as it stands; nothing changes then.
pub fn step(call: &Call, input: Input, moment: Moment<'_>) -> Result<Step, Refusal> {
    let mut draft = Draft::of(call, moment);
    match input {
        Input::Due { held } => dial::due(&mut draft, held)?,
        Input::Held {
            reason,
            message,
            retry_after,
        } => dial::held(&mut draft, reason, message, retry_after)?,
        Input::NotSent {
            attempt,
            permit_at,
            reason,
            message,
            retry_after,
        } => {
            let permit = (attempt, permit_at);
            dial::not_sent(&mut draft, permit, reason, message, retry_after)?;
        }
        Input::Placed { attempt, sid } => dial::placed(&mut draft, attempt, sid)?,
        Input::Refused {
            attempt,
            code,
            message,
        } => dial::refused(&mut draft, attempt, code, message)?,
        Input::InDoubt { attempt, why } => dial::in_doubt(&mut draft, attempt, why)?,
        Input::Fact { attempt, sid, fact } => fact::heard(&mut draft, attempt, sid, &fact)?,
        Input::Misdirected { attempt, sid } => fact::misdirected(&mut draft, attempt, &sid),
        Input::Asked {
            attempt,
            begun_at,
            answer,
        } => asked::asked(&mut draft, attempt, begun_at, answer)?,
        Input::Forgotten { leg, is_certain } => forgotten::forgotten(&mut draft, leg, is_certain)?,
        Input::HungUp { sid, done } => asked::hung_up(&mut draft, &sid, done)?,
        Input::Cancel => cancel::cancel(&mut draft)?,
        Input::GiveUp => cancel::give_up(&mut draft)?,
    }
    Ok(draft.finish())
}

/// A call being changed, with what is written about it.
struct Draft<'a> {
    call: Call,
    events: Vec<Event>,
    moment: Moment<'a>,
}

impl<'a> Draft<'a> {
    fn of(call: &Call, moment: Moment<'a>) -> Draft<'a> {
        Draft {
            call: call.clone(),
            events: Vec::new(),
            moment,
        }
    }

    fn note(&mut self, kind: EventKind) {
        self.events.push(Event {
            at: self.moment.now,
            kind,
        });
    }

    fn finish(mut self) -> Step {
        self.call.updated_at = self.call.updated_at.max(self.moment.now);
        Step {
            call: self.call,
            events: self.events,
        }
    }
}

#[cfg(test)]
mod tests;
