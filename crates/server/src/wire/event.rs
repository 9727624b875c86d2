//! The history of a call, to JSON.

use domain::{Event, EventKind, Timestamp};
use serde::Serialize;

use super::{Shown, WaitingFor};

/// One entry of the history.
#[derive(Serialize)]
pub(crate) struct EventShape<'a> {
    at: Shown<Timestamp>,
    #[serde(flatten)]
    kind: Kind<'a>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kind<'a> {
    Accepted,
    Held(WaitingFor),
    Sent {
        attempt_number: u32,
        twilio_sid: &'a str,
    },
    InDoubt {
        attempt_number: u32,
        message: &'a str,
    },
    Refused {
        attempt_number: u32,
        carrier_code: Option<u32>,
        message: &'a str,
    },
    GivenBack {
        attempt_number: u32,
        message: &'a str,
    },
    Unconfirmed {
        attempt_number: u32,
    },
    Corrected {
        attempt_number: Option<u32>,
        from: &'static str,
        to: &'static str,
    },
    Incident {
        attempt_number: Option<u32>,
        message: &'a str,
    },
    CancelRequested,
    Ended {
        status: &'static str,
        message: &'a str,
    },
}

/// The entries that are the call's own; what the carrier said stands with the attempts.
pub(crate) fn history(events: &[Event]) -> Vec<EventShape<'_>> {
    let own = events
        .iter()
        .filter_map(|event| Some((event.at, kind(&event.kind)?)));
    own.map(|(at, kind)| EventShape { at: Shown(at), kind }).collect()
}

fn kind(event: &EventKind) -> Option<Kind<'_>> {
    Some(match event {
        EventKind::Accepted => Kind::Accepted,
        EventKind::Held(hold) => Kind::Held(hold.clone().into()),
        EventKind::Sent { attempt, sid } => Kind::Sent {
            attempt_number: *attempt,
            twilio_sid: sid.as_str(),
        },
        EventKind::InDoubt { attempt, why } => Kind::InDoubt {
            attempt_number: *attempt,
            message: why,
        },
        EventKind::Refused {
            attempt,
            code,
            message,
        } => Kind::Refused {
            attempt_number: *attempt,
            carrier_code: *code,
            message,
        },
        EventKind::GivenBack { attempt, why } => Kind::GivenBack {
            attempt_number: *attempt,
            message: why,
        },
        EventKind::Heard { .. } => return None,
        EventKind::Unconfirmed { attempt } => Kind::Unconfirmed {
            attempt_number: *attempt,
        },
        EventKind::Corrected { attempt, from, to } => Kind::Corrected {
            attempt_number: *attempt,
            from: from.word(),
            to: to.word(),
        },
        EventKind::Incident { attempt, what } => Kind::Incident {
            attempt_number: *attempt,
            message: what,
        },
        EventKind::CancelRequested => Kind::CancelRequested,
        EventKind::Ended { status, why } => Kind::Ended {
            status: status.word(),
            message: why,
        },
    })
}
