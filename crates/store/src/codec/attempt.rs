//! Written shapes of attempts and legs. Times are milliseconds since 1970.

use std::borrow::Cow;

use domain::{Ask, Attempt, Extra, Proof, Sid, Timestamp};
use serde::{Deserialize, Serialize};

use super::words;

#[derive(Serialize, Deserialize)]
pub(super) struct AskBody {
    at: i64,
    tries: u32,
    since: i64,
}

impl From<Ask> for AskBody {
    fn from(ask: Ask) -> AskBody {
        AskBody {
            at: ask.at.millis(),
            tries: ask.tries,
            since: ask.since.millis(),
        }
    }
}

impl From<AskBody> for Ask {
    fn from(ask: AskBody) -> Ask {
        let at = Timestamp::from_millis;
        Ask {
            at: at(ask.at),
            tries: ask.tries,
            since: at(ask.since),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ExtraBody<'a> {
    sid: Cow<'a, str>,
    attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hang_up: Option<AskBody>,
}

impl<'a> From<&'a Extra> for ExtraBody<'a> {
    fn from(extra: &'a Extra) -> ExtraBody<'a> {
        ExtraBody {
            sid: extra.sid.as_str().into(),
            attempt: extra.attempt,
            hang_up: extra.hang_up.map(AskBody::from),
        }
    }
}

impl ExtraBody<'_> {
    pub(super) fn into_extra(self) -> Option<Extra> {
        let hang_up = self.hang_up.map(Ask::from);
        Some(Extra {
            sid: Sid::new(&self.sid)?,
            attempt: self.attempt,
            hang_up,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct AttemptBody<'a> {
    n: u32,
    permit_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<Cow<'a, str>>,
    status: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended_at: Option<i64>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<(bool, Option<u32>, u8)>,
    last_word_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask: Option<AskBody>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unwanted: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    heard: Vec<(Cow<'a, str>, Option<u32>)>,
}

impl<'a> From<&'a Attempt> for AttemptBody<'a> {
    fn from(a: &'a Attempt) -> AttemptBody<'a> {
        AttemptBody {
            n: a.number,
            permit_at: a.permit_at.millis(),
            sid: a.sid.as_ref().map(|sid| sid.as_str().into()),
            status: a.status.word().into(),
            refused: a.refused,
            ended_at: a.ended_at.map(Timestamp::millis),
            duration_seconds: a.duration_seconds,
            answered_by: a.answered_by.as_deref().map(Cow::Borrowed),
            sip_response_code: a.sip_response_code,
            error_code: a.error_code,
            error_message: a.error_message.as_deref().map(Cow::Borrowed),
            proof: a.proof.map(|proof| (proof.fetched, proof.sequence, proof.rank)),
            last_word_at: a.last_word_at.millis(),
            ask: a.ask.map(AskBody::from),
            unwanted: a.unwanted,
            heard: a
                .heard
                .iter()
                .map(|(word, seq)| (words::word_text(word).into(), *seq))
                .collect(),
        }
    }
}

impl AttemptBody<'_> {
    pub(super) fn into_attempt(self) -> Option<Attempt> {
        let at = Timestamp::from_millis;
        let heard = self
            .heard
            .into_iter()
            .map(|(word, seq)| Some((words::word(&word)?, seq)));
        Some(Attempt {
            number: self.n,
            permit_at: at(self.permit_at),
            sid: match self.sid {
                Some(sid) => Some(Sid::new(&sid)?),
                None => None,
            },
            status: words::attempt_status(&self.status)?,
            refused: self.refused,
            ended_at: self.ended_at.map(at),
            duration_seconds: self.duration_seconds,
            answered_by: self.answered_by.map(Cow::into_owned),
            sip_response_code: self.sip_response_code,
            error_code: self.error_code,
            error_message: self.error_message.map(Cow::into_owned),
            proof: self.proof.map(|(fetched, sequence, rank)| Proof {
                fetched,
                sequence,
                rank,
            }),
            last_word_at: at(self.last_word_at),
            ask: self.ask.map(Ask::from),
            unwanted: self.unwanted,
            heard: heard.collect::<Option<_>>()?,
        })
    }
}
