//! A request for a call, from JSON.

use domain::{MachineDetection, Phone, Policy, Request, Timestamp, UserId, limits};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::{retry, script};
use crate::error::{ApiError, Code};
use crate::state::App;

/// What every request must have.
pub(crate) const REQUIRED: [&str; 3] = ["to", "from", "user_id"];

/// A request that may be handed to the engine.
pub(crate) struct Asked {
    pub(crate) request: Request,
    /// What its sender should know although it does no harm.
    pub(crate) warnings: Vec<String>,
}

/// Reads a request for a call; what it leaves open is filled in from the operator's settings.
///
/// # Errors
/// `MissingFields` or `InvalidField`, with what is wrong.
pub(crate) fn read(body: Map<String, Value>, app: &App) -> Result<Asked, ApiError> {
    let mut fields = Fields::new(body);
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|name| fields.is_missing(name))
        .collect();
    if !missing.is_empty() {
        let message = format!("{}: missing, null or empty", missing.join(", "));
        return Err(ApiError::new(Code::MissingFields, message).with("required", json!(REQUIRED)));
    }
    let to = phone(&mut fields, "to")?;
    let from = phone(&mut fields, "from")?;
    let user_id = user(&mut fields)?;
    let script = script::read(&mut fields, app)?;
    let policy = policy(&mut fields, &app.engine.settings().policy)?;
    let scheduled_at = schedule(&mut fields, app.now())?;
    metadata(&mut fields)?;
    let (given, unknown) = fields.finish();
    let given = (!given.is_empty())
        .then(|| serde_json::to_string(&given).expect("what was JSON before can be JSON again"))
        .map(String::into_boxed_str);
    Ok(Asked {
        request: Request {
            user_id,
            to,
            from,
            script,
            policy,
            scheduled_at,
            given,
        },
        warnings: unknown
            .map(|name| format!("{name}: no such field; it was ignored"))
            .collect(),
    })
}

fn phone(fields: &mut Fields, name: &str) -> Result<Phone, ApiError> {
    fields
        .required_text(name)?
        .parse()
        .map_err(|error: domain::phone::NotAPhone| ApiError::field(name, error))
}

fn user(fields: &mut Fields) -> Result<UserId, ApiError> {
    let text = fields.required_text("user_id")?;
    UserId::new(&text).ok_or_else(|| {
        let most = limits::USER_ID_LENGTH;
        ApiError::field(
            "user_id",
            format_args!("must have at most {most} bytes and no control characters"),
        )
    })
}

fn policy(fields: &mut Fields, default: &Policy) -> Result<Policy, ApiError> {
    let attempts = fields.whole("max_attempts", 1..=u64::from(limits::MAX_ATTEMPTS))?;
    let retry_delays = retry::delays(fields)?;
    let retry_on = retry::retry_on(fields)?;
    let seconds = std::time::Duration::from_secs;
    let ring_timeout = fields.whole("ring_timeout_seconds", limits::RING_TIMEOUT_SECONDS)?;
    let time_limit = fields.whole("time_limit_seconds", limits::TIME_LIMIT_SECONDS)?;
    let machine_detection = machine_detection(fields)?;
    let give_up_after = fields.duration("give_up_after", limits::LONGEST_GIVE_UP)?;
    if give_up_after.is_some_and(|gap| gap.is_zero()) {
        return Err(ApiError::field("give_up_after", "must be above zero"));
    }
    Ok(Policy {
        max_attempts: attempts
            .and_then(|it| it.try_into().ok())
            .unwrap_or(default.max_attempts),
        retry_delays: retry_delays.unwrap_or_else(|| default.retry_delays.clone()),
        retry_on: retry_on.unwrap_or(default.retry_on),
        ring_timeout: ring_timeout.map_or(default.ring_timeout, seconds),
        time_limit: time_limit.map_or(default.time_limit, seconds),
        give_up_after: give_up_after.unwrap_or(default.give_up_after),
        machine_detection: machine_detection.unwrap_or(default.machine_detection),
    })
}

fn machine_detection(fields: &mut Fields) -> Result<Option<MachineDetection>, ApiError> {
    let Some(value) = fields.take("machine_detection") else {
        return Ok(None);
    };
    match value.as_str() {
        Some("off") => Ok(Some(MachineDetection::Off)),
        Some("enable") => Ok(Some(MachineDetection::Enable)),
        Some("detect_message_end") => Ok(Some(MachineDetection::DetectMessageEnd)),
        _ => Err(ApiError::field(
            "machine_detection",
            "must be off, enable or detect_message_end",
        )),
    }
}

fn schedule(fields: &mut Fields, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let Some(value) = fields.take("scheduled_at") else {
        return Ok(None);
    };
    let at: Timestamp = value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ApiError::field("scheduled_at", domain::time::NotATime))?;
    if at > now + limits::FURTHEST_SCHEDULE {
        let days = limits::FURTHEST_SCHEDULE.as_secs() / 86_400;
        return Err(ApiError::field(
            "scheduled_at",
            format_args!("must be within {days} days from now"),
        ));
    }
    Ok(Some(at))
}

/// Only checked: it is given back from the options.
fn metadata(fields: &mut Fields) -> Result<(), ApiError> {
    let Some(value) = fields.take("metadata") else {
        return Ok(());
    };
    if !value.is_object() {
        return Err(ApiError::field("metadata", "must be an object"));
    }
    let most = limits::METADATA_BYTES;
    if value.to_string().len() > most {
        return Err(ApiError::field(
            "metadata",
            format_args!("must be at most {most} bytes of JSON"),
        ));
    }
    Ok(())
}
