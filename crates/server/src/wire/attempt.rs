//! One attempt of a call, with what the carrier said of it, to JSON.

use domain::{Attempt, Event, EventKind, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::Shown;
use super::schema::AttemptWord;

/// One dial of a call that was placed, refused, or is in doubt.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptShape<'a> {
    /// From 1, in order.
    #[schema(minimum = 1)]
    attempt_number: u32,
    /// The carrier's name of the call that it made; null while it is not known.
    #[schema(required = true)]
    twilio_sid: Option<&'a str>,
    #[schema(value_type = AttemptWord)]
    status: &'static str,
    /// When the dial was permitted.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Shown<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ended_at: Option<Shown<Timestamp>>,
    /// How long was talked, as the carrier counts.
    #[schema(required = true)]
    duration_seconds: Option<u32>,
    /// Who answered, in the carrier's words; null unless detection was asked for.
    #[schema(required = true)]
    answered_by: Option<&'a str>,
    #[schema(required = true)]
    sip_response_code: Option<u16>,
    /// The carrier's error code.
    #[schema(required = true)]
    error_code: Option<u32>,
    /// The carrier's words for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    error_message: Option<&'a str>,
    /// What the carrier said of it, in the order of arrival.
    events: Vec<Heard<'a>>,
}

/// One thing that the carrier said.
#[derive(Serialize, ToSchema)]
struct Heard<'a> {
    /// The carrier's word.
    word: &'a str,
    /// The carrier's number of it.
    #[schema(required = true)]
    sequence: Option<u32>,
    /// The carrier's time of it.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    at: Option<Shown<Timestamp>>,
    /// Our time of it.
    #[schema(value_type = String, format = DateTime)]
    received_at: Shown<Timestamp>,
}

impl<'a> AttemptShape<'a> {
    /// An attempt, with its own among all events of the call.
    pub(crate) fn new(attempt: &'a Attempt, events: &'a [Event]) -> AttemptShape<'a> {
        let number = attempt.number;
        let heard = events.iter().filter_map(|event| match &event.kind {
            EventKind::Heard { attempt, fact } if *attempt == number => Some(Heard {
                word: fact.word.text(),
                sequence: fact.sequence,
                at: fact.at.map(Shown),
                received_at: Shown(event.at),
            }),
            _ => None,
        });
        AttemptShape {
            attempt_number: number,
            twilio_sid: attempt.sid.as_ref().map(|sid| sid.as_str()),
            status: attempt.status.word(),
            timestamp: Shown(attempt.permit_at),
            ended_at: attempt.ended_at.map(Shown),
            duration_seconds: attempt.duration_seconds,
            answered_by: attempt.answered_by.as_deref(),
            sip_response_code: attempt.sip_response_code,
            error_code: attempt.error_code,
            error_message: attempt.error_message.as_deref(),
            events: heard.collect(),
        }
    }
}
