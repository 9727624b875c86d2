//! What an answer to the one request that makes a call proves. Pure: an answer in, a judgement out.
//!
//! The rule behind every arm: only what the carrier itself says definitely counts as *not executed*; whatever
//! leaves it open is in doubt, and never a reason to dial again. Called by the line, once per dial.

use std::time::Duration;

use bytes::Bytes;
use carrier::{AskError, NotSent, Placement};
use domain::Timestamp;
use http::{HeaderMap, Response, StatusCode, header};

use crate::wire::{Call, Complaint};

/// Codes by which Twilio says that it did not take the call and that a later one may pass: too many calls at
/// once, and a full queue. Their HTTP status is not documented, so the code counts whatever it is.
const BUSY_CODES: [u32; 2] = [10_004, 22_005];

/// Codes that are about the account and not about the call: wrong or missing rights, suspended, closed.
const ACCOUNT_CODES: [u32; 8] = [20_003, 20_005, 20_006, 20_008, 20_403, 20_404, 10_001, 10_002];

/// The code for a resource that does not exist: about the account on a create, about the leg on a question.
const NO_SUCH_RESOURCE: u32 = 20_404;

/// Longest `Retry-After` believed: a wrong one must not silence an account for longer than a dial may wait.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Judges the answer to a create.
pub(crate) fn placement(answer: &Response<Bytes>) -> Placement {
    let status = answer.status();
    if status == StatusCode::CREATED {
        return match serde_json::from_slice::<Call>(answer.body())
            .ok()
            .and_then(|call| call.sid())
        {
            Some(sid) => Placement::Placed(sid),
            None => Placement::InDoubt {
                why: "the carrier made a call and did not say which".to_owned(),
            },
        };
    }
    let is_error = status.is_client_error() || status.is_server_error();
    let complaint = if is_error {
        Complaint::read(status, answer.body())
    } else {
        None
    };
    let code = complaint.as_ref().map(|complaint| complaint.code);
    if status == StatusCode::TOO_MANY_REQUESTS || code.is_some_and(|code| BUSY_CODES.contains(&code)) {
        return Placement::NotSent(NotSent::Busy {
            code,
            message: complaint.map_or_else(|| status.to_string(), |complaint| complaint.message),
            retry_after: retry_after(answer.headers()),
        });
    }
    match complaint {
        Some(Complaint { code, message }) if status.is_client_error() => {
            if is_about_the_account(status) || ACCOUNT_CODES.contains(&code) {
                Placement::AccountRefused {
                    code: Some(code),
                    message,
                }
            } else {
                Placement::Refused {
                    code: Some(code),
                    message,
                }
            }
        }
        Some(Complaint { code, message }) => Placement::InDoubt {
            why: format!("HTTP {}, {code}: {message}", status.as_u16()),
        },
        None => Placement::InDoubt {
            why: format!("HTTP {}, not in the carrier's words", status.as_u16()),
        },
    }
}

fn is_about_the_account(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND
    )
}

/// What an answer to a question about a leg says, when it is not the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The carrier knows no such leg.
    NoSuchLeg(String),
    /// The leg's state does not allow it; over already, or not yet answered.
    WrongState(String),
    /// Anything else.
    Other(AskError),
}

/// The code for a call that is not in progress, and so cannot be changed.
const NOT_IN_PROGRESS: u32 = 21_220;

/// Judges the answer to a question: `Ok` for a success, whatever its body is.
pub(crate) fn answered(answer: &Response<Bytes>) -> Result<(), Denial> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let complaint = if status.is_client_error() {
        Complaint::read(status, answer.body())
    } else {
        None
    };
    let Some(Complaint { code, message }) = complaint else {
        return Err(Denial::Other(AskError::Unanswered(format!(
            "HTTP {}",
            status.as_u16()
        ))));
    };
    let words = format!("{code}: {message}");
    Err(match status {
        _ if code == NOT_IN_PROGRESS => Denial::WrongState(words),
        StatusCode::TOO_MANY_REQUESTS => Denial::Other(AskError::Unanswered(words)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Denial::Other(AskError::Account(words)),
        StatusCode::NOT_FOUND => Denial::NoSuchLeg(words),
        _ if code == NO_SUCH_RESOURCE => Denial::NoSuchLeg(words),
        _ if ACCOUNT_CODES.contains(&code) => Denial::Other(AskError::Account(words)),
        _ => Denial::Other(AskError::Refused(words)),
    })
}

/// The carrier's clock as it answered.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    headers
        .get(header::DATE)?
        .to_str()
        .ok()
        .and_then(Timestamp::from_rfc2822)
}

/// How long the carrier asks us to wait, in either form of the header (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Timestamp::from_rfc2822(text)?.since(date(headers)?),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests;
