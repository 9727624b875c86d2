//! A call, to JSON: the answer to whoever asked for it, and its record.

use domain::{Call, CallId, CallStatus, Hold, Timestamp};
use engine::Record;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::attempt::AttemptShape;
use super::event::{self, EventShape};
use super::schema::{CallName, CallWord, Options, Phone};
use super::{Shown, WaitingFor};
use crate::error::{ApiError, Code};

/// The answer to a request for a call.
#[derive(Serialize, ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct Answer<'a> {
    #[schema(value_type = CallName)]
    call_id: Shown<CallId>,
    user_id: &'a str,
    /// The carrier's name of the call; null while nothing was sent or its fate is being looked up.
    #[schema(required = true)]
    twilio_sid: Option<&'a str>,
    #[schema(value_type = CallWord)]
    status: &'static str,
    attempt_count: usize,
    #[schema(value_type = Phone)]
    to: &'a str,
    #[schema(value_type = Phone)]
    from: &'a str,
    /// Present where the call is not placed: why not, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<WaitingFor>)]
    waiting_for: Option<Option<WaitingFor>>,
    /// Fields of the request that do not exist, so that a typo is not silent.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    warnings: &'a [String],
}

impl<'a> Answer<'a> {
    /// A call that the carrier has taken.
    pub(crate) fn placed(call: &'a Call, warnings: &'a [String]) -> Answer<'a> {
        Answer {
            call_id: Shown(call.id),
            user_id: call.request.user_id.as_str(),
            twilio_sid: call
                .attempts
                .iter()
                .rev()
                .find_map(|attempt| attempt.sid.as_ref())
                .map(|sid| sid.as_str()),
            status: answered_status(call).word(),
            attempt_count: call.attempts.len(),
            to: call.request.to.reveal(),
            from: call.request.from.reveal(),
            waiting_for: None,
            warnings,
        }
    }

    /// A call that is not placed yet, or of which nobody knows.
    pub(crate) fn pending(call: &'a Call, waiting_for: Option<Hold>, warnings: &'a [String]) -> Answer<'a> {
        Answer {
            waiting_for: Some(waiting_for.map(WaitingFor::from)),
            ..Answer::placed(call, warnings)
        }
    }
}

/// A first attempt that is alive shows as `initiated`, however far it has come while the answer was
/// on its way: so every first answer is the same.
fn answered_status(call: &Call) -> CallStatus {
    match call.attempts.as_slice() {
        [only] if only.is_open() => CallStatus::Initiated,
        _ => call.status(),
    }
}

/// Whether the carrier has taken a dial of this call.
pub(crate) fn is_placed(call: &Call) -> bool {
    call.attempts.iter().any(|attempt| attempt.sid.is_some())
}

/// The carrier's refusal, where that is how the call ended.
pub(crate) fn refusal(call: &Call, warnings: &[String]) -> Option<ApiError> {
    let attempt = call
        .attempts
        .iter()
        .find(|attempt| attempt.refused && call.is_over() && !is_placed(call))?;
    let words = attempt
        .error_message
        .clone()
        .unwrap_or_else(|| "the carrier gave no reason".to_owned());
    let error = ApiError::new(Code::CarrierRefused, words)
        .with("call_id", json!(call.id.to_string()))
        .with("carrier_code", json!(attempt.error_code))
        .with("retryable", json!(false));
    Some(if warnings.is_empty() {
        error
    } else {
        error.with("warnings", json!(warnings))
    })
}

/// The record of a call: where it stands, every attempt, its history, and its options as they were given.
#[derive(Serialize, ToSchema)]
#[schema(as = Call)]
pub(crate) struct RecordShape<'a> {
    #[schema(value_type = CallName)]
    call_id: Shown<CallId>,
    user_id: &'a str,
    #[schema(value_type = Phone)]
    to: &'a str,
    #[schema(value_type = Phone)]
    from: &'a str,
    #[schema(value_type = CallWord)]
    status: &'static str,
    /// Always the length of `attempts`.
    attempt_count: usize,
    #[schema(minimum = 1)]
    max_attempts: u32,
    /// Whether it will be dialled again.
    should_retry: bool,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    next_retry_at: Option<Shown<Timestamp>>,
    attempts: Vec<AttemptShape<'a>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Shown<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Shown<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    cancel_requested_at: Option<Shown<Timestamp>>,
    /// Why it is not being dialled now.
    #[schema(required = true)]
    waiting_for: Option<WaitingFor>,
    /// The call's own history; what the carrier said stands with the attempts.
    events: Vec<EventShape<'a>>,
    /// The options as they were given.
    #[serde(flatten)]
    #[schema(value_type = Options)]
    given: Map<String, Value>,
}

impl<'a> RecordShape<'a> {
    pub(crate) fn new(record: &'a Record, waiting_for: Option<Hold>) -> RecordShape<'a> {
        let call = &record.call;
        let request = &call.request;
        RecordShape {
            call_id: Shown(call.id),
            user_id: request.user_id.as_str(),
            to: request.to.reveal(),
            from: request.from.reveal(),
            status: call.status().word(),
            attempt_count: call.attempts.len(),
            max_attempts: request.policy.max_attempts,
            should_retry: call.should_retry(),
            next_retry_at: call.next_retry_at().map(Shown),
            attempts: call
                .attempts
                .iter()
                .map(|attempt| AttemptShape::new(attempt, &record.events))
                .collect(),
            created_at: Shown(call.created_at),
            updated_at: Shown(call.updated_at),
            cancel_requested_at: call.cancel_requested_at.map(Shown),
            waiting_for: waiting_for.map(WaitingFor::from),
            events: event::history(&record.events),
            given: given(request.given.as_deref()),
        }
    }
}

/// The options as they were given; the number of attempts has a field of its own.
fn given(text: Option<&str>) -> Map<String, Value> {
    let mut given: Map<String, Value> = text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    given.remove("max_attempts");
    given
}
