//! The history of a call, to JSON.

use domain::{Event, EventKind, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shown;
use super::schema::{CallWord, HoldWord};

/// One entry of the history. What a kind says nothing about is absent.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventShape<'a> {
    #[schema(value_type = String, format = DateTime)]
    at: Shown<Timestamp>,
    kind: Kind,
    /// Which attempt; null where it is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, required = false)]
    attempt_number: Option<Option<u32>>,
    /// `sent`: the carrier's name of the call that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    twilio_sid: Option<&'a str>,
    /// `refused`: the carrier's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, required = false)]
    carrier_code: Option<Option<u32>>,
    /// `corrected`: what stood there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CallWord, required = false)]
    from: Option<&'static str>,
    /// `corrected`: what stands there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CallWord, required = false)]
    to: Option<&'static str>,
    /// `ended`: how.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CallWord, required = false)]
    status: Option<&'static str>,
    /// `held`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = HoldWord, required = false)]
    reason: Option<&'static str>,
    /// `held`: since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    since: Option<Shown<Timestamp>>,
    /// `held`: until when, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    until: Option<Option<Shown<Timestamp>>>,
    /// What was seen, or why, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    message: Option<&'a str>,
}

/// What happened.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = EventKind)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Accepted,
    Imported,
    Held,
    Sent,
    InDoubt,
    Refused,
    GivenBack,
    Unconfirmed,
    Corrected,
    Incident,
    CancelRequested,
    Ended,
}

/// The entries that are the call's own; what the carrier said stands with the attempts.
pub(crate) fn history(events: &[Event]) -> Vec<EventShape<'_>> {
    events.iter().filter_map(shape).collect()
}

fn shape<'a>(event: &'a Event) -> Option<EventShape<'a>> {
    let plain = |kind| EventShape {
        at: Shown(event.at),
        kind,
        attempt_number: None,
        twilio_sid: None,
        carrier_code: None,
        from: None,
        to: None,
        status: None,
        reason: None,
        since: None,
        until: None,
        message: None,
    };
    let about = |kind, attempt: Option<u32>, message: Option<&'a str>| EventShape {
        attempt_number: Some(attempt),
        message,
        ..plain(kind)
    };
    Some(match &event.kind {
        EventKind::Heard { .. } => return None,
        EventKind::Accepted => plain(Kind::Accepted),
        EventKind::Imported { message } => EventShape {
            message: Some(message),
            ..plain(Kind::Imported)
        },
        EventKind::CancelRequested => plain(Kind::CancelRequested),
        EventKind::Held(hold) => EventShape {
            reason: Some(hold.reason.word()),
            since: Some(Shown(hold.since)),
            until: Some(hold.until.map(Shown)),
            message: Some(&hold.message),
            ..plain(Kind::Held)
        },
        EventKind::Sent { attempt, sid } => EventShape {
            twilio_sid: Some(sid.as_str()),
            ..about(Kind::Sent, Some(*attempt), None)
        },
        EventKind::InDoubt { attempt, why } => about(Kind::InDoubt, Some(*attempt), Some(why)),
        EventKind::GivenBack { attempt, why } => about(Kind::GivenBack, Some(*attempt), Some(why)),
        EventKind::Unconfirmed { attempt } => about(Kind::Unconfirmed, Some(*attempt), None),
        EventKind::Incident { attempt, what } => about(Kind::Incident, *attempt, Some(what)),
        EventKind::Refused {
            attempt,
            code,
            message,
        } => EventShape {
            carrier_code: Some(*code),
            ..about(Kind::Refused, Some(*attempt), Some(message))
        },
        EventKind::Corrected { attempt, from, to } => EventShape {
            from: Some(from.word()),
            to: Some(to.word()),
            ..about(Kind::Corrected, *attempt, None)
        },
        EventKind::Ended { status, why } => EventShape {
            status: Some(status.word()),
            message: Some(why),
            ..plain(Kind::Ended)
        },
    })
}
