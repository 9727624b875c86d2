//! The form that asks Twilio for one call. Knows Twilio's parameter names and our two addresses; sends nothing.
//! Called by the line, once per dial.

use std::time::Duration;

use carrier::DialCommand;
use domain::MachineDetection;
use form_urlencoded::Serializer;

/// Where Twilio asks what to say.
const ANSWER_PATH: &str = "/twilio/voice";

/// Where Twilio reports how a call stands.
const STATUS_PATH: &str = "/twilio/status";

/// How Twilio is to deliver a callback: up to three times again, also when we answer 5xx or not at all. Two
/// seconds to connect and four to answer leave room for a second and a third try in the 15 s that it spends on
/// one callback at most. A fragment is neither sent to us nor signed.
const DELIVERY: &str = "#rc=3&rp=5xx,ct,rt&ct=2000&rt=4000";

/// All events that there are. `busy`, `no-answer` and the like are not events: they arrive with `completed`.
const EVENTS: [&str; 4] = ["initiated", "ringing", "answered", "completed"];

/// The form for one dial. With a public address Twilio asks and reports there; without one `document` goes
/// along, and nothing is reported.
pub(crate) fn form(
    dial: &DialCommand,
    public_address: Option<&str>,
    document: impl FnOnce() -> String,
) -> String {
    let mut form = Serializer::new(String::with_capacity(512));
    form.append_pair("To", dial.to.reveal());
    form.append_pair("From", dial.from.reveal());
    match public_address {
        Some(address) => {
            let query = format!("?call={}&attempt={}", dial.call, dial.attempt);
            form.append_pair("Url", &format!("{address}{ANSWER_PATH}{query}"));
            form.append_pair("Method", "POST");
            form.append_pair(
                "StatusCallback",
                &format!("{address}{STATUS_PATH}{query}{DELIVERY}"),
            );
            form.append_pair("StatusCallbackMethod", "POST");
            // One pair for each: joined into one value they are one unknown event, and nothing is reported.
            for event in EVENTS {
                form.append_pair("StatusCallbackEvent", event);
            }
        }
        None => {
            form.append_pair("Twiml", &document());
        }
    }
    form.append_pair("Timeout", &seconds(dial.ring_timeout));
    form.append_pair("TimeLimit", &seconds(dial.time_limit));
    match dial.machine_detection {
        MachineDetection::Off => {}
        MachineDetection::Enable => {
            form.append_pair("MachineDetection", "Enable");
        }
        MachineDetection::DetectMessageEnd => {
            form.append_pair("MachineDetection", "DetectMessageEnd");
        }
    }
    form.finish()
}

/// Whole seconds, rounded up: rounding down would cut a call short.
fn seconds(gap: Duration) -> String {
    (gap.as_secs() + u64::from(gap.subsec_nanos() > 0)).to_string()
}

#[cfg(test)]
mod tests;
