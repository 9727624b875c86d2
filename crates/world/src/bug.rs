//! Bugs that are planted on purpose, each where its part meets the engine, to see that the world notices: who tests the
//! test. Nothing of the product is changed for them.

use std::time::Duration;

use carrier::Webhook;
use domain::{Answer, Input, Timestamp};
use http::{HeaderMap, HeaderValue};
use store::NewCall;

use crate::hub::{PUBLIC, TOKEN};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A dial in doubt is reported as proven not sent, so that it is sent again.
    DoubtIsDialledAgain,
    /// The gaps between attempts are always counted from the first.
    RetryCountedFromZero,
    /// A retry has the policy's attempts all over again.
    AttemptsCountedFromZero,
    /// An empty list, or a leg that the carrier does not know yet, is taken as proof at once.
    LookUpTrustedAtOnce,
    /// The idempotency key is not kept.
    KeyNotKept,
    /// A callback is answered and not stored.
    CallbackNotStored,
    /// The signature of a callback is not looked at.
    ForgedIsBelieved,
    /// A pause is answered and not stored.
    PauseNotKept,
    /// A cancel is answered and not stored.
    CancelNotKept,
    /// What a dead process left undecided is not found.
    GrantedForgotten,
    /// A call is answered and not stored, once in a while.
    CallNotKept,
    /// The state of the pace is not kept.
    PaceForgotten,
}

/// Each bug, its name on the command line, and the invariant that must notice it.
pub const BUGS: [(Bug, &str, &str); 12] = [
    (Bug::DoubtIsDialledAgain, "doubt-is-dialled-again", "one request"),
    (Bug::RetryCountedFromZero, "retry-counted-from-zero", "due"),
    (
        Bug::AttemptsCountedFromZero,
        "attempts-counted-from-zero",
        "policy",
    ),
    (
        Bug::LookUpTrustedAtOnce,
        "look-up-trusted-at-once",
        "unconfirmed is earned",
    ),
    (Bug::KeyNotKept, "key-not-kept", "one key, one call"),
    (
        Bug::CallbackNotStored,
        "callback-not-stored",
        "callbacks are kept",
    ),
    (Bug::ForgedIsBelieved, "forged-is-believed", "nothing forged"),
    (Bug::PauseNotKept, "pause-not-kept", "paused"),
    (Bug::CancelNotKept, "cancel-not-kept", "canceled"),
    (Bug::GrantedForgotten, "granted-forgotten", "every call ends"),
    (Bug::CallNotKept, "call-not-kept", "accepted is kept"),
    (Bug::PaceForgotten, "pace-forgotten", "pace"),
];

/// What a wrong store makes of a call that it takes.
pub fn spoil_new(bug: Option<Bug>, new: &mut NewCall) {
    match bug {
        Some(Bug::KeyNotKept) => new.key = None,
        Some(Bug::RetryCountedFromZero) => new.request.policy.retry_delays.truncate(1),
        Some(Bug::AttemptsCountedFromZero) => new.request.policy.max_attempts = domain::limits::MAX_ATTEMPTS,
        Some(Bug::PaceForgotten) => {
            if let Some(terms) = &mut new.permit {
                terms.pace_clear_at = Timestamp::from_millis(0);
            }
        }
        _ => {}
    }
}

/// What a wrong store makes of something that happened.
pub fn spoil_input(bug: Option<Bug>, input: &mut Input) {
    if let Input::Asked { begun_at, answer, .. } = input
        && bug == Some(Bug::LookUpTrustedAtOnce)
    {
        let empty = match answer {
            Answer::Nothing => true,
            Answer::Legs(legs) => legs.is_empty(),
            _ => false,
        };
        if empty {
            *begun_at = *begun_at + Duration::from_secs(3_600);
        }
    }
}

/// Signs a request as the carrier would have.
pub fn sign_again(headers: &mut HeaderMap, webhook: &Webhook<'_>) {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(webhook.body).into_owned().collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let signature = sim::sign(TOKEN, &format!("{PUBLIC}{}", webhook.path_and_query), &pairs);
    if let Ok(signature) = HeaderValue::try_from(signature) {
        headers.insert("x-twilio-signature", signature);
    }
}
