//! What a document means: its statements compared with each other, and the call that they tell of.
//!
//! Where two statements differ, the one is believed that phones nobody for nothing: a person who was
//! reached is not called again, a leg that may be alive is asked about first, and what nobody knows is
//! `unconfirmed`.

use std::time::Duration;

use domain::retry::RetryOn;
use domain::{
    Ask, Attempt, AttemptStatus, Call, CallState, CallStatus, Closing, Event, EventKind, Policy, Proof,
    Request, Step, Timestamp,
};

use crate::Converted;
use crate::document::{Document, Try, of_attempt};

/// Most attempts of a call that does not say.
const MAX_ATTEMPTS: u32 = 3;
/// The gaps after attempt 1, 2, 3 and later ones, in minutes.
const DELAYS: [u64; 3] = [2, 5, 10];

/// The call that a document tells of.
pub(crate) fn of(document: Document, policy: &Policy, now: Timestamp) -> Converted {
    let mut remarks = Vec::new();
    let policy = Policy {
        max_attempts: document.max_attempts.unwrap_or(MAX_ATTEMPTS),
        retry_delays: DELAYS.map(|minutes| Duration::from_secs(60 * minutes)).to_vec(),
        retry_on: RetryOn::default(),
        ..policy.clone()
    };
    let attempts = attempts(&document, now, &mut remarks);
    let state = state(&document, &attempts, &policy, &mut remarks);
    let over = matches!(state, CallState::Ended { .. });
    let last_dial = attempts.last().map_or(document.created_at, |last| last.permit_at);
    let call = Call {
        id: document.id,
        created_at: document.created_at,
        updated_at: document.updated_at.unwrap_or(last_dial),
        state,
        attempts,
        cancel_requested_at: None,
        hold: None,
        closing: over.then_some(Closing::Ended),
        extras: Vec::new(),
        request: Request {
            user_id: document.user_id,
            to: document.to,
            from: document.from,
            script: None,
            policy,
            scheduled_at: None,
            given: None,
        },
    };
    let retried = if document.should_retry {
        ", to be retried"
    } else {
        ""
    };
    let mut message = format!("imported as `{}`{retried}", document.status.word());
    for remark in &remarks {
        message = format!("{message}; {remark}");
    }
    let kind = EventKind::Imported { message };
    let events = vec![Event { at: now, kind }];
    let step = Step { call, events };
    Converted { step, remarks }
}

/// The attempts, with what the document itself says of the last.
fn attempts(document: &Document, now: Timestamp, remarks: &mut Vec<String>) -> Vec<Attempt> {
    let mut tries = document.attempts.clone();
    complete(&mut tries, document, remarks);
    if let Some(said) = document.attempt_count
        && usize::try_from(said).ok() != Some(tries.len())
    {
        remarks.push(format!(
            "`attempt_count` is {said}, attempts known are {}",
            tries.len()
        ));
    }
    let newest = tries.len();
    let mut dialled_at = document.created_at;
    let numbered = (1..).zip(tries);
    let attempts = numbered.map(|(number, attempt)| {
        dialled_at = attempt.at.unwrap_or(dialled_at);
        let is_last = usize::try_from(number) == Ok(newest);
        record(number, attempt, dialled_at, is_last, now)
    });
    attempts.collect()
}

/// Adds what only the document says: a leg that no attempt has, and the end of the last attempt.
fn complete(tries: &mut Vec<Try>, document: &Document, remarks: &mut Vec<String>) {
    let word = of_attempt(document.status);
    let alone = Try {
        sid: document.sid.clone(),
        status: word,
        at: document.updated_at,
        error_message: None,
    };
    let unknown = document.sid.is_some() && tries.iter().all(|attempt| attempt.sid != document.sid);
    match tries.last_mut() {
        None => {
            // Without a leg, only these two say that nothing was sent.
            let unsent = matches!(document.status, CallStatus::Queued | CallStatus::Canceled);
            if unknown || !unsent {
                let at = Some(document.created_at);
                tries.push(Try { at, ..alone });
            }
        }
        Some(last) if unknown && last.sid.is_none() => {
            remarks.push("`twilio_sid` is taken for the last attempt's".to_owned());
            last.sid = document.sid.clone();
        }
        Some(_) if unknown => {
            remarks.push("`twilio_sid` is no attempt's: an attempt of its own".to_owned());
            tries.push(alone);
        }
        Some(_) => {}
    }
    if let Some(last) = tries.last_mut()
        && last.status.is_open()
        && !word.is_open()
        && (document.sid.is_none() || document.sid == last.sid)
    {
        let before = last.status.word();
        remarks.push(format!(
            "the last attempt stood as `{before}`, the call as `{}`",
            word.word()
        ));
        last.status = word;
    }
}

/// One attempt. Of an earlier one without an end nothing is alive any more, since another followed.
fn record(number: u32, said: Try, dialled_at: Timestamp, is_last: bool, now: Timestamp) -> Attempt {
    let mut attempt = Attempt::new(number, dialled_at, now);
    attempt.error_message = said.error_message;
    attempt.status = said.status;
    attempt.sid = said.sid;
    if !attempt.is_open() {
        // A dial that failed without a leg was refused; all other words came from the carrier.
        attempt.refused = attempt.status == AttemptStatus::Failed && attempt.sid.is_none();
        attempt.proof = (!attempt.refused).then(|| Proof::reported(attempt.status));
        attempt.last_word_at = dialled_at;
        return attempt;
    }
    // The time for an answer counts from the import: nobody has asked before.
    attempt.ask = Some(Ask {
        at: now,
        tries: 0,
        since: now,
    });
    if !is_last || attempt.sid.is_none() {
        attempt.status = AttemptStatus::Unconfirmed;
    }
    attempt
}

/// Where the call stands.
fn state(document: &Document, attempts: &[Attempt], policy: &Policy, remarks: &mut Vec<String>) -> CallState {
    if attempts.last().is_some_and(Attempt::is_open) {
        if document.should_retry {
            remarks.push("`should_retry` waits for the end of the last attempt".to_owned());
        }
        return CallState::Live;
    }
    let waiting = |due_at| CallState::Waiting {
        due_at,
        try_at: due_at,
        misses: 0,
    };
    let answered = attempts.iter().any(|a| a.status == AttemptStatus::Completed);
    let settled = matches!(document.status, CallStatus::Completed | CallStatus::Canceled);
    let left = attempts.len() < policy.max_attempts as usize;
    if document.should_retry && !answered && !settled && left {
        return waiting(
            document
                .next_retry_at
                .unwrap_or_else(|| next_dial(document, attempts, policy)),
        );
    }
    if attempts.is_empty() && document.status == CallStatus::Queued {
        return waiting(document.created_at);
    }
    if document.should_retry {
        let why = if left {
            "the call is over"
        } else {
            "no attempt is left"
        };
        remarks.push(format!("`should_retry` is not followed: {why}"));
    }
    let last = attempts.last().map(|last| CallStatus::from(last.status));
    let status = if answered && document.status != CallStatus::Canceled {
        CallStatus::Completed
    } else if of_attempt(document.status).is_open() {
        last.unwrap_or(document.status)
    } else {
        document.status
    };
    CallState::Ended { status }
}

/// When the next attempt is due by the prototype's own delays.
fn next_dial(document: &Document, attempts: &[Attempt], policy: &Policy) -> Timestamp {
    let Some(last) = attempts.last() else {
        return document.created_at;
    };
    let delays = &policy.retry_delays;
    let gap = delays.get(attempts.len() - 1).or(delays.last());
    last.permit_at + gap.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
