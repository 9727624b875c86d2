//! What was placed, for those who hold a customer's record against it. It must not change anything. Called
//! by tests and by the HTTP server.

use crate::call::{Call, Status};
use crate::exchange::Exchange;
use crate::wire;
use serde::{Serialize, Serializer};
use std::ops::Range;

/// One placed call as the ledger shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry<'a> {
    /// The called number.
    pub to: &'a str,
    /// The calling number.
    pub from: &'a str,
    /// The call's name.
    pub sid: String,
    /// When it was placed.
    #[serde(serialize_with = "time")]
    pub created_at: u64,
    /// Where it stands.
    #[serde(serialize_with = "word")]
    pub status: Status,
    /// Where its document was to be found.
    pub url: Option<&'a str>,
    /// Where its callbacks were to go, with the fragment.
    pub status_callback: Option<&'a str>,
    /// Whether it was created with a document of its own.
    pub twiml: bool,
    /// Milliseconds it was expected to queue.
    pub queue_time: u64,
    /// When it left the queue.
    #[serde(serialize_with = "time_if_any")]
    pub dialled_at: Option<u64>,
    /// When somebody or something answered.
    #[serde(serialize_with = "time_if_any")]
    pub answered_at: Option<u64>,
    /// When it was over, however it ended.
    #[serde(serialize_with = "time_if_any")]
    pub ended_at: Option<u64>,
    /// Undivided seconds between answer and end, of a completed call.
    pub duration: Option<u64>,
    /// What a machine detection found.
    pub answered_by: Option<&'static str>,
    /// The last answer of the line, once it is over.
    pub sip_response_code: Option<u16>,
    /// Callbacks fired, whether or not they were let through.
    pub callbacks: u8,
}

impl<'a> Entry<'a> {
    fn of(call: &'a Call) -> Self {
        Self {
            to: &call.to,
            from: &call.from,
            sid: call.sid.to_string(),
            created_at: call.created_ms,
            status: call.status,
            url: call.url.as_deref(),
            status_callback: call.status_callback.as_deref(),
            twiml: call.came_with_twiml,
            queue_time: call.queue_ms,
            dialled_at: call.dialled_ms,
            answered_at: call.answered_ms,
            ended_at: call.ended_ms,
            duration: call.duration_s,
            answered_by: call.answered_by,
            sip_response_code: call.sip_response_code,
            callbacks: call.fired,
        }
    }
}

fn word<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.word())
}

fn time<S: Serializer>(ms: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&wire::iso(*ms))
}

fn time_if_any<S: Serializer>(ms: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    ms.map(wire::iso).serialize(serializer)
}

/// Every call placed, in order. Times are milliseconds since 1970.
pub fn ledger(exchange: &Exchange) -> impl ExactSizeIterator<Item = Entry<'_>> {
    exchange.calls().iter().map(Entry::of)
}

/// Part of the ledger as JSON objects with commas between them. What is beyond its end is left out.
pub fn json(exchange: &Exchange, places: Range<usize>) -> String {
    let mut text = String::new();
    for entry in ledger(exchange).take(places.end).skip(places.start) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&wire::json(&entry));
    }
    text
}
