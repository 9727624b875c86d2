//! A document of the prototype, field by field: what it says, checked one by one and not yet
//! compared with each other.

use domain::{AttemptStatus, CallId, CallStatus, Phone, Sid, Timestamp, UserId, limits};
use serde_json::Value;

use crate::fields::{Fault, Fields};

/// What a document says of a call.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) id: CallId,
    pub(crate) user_id: UserId,
    pub(crate) to: Phone,
    pub(crate) from: Phone,
    pub(crate) sid: Option<Sid>,
    pub(crate) status: CallStatus,
    pub(crate) attempt_count: Option<u32>,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) should_retry: bool,
    pub(crate) next_retry_at: Option<Timestamp>,
    pub(crate) attempts: Vec<Try>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
}

/// What it says of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) sid: Option<Sid>,
    pub(crate) status: AttemptStatus,
    pub(crate) at: Option<Timestamp>,
    pub(crate) error_message: Option<String>,
}

/// Reads a document.
pub(crate) fn read(value: &Value) -> Result<Document, Fault> {
    let fields = Fields::of(value)?;
    let (id, begun) = name(&fields)?;
    let user_id = fields.needed("user_id", fields.text("user_id")?)?;
    let user_id = UserId::new(user_id).ok_or_else(|| {
        let most = limits::USER_ID_LENGTH;
        fields.fault(
            "user_id",
            format!("must be a text of 1 to {most} bytes without control characters"),
        )
    })?;
    let max_attempts = fields.whole("max_attempts")?;
    if max_attempts.is_some_and(|most| !(1..=limits::MAX_ATTEMPTS).contains(&most)) {
        return Err(fields.fault("max_attempts", format!("must be 1 to {}", limits::MAX_ATTEMPTS)));
    }
    Ok(Document {
        id,
        user_id,
        to: phone(&fields, "to")?,
        from: phone(&fields, "from")?,
        sid: sid(&fields)?,
        status: fields.needed("status", status(&fields)?)?,
        attempt_count: fields.whole("attempt_count")?,
        max_attempts,
        should_retry: fields.flag("should_retry")?.unwrap_or(false),
        next_retry_at: fields.moment("next_retry_at")?,
        attempts: tries(&fields)?,
        created_at: fields.moment("created_at")?.unwrap_or(begun),
        updated_at: fields.moment("updated_at")?,
    })
}

/// The document's name, and when it was made, which is in the name.
fn name(fields: &Fields<'_>) -> Result<(CallId, Timestamp), Fault> {
    let text = fields.needed("_id", fields.object_id("_id")?)?;
    let id: Option<CallId> = text.parse().ok();
    let carried = id.and_then(|id| Some((id, id.object_id()?)));
    let Some((id, [a, b, c, d, ..])) = carried else {
        return Err(fields.fault("_id", "must be an ObjectId of 24 digits, 0 to 9 and a to f"));
    };
    let seconds = i64::from(u32::from_be_bytes([a, b, c, d]));
    Ok((id, Timestamp::from_millis(seconds * 1_000)))
}

fn phone(fields: &Fields<'_>, name: &str) -> Result<Phone, Fault> {
    let text = fields.needed(name, fields.text(name)?)?;
    text.parse()
        .map_err(|problem: domain::phone::NotAPhone| fields.fault(name, problem.to_string()))
}

fn sid(fields: &Fields<'_>) -> Result<Option<Sid>, Fault> {
    let Some(text) = fields.text("twilio_sid")?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let problem = || format!("must be 1 to {} visible characters", limits::SID_LENGTH);
    let sid = Sid::new(text).ok_or_else(|| fields.fault("twilio_sid", problem()))?;
    Ok(Some(sid))
}

fn status(fields: &Fields<'_>) -> Result<Option<CallStatus>, Fault> {
    let Some(text) = fields.text("status")? else {
        return Ok(None);
    };
    // The last is ours: the prototype never knew it.
    let known = || {
        CallStatus::ALL
            .into_iter()
            .filter(|word| *word != CallStatus::Unconfirmed)
    };
    let status = known().find(|status| status.word() == text).ok_or_else(|| {
        let words: Vec<&str> = known().map(CallStatus::word).collect();
        fields.fault("status", format!("must be one of {}", words.join(", ")))
    })?;
    Ok(Some(status))
}

fn tries(fields: &Fields<'_>) -> Result<Vec<Try>, Fault> {
    let mut tries: Vec<Try> = Vec::new();
    for (number, fields) in (1_u32..).zip(fields.list("attempts")?) {
        if fields.whole("attempt_number")?.is_some_and(|said| said != number) {
            let problem = format!("must be {number}: attempts stand in their order, counted from 1");
            return Err(fields.fault("attempt_number", problem));
        }
        let sid = sid(&fields)?;
        if sid.is_some() && tries.iter().any(|earlier| earlier.sid == sid) {
            return Err(fields.fault("twilio_sid", "is an earlier attempt's too"));
        }
        let status = fields.needed("status", status(&fields)?)?;
        tries.push(Try {
            sid,
            status: of_attempt(status),
            at: fields.moment("timestamp")?,
            error_message: fields.text("error_message")?.map(clipped),
        });
    }
    Ok(tries)
}

/// The word for an attempt: one that waits at the carrier shows as begun.
pub(crate) fn of_attempt(status: CallStatus) -> AttemptStatus {
    let same = AttemptStatus::ALL
        .into_iter()
        .find(|word| CallStatus::from(*word) == status);
    same.unwrap_or(AttemptStatus::Initiated)
}

/// Somebody else's words, kept to a bound.
fn clipped(words: &str) -> String {
    let end = (0..=limits::WORDS_KEPT.min(words.len()))
        .rev()
        .find(|&at| words.is_char_boundary(at));
    words[..end.unwrap_or(0)].to_owned()
}
