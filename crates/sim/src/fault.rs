//! What goes wrong between the carrier and its customer: lost answers, refusals, callbacks that are missing,
//! doubled, reversed, early or late. It must not know how a call proceeds. Called by the exchange.

use crate::callee::script;
use serde::{Deserialize, Serialize};

/// What becomes of one request to create a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Placed, and answered as `answer` says.
    Placed(Reply),
    /// No call is created.
    Refused(Refusal),
}

/// How a created call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// As documented.
    Normal,
    /// The connection is cut.
    Lost,
    /// 503, although the call exists.
    Unavailable,
}

/// A refusal that has nothing to do with what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 429: too many requests at once, never executed.
    #[serde(rename = "429")]
    TooMany,
    /// 500, without any effect.
    #[serde(rename = "500")]
    Broken,
    /// 503, without any effect.
    #[serde(rename = "503")]
    Unavailable,
    /// No refusal: the request takes its course.
    Normal,
}

/// What happens to the callbacks of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callbacks {
    /// Each is sent once, when its event happens.
    Normal,
    /// None is ever sent.
    None,
    /// Each is sent, and sent again.
    Twice,
    /// All are kept back to the end and sent last first.
    Reversed,
    /// The first is sent before the request that created the call is answered.
    Early,
    /// Sent, and one is remembered to be repeated during the next call to the number.
    Remembered,
    /// Sent, and the one remembered from the call before is repeated while this one rings.
    Haunted,
    /// The last one is not sent.
    NoLast,
}

/// Faults of the whole carrier, switched at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Every connection is cut before its request is executed.
    pub down: bool,
    /// Every request is answered as for a suspended account: 401, code 20003.
    pub suspended: bool,
    /// The account is one on trial.
    pub trial: bool,
    /// By how many seconds the `Date` of every answer is ahead of the true one; negative: behind.
    pub date_ahead_s: i32,
    /// How every request to create a call is answered.
    pub answer: Refusal,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            down: false,
            suspended: false,
            trial: false,
            date_ahead_s: 0,
            answer: Refusal::Normal,
        }
    }
}

/// What becomes of a create to `number`, of which `before` were asked for since the start, refused ones
/// counted.
pub fn fate(number: &str, before: u64) -> Fate {
    match script(number) {
        Some(110) => Fate::Placed(Reply::Lost),
        Some(111) => Fate::Placed(Reply::Unavailable),
        Some(112) => Fate::Refused(Refusal::Unavailable),
        Some(113) if before % 3 < 2 => Fate::Refused(Refusal::TooMany),
        _ => Fate::Placed(Reply::Normal),
    }
}

/// What happens to the callbacks of the `nth` accepted call (from 0) to `number`.
pub fn callbacks(number: &str, nth: u64) -> Callbacks {
    match script(number) {
        Some(114) => Callbacks::None,
        Some(115) => Callbacks::Twice,
        Some(116) => Callbacks::Reversed,
        Some(117) => Callbacks::Early,
        Some(118) if nth.is_multiple_of(2) => Callbacks::Remembered,
        Some(118) => Callbacks::Haunted,
        Some(119) => Callbacks::NoLast,
        _ => Callbacks::Normal,
    }
}
