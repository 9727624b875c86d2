//! What crosses the exchange's border: how a request is answered, and what the carrier asks of its customer
//! in turn (callbacks, documents). It must not know when these happen. Built by the exchange, performed by
//! whoever drives it.

use crate::call::{Call, Event, Method, Sid, Status};
use crate::wire;
use std::borrow::Cow;

/// What a REST request leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Callbacks to be delivered, one after the other, before the answer is given.
    pub first: Vec<Request>,
    /// The answer.
    pub answer: Answer,
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self {
            first: Vec::new(),
            answer,
        }
    }
}

/// How a REST request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With a status and a JSON body.
    Reply {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// Not at all: the connection is cut.
    Cut,
}

/// Something the driver has to do for the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Deliver these one after the other. Different actions may overtake each other.
    Callbacks(Vec<Request>),
    /// Fetch what the called person is to hear, and report it with [`crate::Exchange::document`].
    Document(Request),
}

/// What a request to the customer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A status callback.
    Callback,
    /// The document of an answered call.
    Document,
    /// The verdict of an asynchronous machine detection.
    Detection,
}

/// A request to the customer. The URL still has its fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The call it is about.
    pub sid: Sid,
    /// What it is about.
    pub kind: Kind,
    /// The same for every repeat of one request; for a document, its number within the call.
    pub turn: u8,
    /// Where it goes.
    pub url: String,
    /// How.
    pub method: Method,
    /// Its parameters.
    pub form: Vec<(&'static str, Cow<'static, str>)>,
}

/// What came of fetching a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// An answer with a 2xx status.
    Body {
        /// Its `Content-Type`, empty when there was none.
        content_type: String,
        /// Its text.
        text: String,
    },
    /// No such answer.
    Failed,
}

/// Geographic parameters, which the vendor sends empty for most numbers.
const PLACES: [&str; 16] = [
    "CalledCity",
    "CalledCountry",
    "CalledState",
    "CalledZip",
    "CallerCity",
    "CallerCountry",
    "CallerState",
    "CallerZip",
    "FromCity",
    "FromCountry",
    "FromState",
    "FromZip",
    "ToCity",
    "ToCountry",
    "ToState",
    "ToZip",
];

/// The parameters that every request about a call carries.
fn standing(account_sid: &str, call: &Call, status: Status) -> Vec<(&'static str, Cow<'static, str>)> {
    let mut form: Vec<(&'static str, Cow<'static, str>)> = Vec::with_capacity(34);
    form.push(("CallSid", call.sid.to_string().into()));
    form.push(("AccountSid", account_sid.to_owned().into()));
    form.push(("From", call.from.to_string().into()));
    form.push(("To", call.to.to_string().into()));
    form.push(("Caller", call.from.to_string().into()));
    form.push(("Called", call.to.to_string().into()));
    form.push(("CallStatus", status.word().into()));
    form.push(("ApiVersion", wire::API_VERSION.into()));
    form.push(("Direction", "outbound-api".into()));
    form.extend(PLACES.map(|place| (place, Cow::Borrowed(""))));
    form
}

/// The status callback for `event`, the `turn`th of the call, which happened at `at_ms`.
pub fn callback(account_sid: &str, call: &Call, event: Event, turn: u8, at_ms: u64) -> Option<Request> {
    let url = call.status_callback.as_deref()?;
    let mut form = standing(account_sid, call, call.status);
    form.push(("SequenceNumber", turn.to_string().into()));
    form.push(("Timestamp", wire::rfc2822(at_ms).into()));
    form.push(("CallbackSource", "call-progress-events".into()));
    if event == Event::Completed {
        let seconds = call.duration_s.unwrap_or(0);
        form.push(("CallDuration", seconds.to_string().into()));
        form.push(("Duration", seconds.div_ceil(60).to_string().into()));
        if let Some(code) = call.sip_response_code {
            form.push(("SipResponseCode", code.to_string().into()));
        }
        if let Some(answered_by) = call.answered_by {
            form.push(("AnsweredBy", answered_by.into()));
        }
    }
    let method = call.status_callback_method;
    Some(Request {
        sid: call.sid,
        kind: Kind::Callback,
        turn,
        url: url.to_owned(),
        method,
        form,
    })
}

/// The request for the document of `call` at `url`. `verdict` is what a detection that the document waited
/// for found, and after how many undivided milliseconds.
pub fn document(
    account_sid: &str,
    call: &Call,
    url: String,
    method: Method,
    verdict: Option<(&'static str, u32)>,
) -> Request {
    let mut form = standing(account_sid, call, Status::InProgress);
    if let Some((answered_by, after_ms)) = verdict {
        form.push(("AnsweredBy", answered_by.into()));
        form.push(("MachineDetectionDuration", after_ms.to_string().into()));
    }
    Request {
        sid: call.sid,
        kind: Kind::Document,
        turn: call.fetches,
        url,
        method,
        form,
    }
}

/// The verdict of an asynchronous detection; `None` when nobody asked to be told.
pub fn detection(
    account_sid: &str,
    call: &Call,
    answered_by: &'static str,
    after_ms: u32,
) -> Option<Request> {
    let detection = call.detection.as_deref()?;
    let url = detection.callback.clone()?;
    let form = vec![
        ("CallSid", call.sid.to_string().into()),
        ("AccountSid", account_sid.to_owned().into()),
        ("AnsweredBy", answered_by.into()),
        ("MachineDetectionDuration", after_ms.to_string().into()),
    ];
    Some(Request {
        sid: call.sid,
        kind: Kind::Detection,
        turn: 0,
        url,
        method: detection.method,
        form,
    })
}
