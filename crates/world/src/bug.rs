//! Bugs that are planted on purpose, each where its part meets the engine, to see that the world notices: who tests the
//! test. Nothing of the product is changed for them. Those of a store are made in [`crate::spoilt`], those of the
//! carrier's client in [`crate::line`].

use carrier::{NotSent, Placement, Webhook};
use http::{HeaderMap, HeaderValue};

use crate::check::invariant;
use crate::hub::{PUBLIC, TOKEN};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A dial in doubt is reported as proven not sent, so that it is sent again.
    DoubtIsDialledAgain,
    /// The same where no answer came in time.
    RedialOnTimeOut,
    /// An answer of 5xx is taken as proof that nothing was done.
    ServerErrorAsNotSent,
    /// 429 is taken as if nobody knew.
    TooManyAsDoubt,
    /// How old a permit is is not looked at before it is used.
    AgeNotChecked,
    /// A leg that has not been started yet is left out when the carrier is asked.
    FilteredByStartTime,
    /// The request is sent while its permit is still being written.
    SentBeforeThePermit,
    /// What the carrier answers is dropped when the permit has been put in doubt meanwhile.
    LateAnswerDropped,
    /// A permit that nobody seems to have in hand any more is taken from its holder, and sent again.
    LeaseExpirySends,
    /// What is said of a permit that was not used gives back whichever permit the attempt has by then.
    NotSentOfAnother,
    /// The gaps between attempts are always counted from the first.
    RetryCountedFromZero,
    /// A retry has the policy's attempts all over again.
    AttemptsCountedFromZero,
    /// An empty list, or a leg that the carrier does not know yet, is taken as proof at once.
    LookUpTrustedAtOnce,
    /// The idempotency key is not kept.
    KeyNotKept,
    /// The idempotency key is stored a little after its call.
    KeyAfterTheCall,
    /// A callback is answered and not stored.
    CallbackNotStored,
    /// A callback is answered before it is stored.
    AnsweredBeforeTheCommit,
    /// A callback is answered and not stored by a node that did not dial.
    CallbackDroppedElsewhere,
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
    /// Every node keeps a pace of its own.
    PacePerNode,
    /// What is due is told to whoever looks.
    DueWithoutALock,
    /// Nobody looks at who was told of a call.
    ClaimsNotLookedAt,
    /// A database that was put back from a copy is dialled from at once.
    CopyDialsAtOnce,
}

/// Each bug, its name on the command line, and the invariant that must notice it.
pub const BUGS: [(Bug, &str, &str); 28] = [
    (
        Bug::NotSentOfAnother,
        "not-sent-of-another",
        invariant::ONE_REQUEST,
    ),
    (
        Bug::DoubtIsDialledAgain,
        "doubt-is-dialled-again",
        invariant::ONE_REQUEST,
    ),
    (Bug::RedialOnTimeOut, "redial-on-time-out", invariant::ONE_REQUEST),
    (
        Bug::ServerErrorAsNotSent,
        "server-error-as-not-sent",
        invariant::ONE_REQUEST,
    ),
    (Bug::TooManyAsDoubt, "too-many-as-doubt", invariant::EARNED),
    (Bug::AgeNotChecked, "age-not-checked", invariant::FRESH),
    (
        Bug::FilteredByStartTime,
        "filtered-by-start-time",
        invariant::EARNED,
    ),
    (
        Bug::SentBeforeThePermit,
        "sent-before-the-permit",
        invariant::PERMIT,
    ),
    (Bug::LateAnswerDropped, "late-answer-dropped", invariant::ANSWERS),
    (
        Bug::LeaseExpirySends,
        "lease-expiry-sends",
        invariant::ONE_REQUEST,
    ),
    (
        Bug::RetryCountedFromZero,
        "retry-counted-from-zero",
        invariant::DUE,
    ),
    (
        Bug::AttemptsCountedFromZero,
        "attempts-counted-from-zero",
        invariant::POLICY,
    ),
    (
        Bug::LookUpTrustedAtOnce,
        "look-up-trusted-at-once",
        invariant::EARNED,
    ),
    (Bug::KeyNotKept, "key-not-kept", invariant::ONE_KEY),
    (Bug::KeyAfterTheCall, "key-after-the-call", invariant::ONE_KEY),
    (
        Bug::CallbackNotStored,
        "callback-not-stored",
        invariant::CALLBACKS,
    ),
    (
        Bug::AnsweredBeforeTheCommit,
        "answered-before-the-commit",
        invariant::CALLBACKS,
    ),
    (
        Bug::CallbackDroppedElsewhere,
        "callback-dropped-elsewhere",
        invariant::CALLBACKS,
    ),
    (Bug::ForgedIsBelieved, "forged-is-believed", invariant::FORGED),
    (Bug::PauseNotKept, "pause-not-kept", invariant::PAUSED),
    (Bug::CancelNotKept, "cancel-not-kept", invariant::CANCELED),
    (Bug::GrantedForgotten, "granted-forgotten", invariant::ENDS),
    (Bug::CallNotKept, "call-not-kept", invariant::ACCEPTED),
    (Bug::PaceForgotten, "pace-forgotten", invariant::PACE),
    (Bug::PacePerNode, "pace-per-node", invariant::PACE),
    (Bug::DueWithoutALock, "due-without-a-lock", invariant::CLAIMS),
    (Bug::ClaimsNotLookedAt, "claims-not-looked-at", invariant::CLAIMS),
    (Bug::CopyDialsAtOnce, "copy-dials-at-once", invariant::COPY),
];

/// What a wrong client makes of the carrier's answer.
pub fn spoil_answer(bug: Option<Bug>, placement: Placement) -> Placement {
    match (bug, placement) {
        (Some(Bug::DoubtIsDialledAgain), Placement::InDoubt { why }) => Placement::NotSent(NotSent::Cut(why)),
        (Some(Bug::RedialOnTimeOut), Placement::InDoubt { why }) if why.contains("no answer in time") => {
            Placement::NotSent(NotSent::Cut(why))
        }
        (Some(Bug::ServerErrorAsNotSent), Placement::InDoubt { why }) if why.starts_with("HTTP 5") => {
            Placement::NotSent(NotSent::Cut(why))
        }
        (Some(Bug::TooManyAsDoubt), Placement::NotSent(NotSent::Busy { message, .. })) => {
            Placement::InDoubt { why: message }
        }
        (_, placement) => placement,
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
