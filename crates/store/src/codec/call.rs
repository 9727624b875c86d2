//! Written shapes of a call. Times and durations are milliseconds.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use domain::retry::RetryOn;
use domain::{Call, CallState, CallStatus, Closing, MachineDetection, Policy, Request, Script, Timestamp};
use serde::{Deserialize, Serialize};

use super::attempt::{AttemptBody, ExtraBody};
use super::event::HoldBody;
use super::{CallColumns, words};

#[derive(Serialize, Deserialize)]
pub(super) struct Body<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    script: Option<ScriptBody<'a>>,
    /// None: [`USUAL`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<Cow<'a, str>>,
    updated_at: i64,
    #[serde(borrow)]
    state: StateBody<'a>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<AttemptBody<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancel_requested_at: Option<i64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    hold: Option<HoldBody<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closing: Option<ClosingBody>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    extras: Vec<ExtraBody<'a>>,
}

impl<'a> From<&'a Call> for Body<'a> {
    fn from(call: &'a Call) -> Body<'a> {
        Body {
            script: call.request.script.as_ref().map(ScriptBody::from),
            policy: (call.request.policy != *USUAL).then(|| PolicyBody::from(&call.request.policy)),
            scheduled_at: call.request.scheduled_at.map(Timestamp::millis),
            given: call.request.given.as_deref().map(Cow::Borrowed),
            updated_at: call.updated_at.millis(),
            state: StateBody::from(&call.state),
            attempts: call.attempts.iter().map(AttemptBody::from).collect(),
            cancel_requested_at: call.cancel_requested_at.map(Timestamp::millis),
            hold: call.hold.as_ref().map(HoldBody::from),
            closing: call.closing.map(|closing| match closing {
                Closing::Ended => ClosingBody::Ended,
                Closing::GaveUp => ClosingBody::GaveUp,
            }),
            extras: call.extras.iter().map(ExtraBody::from).collect(),
        }
    }
}

