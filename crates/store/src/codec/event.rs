//! Written shapes of history entries, facts and holds. Times are milliseconds since 1970.

use std::borrow::Cow;

use domain::{CallStatus, EventKind, Fact, Hold, Sid, Timestamp};
use serde::{Deserialize, Serialize};

use super::words;

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Body<'a> {
    Accepted,
    Imported {
        message: Cow<'a, str>,
    },
    #[serde(borrow)]
    Held(HoldBody<'a>),
    Sent {
        attempt: u32,
        sid: Cow<'a, str>,
    },
    InDoubt {
        attempt: u32,
        why: Cow<'a, str>,
    },
    Refused {
        attempt: u32,
        code: Option<u32>,
        message: Cow<'a, str>,
    },
    GivenBack {
        attempt: u32,
        why: Cow<'a, str>,
    },
    Heard {
        attempt: u32,
        #[serde(borrow)]
        fact: FactBody<'a>,
    },
    Unconfirmed {
        attempt: u32,
    },
    Corrected {
        attempt: Option<u32>,
        from: Cow<'a, str>,
        to: Cow<'a, str>,
    },
    Incident {
        attempt: Option<u32>,
        what: Cow<'a, str>,
    },
    CancelRequested,
    Ended {
        status: Cow<'a, str>,
        why: Cow<'a, str>,
    },
}

impl<'a> From<&'a EventKind> for Body<'a> {
    fn from(kind: &'a EventKind) -> Body<'a> {
        match kind {
            EventKind::Accepted => Body::Accepted,
            EventKind::Imported { message } => Body::Imported {
                message: message.into(),
            },
            EventKind::Held(hold) => Body::Held(hold.into()),
            EventKind::Sent { attempt, sid } => Body::Sent {
                attempt: *attempt,
                sid: sid.as_str().into(),
            },
            EventKind::InDoubt { attempt, why } => Body::InDoubt {
                attempt: *attempt,
                why: why.into(),
            },
            EventKind::Refused {
                attempt,
                code,
                message,
            } => Body::Refused {
                attempt: *attempt,
                code: *code,
                message: message.into(),
            },
            EventKind::GivenBack { attempt, why } => Body::GivenBack {
                attempt: *attempt,
                why: why.into(),
            },
            EventKind::Heard { attempt, fact } => Body::Heard {
                attempt: *attempt,
                fact: fact.into(),
            },
            EventKind::Unconfirmed { attempt } => Body::Unconfirmed { attempt: *attempt },
            EventKind::Corrected { attempt, from, to } => Body::Corrected {
                attempt: *attempt,
                from: from.word().into(),
                to: to.word().into(),
            },
            EventKind::Incident { attempt, what } => Body::Incident {
                attempt: *attempt,
                what: what.into(),
            },
            EventKind::CancelRequested => Body::CancelRequested,
            EventKind::Ended { status, why } => Body::Ended {
                status: status.word().into(),
                why: why.into(),
            },
        }
    }
}

impl Body<'_> {
    pub(super) fn into_kind(self) -> Option<EventKind> {
        let status = |word: Cow<'_, str>| CallStatus::from_word(&word);
        Some(match self {
            Body::Accepted => EventKind::Accepted,
            Body::Imported { message } => EventKind::Imported {
                message: message.into(),
            },
            Body::Held(hold) => EventKind::Held(hold.into_hold()?),
            Body::Sent { attempt, sid } => EventKind::Sent {
                attempt,
                sid: Sid::new(&sid)?,
            },
            Body::InDoubt { attempt, why } => EventKind::InDoubt {
                attempt,
                why: why.into(),
            },
            Body::Refused {
                attempt,
                code,
                message,
            } => EventKind::Refused {
                attempt,
                code,
                message: message.into(),
            },
            Body::GivenBack { attempt, why } => EventKind::GivenBack {
                attempt,
                why: why.into(),
            },
            Body::Heard { attempt, fact } => EventKind::Heard {
                attempt,
                fact: fact.into_fact()?,
            },
            Body::Unconfirmed { attempt } => EventKind::Unconfirmed { attempt },
            Body::Corrected { attempt, from, to } => EventKind::Corrected {
                attempt,
                from: status(from)?,
                to: status(to)?,
            },
            Body::Incident { attempt, what } => EventKind::Incident {
                attempt,
                what: what.into(),
            },
            Body::CancelRequested => EventKind::CancelRequested,
            Body::Ended { status: word, why } => EventKind::Ended {
                status: status(word)?,
                why: why.into(),
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct FactBody<'a> {
    word: Cow<'a, str>,
    source: Cow<'a, str>,
    #[serde(rename = "seq", default, skip_serializing_if = "Option::is_none")]
    sequence: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(rename = "duration_s", default, skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_by: Option<Cow<'a, str>>,
    #[serde(rename = "sip", default, skip_serializing_if = "Option::is_none")]
    sip_response_code: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_code: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_message: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Fact> for FactBody<'a> {
    fn from(fact: &'a Fact) -> FactBody<'a> {
        FactBody {
            word: words::word_text(&fact.word).into(),
            source: words::source_text(fact.source).into(),
            sequence: fact.sequence,
            at: fact.at.map(Timestamp::millis),
            duration_seconds: fact.duration_seconds,
            answered_by: fact.answered_by.as_deref().map(Cow::Borrowed),
            sip_response_code: fact.sip_response_code,
            error_code: fact.error_code,
            error_message: fact.error_message.as_deref().map(Cow::Borrowed),
        }
    }
}

impl FactBody<'_> {
    pub(super) fn into_fact(self) -> Option<Fact> {
        Some(Fact {
            word: words::word(&self.word)?,
            source: words::source(&self.source)?,
            sequence: self.sequence,
            at: self.at.map(Timestamp::from_millis),
            duration_seconds: self.duration_seconds,
            answered_by: self.answered_by.map(Cow::into_owned),
            sip_response_code: self.sip_response_code,
            error_code: self.error_code,
            error_message: self.error_message.map(Cow::into_owned),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct HoldBody<'a> {
    reason: Cow<'a, str>,
    since: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    message: Cow<'a, str>,
}

impl<'a> From<&'a Hold> for HoldBody<'a> {
    fn from(hold: &'a Hold) -> HoldBody<'a> {
        HoldBody {
            reason: hold.reason.word().into(),
            since: hold.since.millis(),
            until: hold.until.map(Timestamp::millis),
            message: hold.message.as_str().into(),
        }
    }
}

impl HoldBody<'_> {
    pub(super) fn into_hold(self) -> Option<Hold> {
        Some(Hold {
            reason: words::reason(&self.reason)?,
            since: Timestamp::from_millis(self.since),
            until: self.until.map(Timestamp::from_millis),
            message: self.message.into_owned(),
        })
    }
}
