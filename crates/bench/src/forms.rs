//! Requests as bytes on the wire: the carrier's signed forms and a program's requests for calls, as they really
//! come, headers included. Everything is made before a clock starts.

use form_urlencoded::Serializer;

/// What the carrier reports of a leg, in order.
pub const EVENTS: [&str; 4] = ["initiated", "ringing", "in-progress", "completed"];

/// A leg at the carrier.
pub struct Leg<'a> {
    /// The account.
    pub account: &'a str,
    /// The carrier's name for it.
    pub sid: &'a str,
    /// The number shown.
    pub from: &'a str,
    /// The number dialled.
    pub to: &'a str,
}

type Form<'a> = Vec<(&'a str, &'a str)>;

/// The parameters that every request of the carrier about a leg has.
fn standing<'a>(leg: &Leg<'a>, status: &'a str) -> Form<'a> {
    let mut form = vec![
        ("Called", leg.to),
        ("ToState", "CA"),
        ("CallerCountry", "US"),
        ("Direction", "outbound-api"),
        ("CallerState", "NY"),
        ("ToZip", "94105"),
        ("CallSid", leg.sid),
        ("To", leg.to),
        ("CallerZip", "10001"),
        ("ToCountry", "US"),
        ("CalledZip", "94105"),
        ("ApiVersion", "2010-04-01"),
        ("CalledCity", "SAN FRANCISCO"),
        ("CallStatus", status),
        ("From", leg.from),
        ("AccountSid", leg.account),
        ("CalledCountry", "US"),
        ("CallerCity", "NEW YORK"),
        ("ToCity", "SAN FRANCISCO"),
        ("FromCountry", "US"),
        ("Caller", leg.from),
        ("FromCity", "NEW YORK"),
        ("CalledState", "CA"),
        ("FromZip", "10001"),
        ("FromState", "NY"),
    ];
    form.shrink_to_fit();
    form
}

/// The status callback for event number `event` of a leg, which happened at `date` (RFC 2822).
pub fn status(
    host: &str,
    path_and_query: &str,
    token: &str,
    leg: &Leg<'_>,
    event: usize,
    date: &str,
) -> Vec<u8> {
    const SEQUENCE: [&str; 4] = ["0", "1", "2", "3"];
    let mut form = standing(leg, EVENTS[event]);
    form.push(("CallbackSource", "call-progress-events"));
    form.push(("SequenceNumber", SEQUENCE[event]));
    form.push(("Timestamp", date));
    if EVENTS[event] == "completed" {
        form.push(("CallDuration", "31"));
        form.push(("Duration", "1"));
        form.push(("SipResponseCode", "200"));
    }
    signed(host, path_and_query, token, &form)
}

/// The carrier's question what to say on a leg that was answered.
pub fn question(host: &str, path_and_query: &str, token: &str, leg: &Leg<'_>) -> Vec<u8> {
    signed(host, path_and_query, token, &standing(leg, "in-progress"))
}

/// A signed form, with the headers that the carrier sends.
fn signed(host: &str, path_and_query: &str, token: &str, form: &[(&str, &str)]) -> Vec<u8> {
    let signature = sim::sign(token, &format!("http://{host}{path_and_query}"), form);
    let body = Serializer::new(String::with_capacity(700))
        .extend_pairs(form)
        .finish();
    format!(
        "POST {path_and_query} HTTP/1.1\r\nHost: {host}\r\nX-Twilio-Signature: {signature}\r\n\
         I-Twilio-Idempotency-Token: 5f0b1c1e-7a1d-4e0b-9a54-2b8f2d3c4e5f\r\nAccept: */*\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nUser-Agent: TwilioProxy/1.1\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Path and query of the status address that a dial of ours names.
pub fn status_target(call: impl std::fmt::Display, attempt: u32) -> String {
    format!("/twilio/status?call={call}&attempt={attempt}")
}

/// A program's request for a call; `more` are further fields of the JSON, each with a comma before it.
pub fn create(host: &str, key: &str, to: &str, from: &str, user: &str, more: &str) -> Vec<u8> {
    let body = format!(
        "{{\"to\":\"{to}\",\"from\":\"{from}\",\"user_id\":\"{user}\",\"message\":\"Your table is ready.\"{more}}}"
    );
    format!(
        "POST /calls/outbound HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nAccept: */*\r\n\
         Content-Type: application/json\r\nUser-Agent: bench/1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A question without a body.
pub fn get(host: &str, key: &str, target: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nAccept: */*\r\n\
         User-Agent: bench/1\r\n\r\n"
    )
    .into_bytes()
}

/// A moment as the carrier writes it in callbacks.
pub fn date(at: domain::Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_string(&at)
        .unwrap_or_default()
}