impl Body<'_> {
    pub(super) fn into_call(self, columns: CallColumns) -> Option<Call> {
        let request = Request {
            user_id: columns.user_id,
            to: columns.to,
            from: columns.from,
            script: self.script.map(ScriptBody::into_script),
            policy: match self.policy {
                Some(own) => own.into_policy()?,
                None => USUAL.clone(),
            },
            scheduled_at: self.scheduled_at.map(Timestamp::from_millis),
            given: self.given.map(|text| text.into_owned().into_boxed_str()),
        };
        Some(Call {
            id: columns.id,
            request,
            created_at: columns.created_at,
            updated_at: Timestamp::from_millis(self.updated_at),
            state: self.state.into_state()?,
            attempts: self
                .attempts
                .into_iter()
                .map(AttemptBody::into_attempt)
                .collect::<Option<_>>()?,
            cancel_requested_at: self.cancel_requested_at.map(Timestamp::from_millis),
            hold: match self.hold {
                Some(hold) => Some(hold.into_hold()?),
                None => None,
            },
            closing: self.closing.map(|closing| match closing {
                ClosingBody::Ended => Closing::Ended,
                ClosingBody::GaveUp => Closing::GaveUp,
            }),
            extras: self
                .extras
                .into_iter()
                .map(ExtraBody::into_extra)
                .collect::<Option<_>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClosingBody {
    Ended,
    GaveUp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScriptBody<'a> {
    Say {
        message: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<Cow<'a, str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voice: Option<Cow<'a, str>>,
    },
    Document(Cow<'a, str>),
    Url(Cow<'a, str>),
}

impl<'a> From<&'a Script> for ScriptBody<'a> {
    fn from(script: &'a Script) -> ScriptBody<'a> {
        match script {
            Script::Say {
                message,
                language,
                voice,
            } => ScriptBody::Say {
                message: message.into(),
                language: language.as_deref().map(Cow::Borrowed),
                voice: voice.as_deref().map(Cow::Borrowed),
            },
            Script::Document(text) => ScriptBody::Document(text.into()),
            Script::Url(url) => ScriptBody::Url(url.into()),
        }
    }
}

impl ScriptBody<'_> {
    fn into_script(self) -> Script {
        match self {
            ScriptBody::Say {
                message,
                language,
                voice,
            } => Script::Say {
                message: message.into_owned(),
                language: language.map(Cow::into_owned),
                voice: voice.map(Cow::into_owned),
            },
            ScriptBody::Document(text) => Script::Document(text.into_owned()),
            ScriptBody::Url(url) => Script::Url(url.into_owned()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct PolicyBody {
    max_attempts: u32,
    delays: Vec<u64>,
    on: [bool; 3],
    ring: u64,
    limit: u64,
    give_up: u64,
    amd: String,
}

/// What a call without a policy of its own has under settings that nobody changed: almost every call,
/// whose row is a third shorter without it. Part of the written form, so that it stays as it is even
/// if the settings' defaults ever change.
static USUAL: LazyLock<Policy> = LazyLock::new(|| {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    Policy {
        max_attempts: 3,
        retry_delays: vec![minutes(2), minutes(5), minutes(10)],
        retry_on: RetryOn {
            busy: true,
            no_answer: true,
            failed: true,
        },
        ring_timeout: minutes(1),
        time_limit: minutes(4 * 60),
        give_up_after: minutes(24 * 60),
        machine_detection: MachineDetection::Off,
    }
});

impl From<&Policy> for PolicyBody {
    fn from(policy: &Policy) -> PolicyBody {
        PolicyBody {
            max_attempts: policy.max_attempts,
            delays: policy.retry_delays.iter().copied().map(millis).collect(),
            on: [
                policy.retry_on.busy,
                policy.retry_on.no_answer,
                policy.retry_on.failed,
            ],
            ring: millis(policy.ring_timeout),
            limit: millis(policy.time_limit),
            give_up: millis(policy.give_up_after),
            amd: words::detection_text(policy.machine_detection).to_owned(),
        }
    }
}

impl PolicyBody {
    fn into_policy(self) -> Option<Policy> {
        let [busy, no_answer, failed] = self.on;
        Some(Policy {
            max_attempts: self.max_attempts,
            retry_delays: self.delays.into_iter().map(Duration::from_millis).collect(),
            retry_on: RetryOn {
                busy,
                no_answer,
                failed,
            },
            ring_timeout: Duration::from_millis(self.ring),
            time_limit: Duration::from_millis(self.limit),
            give_up_after: Duration::from_millis(self.give_up),
            machine_detection: words::detection(&self.amd)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateBody<'a> {
    Waiting {
        due_at: i64,
        try_at: i64,
        misses: u32,
    },
    Dialling {
        attempt: u32,
        permit_at: i64,
        due_at: i64,
        misses: u32,
    },
    Live,
    Ended {
        status: Cow<'a, str>,
    },
}

impl From<&CallState> for StateBody<'_> {
    fn from(state: &CallState) -> Self {
        match *state {
            CallState::Waiting {
                due_at,
                try_at,
                misses,
            } => StateBody::Waiting {
                due_at: due_at.millis(),
                try_at: try_at.millis(),
                misses,
            },
            CallState::Dialling {
                attempt,
                permit_at,
                due_at,
                misses,
            } => StateBody::Dialling {
                attempt,
                permit_at: permit_at.millis(),
                due_at: due_at.millis(),
                misses,
            },
            CallState::Live => StateBody::Live,
            CallState::Ended { status } => StateBody::Ended {
                status: status.word().into(),
            },
        }
    }
}

impl StateBody<'_> {
    fn into_state(self) -> Option<CallState> {
        let at = Timestamp::from_millis;
        Some(match self {
            StateBody::Waiting {
                due_at,
                try_at,
                misses,
            } => CallState::Waiting {
                due_at: at(due_at),
                try_at: at(try_at),
                misses,
            },
            StateBody::Dialling {
                attempt,
                permit_at,
                due_at,
                misses,
            } => CallState::Dialling {
                attempt,
                permit_at: at(permit_at),
                due_at: at(due_at),
                misses,
            },
            StateBody::Live => CallState::Live,
            StateBody::Ended { status } => CallState::Ended {
                status: CallStatus::from_word(&status)?,
            },
        })
    }
}

fn millis(gap: Duration) -> u64 {
    u64::try_from(gap.as_millis()).unwrap_or(u64::MAX)
}
