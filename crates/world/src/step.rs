//! Which kinds of inputs brought what about: the branches of the step, as they are seen from outside of it.

use domain::{EventKind, Input, Refusal};

/// What brought a change about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A call was asked for.
    Request,
    /// A permit was asked for.
    Due,
    /// ... and the other inputs of a step.
    Held,
    /// The request is proven not to have been executed.
    NotSent,
    /// The carrier has made the leg.
    Placed,
    /// The carrier refused for good.
    Refused,
    /// Nobody knows.
    InDoubt,
    /// The carrier said something about a leg.
    Fact,
    /// The carrier was asked about an attempt.
    Asked,
    /// A leg that a copy did not know of.
    Forgotten,
    /// A leg was to be hung up.
    HungUp,
    /// Somebody cancels.
    Cancel,
    /// The call has waited too long.
    GiveUp,
    /// Nothing that a step decides.
    Other,
}

impl Kind {
    /// Of an input.
    pub fn of(input: &Input) -> Kind {
        match input {
            Input::Due { .. } => Kind::Due,
            Input::Held { .. } => Kind::Held,
            Input::NotSent { .. } => Kind::NotSent,
            Input::Placed { .. } => Kind::Placed,
            Input::Refused { .. } => Kind::Refused,
            Input::InDoubt { .. } => Kind::InDoubt,
            Input::Fact { .. } | Input::Misdirected { .. } => Kind::Fact,
            Input::Asked { .. } => Kind::Asked,
            Input::Forgotten { .. } => Kind::Forgotten,
            Input::HungUp { .. } => Kind::HungUp,
            Input::Cancel => Kind::Cancel,
            Input::GiveUp => Kind::GiveUp,
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Request => "request",
            Kind::Due => "due",
            Kind::Held => "held",
            Kind::NotSent => "not sent",
            Kind::Placed => "placed",
            Kind::Refused => "refused",
            Kind::InDoubt => "in doubt",
            Kind::Fact => "fact",
            Kind::Asked => "asked",
            Kind::Forgotten => "forgotten",
            Kind::HungUp => "hung up",
            Kind::Cancel => "cancel",
            Kind::GiveUp => "give up",
            Kind::Other => "other",
        }
    }
}

/// What was written of it, in a word.
pub fn word(event: &EventKind) -> &'static str {
    match event {
        EventKind::Accepted => "accepted",
        EventKind::Imported { .. } => "imported",
        EventKind::Held(_) => "held",
        EventKind::Sent { .. } => "sent",
        EventKind::InDoubt { .. } => "in doubt",
        EventKind::Refused { .. } => "refused",
        EventKind::GivenBack { .. } => "given back",
        EventKind::Heard { .. } => "heard",
        EventKind::Unconfirmed { .. } => "unconfirmed",
        EventKind::Corrected { attempt: Some(_), .. } => "attempt corrected",
        EventKind::Corrected { attempt: None, .. } => "call corrected",
        EventKind::Incident { .. } => "incident",
        EventKind::CancelRequested => "cancel requested",
        EventKind::Ended { .. } => "ended",
    }
}

/// Why nothing was written, in a word.
pub fn refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AlreadyOver => "already over",
        Refusal::AlreadyKnown => "already known",
        Refusal::Busy => "busy",
        Refusal::Held(_) => "held",
        Refusal::NotDue => "not due",
        Refusal::NoSuchAttempt => "no such attempt",
    }
}
