//! What a request to create a call asks for, checked in the vendor's order and refused with the vendor's
//! codes. It must not know what becomes of the call. Called by the exchange.

use crate::call::{Detection, Event, Events, Method};
use crate::target::Target;
use crate::wire::{Form, Problem};

/// Seconds a phone rings unless the order says otherwise, and the most it may say.
const RING_TIMEOUT_S: (u32, u32) = (60, 600);
/// Seconds a call may last unless the order says otherwise (the vendor's four hours), and the most it may
/// say.
const TIME_LIMIT_S: (u32, u32) = (14_400, 86_400);
/// Seconds until a machine detection gives up unless the order says otherwise.
const DETECTION_TIMEOUT_S: u32 = 30;
/// Longest inline document, in characters.
const LONGEST_TWIML: usize = 4_000;
/// Code for a parameter that is wrong in a way for which the vendor's list has no number of its own.
pub const INVALID_PARAMETER: u32 = 20_001;

/// A valid order.
#[derive(Debug)]
pub struct Order {
    pub to: String,
    pub from: String,
    pub url: Option<String>,
    pub method: Method,
    /// Only without a URL, which goes before it.
    pub twiml: Option<String>,
    pub status_callback: Option<String>,
    pub status_callback_method: Method,
    pub events: Events,
    pub ring_timeout_s: u32,
    pub time_limit_s: u32,
    pub detection: Option<Detection>,
}

impl Order {
    /// Reads and checks a form. Parameters that are unknown, or known and without meaning here, are ignored.
    pub fn read(form: &Form) -> Result<Self, Problem> {
        let to = form
            .get("To")
            .ok_or_else(|| Problem::bad(21_201, "No 'To' number is specified"))?;
        let from = form
            .get("From")
            .ok_or_else(|| Problem::bad(21_213, "'From' phone number is required"))?;
        check_numbers(to, from)?;
        if form.get("ApplicationSid").is_some() {
            return Err(Problem::bad(
                21_218,
                "Invalid ApplicationSid: this account has no applications",
            ));
        }
        let url = url(form, "Url", 21_205)?;
        let twiml = form.get("Twiml").filter(|_| url.is_none());
        if url.is_none() && twiml.is_none() {
            return Err(Problem::bad(21_205, "Url parameter is required"));
        }
        if twiml.is_some_and(|twiml| twiml.chars().count() > LONGEST_TWIML) {
            let message = format!("Twiml must not be longer than {LONGEST_TWIML} characters");
            return Err(Problem::bad(INVALID_PARAMETER, message));
        }
        Ok(Self {
            to: to.to_owned(),
            from: from.to_owned(),
            url,
            method: method(form, "Method")?,
            twiml: twiml.map(str::to_owned),
            status_callback: url_of_callback(form)?,
            status_callback_method: method(form, "StatusCallbackMethod")?,
            events: events(form),
            ring_timeout_s: seconds(form, "Timeout", RING_TIMEOUT_S, 21_208)?,
            time_limit_s: seconds(form, "TimeLimit", TIME_LIMIT_S, INVALID_PARAMETER)?,
            detection: detection(form)?,
        })
    }
}

/// Whether `number` is `+`, a digit that is not 0, and 7 to 14 more.
pub fn is_number(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The numbers themselves, and the ones that the vendor reserves for tests.
fn check_numbers(to: &str, from: &str) -> Result<(), Problem> {
    if !is_number(from) || from == "+15005550001" {
        return Err(Problem::bad(
            21_212,
            format!("The source phone number provided, {from}, is not valid"),
        ));
    }
    if !is_number(to) || to == from {
        let message = format!("The phone number you are attempting to call, {to}, is not valid");
        return Err(Problem::bad(21_211, message));
    }
    let (code, message) = match to {
        "+15005550001" => (21_217, "Phone number does not appear to be valid"),
        "+15005550002" => (
            21_214,
            "The phone number you are attempting to call cannot be reached",
        ),
        "+15005550003" => (
            21_215,
            "Account not authorized to call this number: check the geographic permissions",
        ),
        "+15005550004" => (21_216, "Account not allowed to call this number"),
        _ => return Ok(()),
    };
    Err(Problem::bad(code, message))
}

pub fn url(form: &Form, name: &str, code: u32) -> Result<Option<String>, Problem> {
    match form.get(name) {
        Some(url) if Target::parse(url).is_none() => {
            Err(Problem::bad(code, format!("{name} is not a valid URL: {url}")))
        }
        url => Ok(url.map(str::to_owned)),
    }
}

fn url_of_callback(form: &Form) -> Result<Option<String>, Problem> {
    url(form, "StatusCallback", 21_609)
}

/// `GET` or `POST`; absent is `POST`.
pub fn method(form: &Form, name: &str) -> Result<Method, Problem> {
    match form.get(name) {
        None => Ok(Method::Post),
        Some(word) if word.eq_ignore_ascii_case("post") => Ok(Method::Post),
        Some(word) if word.eq_ignore_ascii_case("get") => Ok(Method::Get),
        Some(_) => Err(Problem::bad(21_209, format!("{name} must be GET or POST"))),
    }
}

fn seconds(form: &Form, name: &str, (default, most): (u32, u32), code: u32) -> Result<u32, Problem> {
    let Some(text) = form.get(name) else {
        return Ok(default);
    };
    text.parse()
        .ok()
        .filter(|seconds| (1..=most).contains(seconds))
        .ok_or_else(|| {
            Problem::bad(
                code,
                format!("Invalid {name}: {text} is not between 1 and {most} seconds"),
            )
        })
}

/// Unknown names are reported in the log and otherwise ignored; no name at all means the last event only,
/// which is not the same as nothing but unknown names.
fn events(form: &Form) -> Events {
    let mut events = Events::NONE;
    let mut unknown = Vec::new();
    let mut names = form.all("StatusCallbackEvent").peekable();
    if names.peek().is_none() {
        return events.with(Event::Completed);
    }
    for name in names {
        match name {
            "initiated" => events = events.with(Event::Initiated),
            "ringing" => events = events.with(Event::Ringing),
            "answered" => events = events.with(Event::Answered),
            "completed" => events = events.with(Event::Completed),
            _ => unknown.push(name),
        }
    }
    if !unknown.is_empty() {
        tracing::warn!(
            code = 21_626,
            names = unknown.join(" "),
            "invalid StatusCallbackEvent"
        );
    }
    events
}

fn detection(form: &Form) -> Result<Option<Detection>, Problem> {
    let message_end = match form.get("MachineDetection") {
        None => return Ok(None),
        // Keys sent after the answer rule detection out.
        Some(_) if form.get("SendDigits").is_some() => return Ok(None),
        Some("Enable") => false,
        Some("DetectMessageEnd") => true,
        Some(other) => return Err(Problem::bad(21_234, format!("Invalid MachineDetection: {other}"))),
    };
    let timeout_s = match form.get("MachineDetectionTimeout") {
        None => DETECTION_TIMEOUT_S,
        Some(text) => text
            .parse()
            .ok()
            .filter(|seconds| (3..=120).contains(seconds))
            .ok_or_else(|| Problem::bad(21_234, format!("Invalid MachineDetectionTimeout: {text}")))?,
    };
    Ok(Some(Detection {
        message_end,
        is_async: form.get("AsyncAmd") == Some("true"),
        callback: url(form, "AsyncAmdStatusCallback", 21_609)?,
        method: method(form, "AsyncAmdStatusCallbackMethod")?,
        timeout_s,
    }))
}

#[cfg(test)]
mod tests;
