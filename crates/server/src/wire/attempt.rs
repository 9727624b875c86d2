//! One attempt of a call, with what the carrier said of it, to JSON.

use domain::{Attempt, Event, EventKind, Timestamp};
use serde::Serialize;

use super::Shown;

/// An attempt in a record.
#[derive(Serialize)]
pub(crate) struct AttemptShape<'a> {
    attempt_number: u32,
    twilio_sid: Option<&'a str>,
    status: &'static str,
    timestamp: Shown<Timestamp>,
    ended_at: Option<Shown<Timestamp>>,
    duration_seconds: Option<u32>,
    answered_by: Option<&'a str>,
    sip_response_code: Option<u16>,
    error_code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    events: Vec<Heard<'a>>,
}

/// One thing that the carrier said.
#[derive(Serialize)]
struct Heard<'a> {
    /// The carrier's word.
    word: &'a str,
    /// The carrier's number of it.
    sequence: Option<u32>,
    /// The carrier's time of it.
    at: Option<Shown<Timestamp>>,
    /// Our time of it.
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
