//! A signature's way round: a request signed as the carrier signs is sent to `BASE_URL`. It names no leg, so that a
//! server that believes it refuses it for that alone (400) and stores nothing; one that does not says so (403).

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Finding, address};

/// Where status callbacks go, with a query such as theirs: whatever rewrites one would rewrite it.
const PATH: &str = "/twilio/status?call=%2Bdoctor&attempt=1";

/// Fields that a form must bring unharmed: a space, a plus, an empty one. `CallSid` is left out on purpose.
const FIELDS: [(&str, &str); 3] = [("AccountSid", "redial doctor"), ("Caller", "+1 "), ("Empty", "")];

/// The same fields as they are sent.
const BODY: &str = "AccountSid=redial+doctor&Caller=%2B1+&Empty=";

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The signature was believed.
    Believed,
    /// It was not.
    Refused,
    /// It is believed when it is made for this address instead.
    BelievedFor(String),
    /// Something else answered.
    Foreign(String),
}

/// Sends the request to `base_url`; where it is not believed, the same request signed for each of `others`.
pub fn try_out(base_url: &str, token: &SecretString, others: &[String]) -> Verdict {
    let first = send(base_url, base_url, token);
    if first != Verdict::Refused {
        return first;
    }
    let other = others
        .iter()
        .find(|other| other.as_str() != base_url && send(base_url, other, token) == Verdict::Believed);
    match other {
        Some(other) => Verdict::BelievedFor(other.clone()),
        None => Verdict::Refused,
    }
}

/// Addresses that a server may take for its own when it is not `base_url`: its local one, and the other scheme.
pub fn others(base_url: &str, local: &str) -> Vec<String> {
    let mut others = vec![local.to_owned(), local.replacen("127.0.0.1", "localhost", 1)];
    let (scheme, rest) = base_url.split_once("://").unwrap_or(("", base_url));
    let swapped = if scheme == "https" { "http" } else { "https" };
    others.push(format!("{swapped}://{rest}"));
    if let Some((host, _path)) = rest.split_once('/') {
        others.push(format!("{scheme}://{host}"));
    }
    others
}

fn send(base_url: &str, signed_for: &str, token: &SecretString) -> Verdict {
    let signature = sim::sign(token.expose_secret(), &format!("{signed_for}{PATH}"), &FIELDS);
    let answer = address::agent()
        .post(format!("{base_url}{PATH}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("X-Twilio-Signature", signature)
        .send(BODY);
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Verdict::Foreign(error.to_string()),
    };
    let text = answer.body_mut().read_to_string().unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match body["code"].as_str() {
        Some("malformed_callback") => Verdict::Believed,
        Some("forged_signature") => Verdict::Refused,
        _ => Verdict::Foreign(format!("HTTP {}", answer.status().as_u16())),
    }
}

/// What the way round means.
pub fn judge(base_url: &str, verdict: &Verdict) -> Finding {
    match verdict {
        Verdict::Believed => Finding::ok(
            "signatures",
            "a request signed for BASE_URL arrives and is believed",
        ),
        Verdict::BelievedFor(other) => Finding::problem(
            "signatures",
            format!("the server that answers at {base_url} believes only what is signed for {other}"),
            format!(
                "It was started with another BASE_URL. Start it with BASE_URL={base_url}, as these settings say: the \
                 carrier signs for the address that it calls."
            ),
        ),
        Verdict::Refused => Finding::problem(
            "signatures",
            format!("the server that answers at {base_url} does not believe what is signed for it"),
            "It runs with another TWILIO_AUTH_TOKEN or BASE_URL than these settings, or a proxy changes the path, the \
             query or the body. The server's log says which, within seconds of such a request.",
        ),
        Verdict::Foreign(what) => Finding::problem(
            "signatures",
            format!("a callback to {base_url} does not arrive at the server ({what})"),
            "Let the proxy or tunnel there pass POST /twilio/status to the server, unchanged and without a sign-in of \
             its own.",
        ),
    }
}
