//! Schemas of what has no shape of its own to derive one from: words, numbers, and the body of a
//! request, which is read field by field. The bounds are the domain's; the document is their only
//! reader, and a test holds the body's fields against what is really taken.

use std::borrow::Cow;
use std::time::Duration;

use domain::{AttemptStatus, CallStatus, HoldReason, limits};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::list::MOST;
use super::script::VOICE_LENGTH;
use crate::extract::JSON_BYTES;

/// Defines types that stand for a schema, each by its name in the document.
macro_rules! schemas {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            /// A place for the schema, which is put in when the document is made.
            fn schema() -> RefOr<Schema> {
                RefOr::default()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*
        /// Every one of them, by its name.
        pub(crate) fn all() -> Vec<(&'static str, Value)> {
            vec![$((stringify!($name), $schema)),*]
        }
    };
}

schemas! {
    /// Where a call stands.
    CallWord = words("Where a call stands.", &CallStatus::ALL.map(CallStatus::word));
    /// Where an attempt stands.
    AttemptWord = words("Where an attempt stands.", &AttemptStatus::ALL.map(AttemptStatus::word));
    /// Why a call waits.
    HoldWord = words("Why a call waits.", &HoldReason::ALL.map(HoldReason::word));
    /// The store stands in the way of all dials.
    StoreWord = words("The store cannot be trusted.", &["store"]);
    /// An OpenAPI document.
    Document = json!({
        "type": "object",
        "required": ["openapi", "info", "paths"],
        "properties": {
            "openapi": {"type": "string"},
            "info": {"type": "object", "additionalProperties": true},
            "paths": {"type": "object", "additionalProperties": true},
        },
    });
    /// A form of the document.
    DocumentVersion = json!({"type": "string", "enum": ["3.0", "3.1"], "default": "3.1"});
    /// A part of the page that shows the document.
    ViewerFile = json!({"type": "string", "enum": ["start.js", "swagger-ui.css", "swagger-ui-bundle.js"]});
    /// All is well.
    Fine = json!({
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": ["ok"]}},
    });
    /// A telephone number.
    Phone = json!({
        "type": "string",
        "description": "A telephone number as E.164 writes it: `+` and 8 to 15 digits.",
        "pattern": r"^\+[1-9][0-9]{7,14}$",
        "examples": ["+15551230100"],
    });
    /// Whose calls.
    UserName = user_name();
    /// A moment that a client names.
    Moment = moment();
    /// How many calls on a page.
    PageLimit = json!({"type": "integer", "minimum": 1, "maximum": MOST, "default": super::list::LIMIT});
    /// How many calls to pass over.
    PageOffset = json!({"type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 0});
    /// What makes a request repeatable.
    IdempotencyKeyText = json!({
        "type": "string",
        "minLength": 1,
        "maxLength": crate::idempotency::LENGTH,
        "pattern": "^[!-~]+$",
        "examples": ["taxi-4711"],
    });
    /// A request for a call.
    OutboundCall = outbound_call();
    /// Options of a call, given back.
    Options = given();
    /// The name of a call: a UUID, or the ObjectId under which it was imported.
    CallName = json!({"type": "string", "pattern": CALL_NAME});
    /// An attempt of ours, in the address of the carrier's question.
    AttemptNumber = json!({"type": "string", "pattern": "^[1-9][0-9]{0,8}$"});
    /// What the carrier says of a leg.
    StatusCallback = heard(&["CallSid", "CallStatus"]);
    /// What the carrier says when it asks what to say.
    VoiceRequest = heard(&["CallSid"]);
}

/// A call's name, as [`domain::CallId`] is written.
pub(crate) const CALL_NAME: &str =
    "^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|[0-9a-f]{24})$";

fn words(description: &str, words: &[&str]) -> Value {
    json!({"type": "string", "description": description, "enum": words})
}

fn user_name() -> Value {
    json!({
        "type": "string",
        "description": format!(
            "Your own name for the person's account: 1 to {} bytes of UTF-8 without control characters.",
            limits::USER_ID_LENGTH
        ),
        "minLength": 1,
        "maxLength": limits::USER_ID_LENGTH,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
        "examples": ["ada"],
    })
}

fn moment() -> Value {
    json!({
        "type": "string",
        "format": "date-time",
        "description": "A moment in ISO 8601 with its zone.",
        "examples": ["2026-11-22T10:00:00Z"],
    })
}

fn outbound_call() -> Value {
    let mut fields = options();
    for schema in fields.values_mut() {
        // Null is as good as absent.
        match schema.get_mut("oneOf").and_then(Value::as_array_mut) {
            Some(kinds) => kinds.push(json!({"type": "null"})),
            None => schema["type"] = json!([schema["type"].take(), "null"]),
        }
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    }
    let phone = |what: &str| json!({"$ref": "#/components/schemas/Phone", "description": what});
    fields.insert("to".to_owned(), phone("Who is called."));
    fields.insert("from".to_owned(), phone("The number that the call shows."));
    fields.insert(
        "user_id".to_owned(),
        json!({"$ref": "#/components/schemas/UserName"}),
    );
    json!({
        "type": "object",
        "description": format!(
            "Whom to call, and how. What is left open is as the operator has set it. One of `message`, `twiml` and \
             `url` at most says what is heard. A field that does not exist is no error, but named in `warnings`. At \
             most {} KiB.",
            JSON_BYTES / 1024
        ),
        "required": super::request::REQUIRED,
        "properties": fields,
    })
}

fn given() -> Value {
    let mut fields = options();
    // The record has a field of this name for every call.
    fields.remove("max_attempts");
    json!({
        "type": "object",
        "description": "The options that came with the request, exactly as they were given.",
        "properties": fields,
    })
}

/// The fields of the carrier's requests that are read; it sends more.
fn heard(required: &[&str]) -> Value {
    let mut fields = Map::new();
    for (name, what) in [
        ("CallSid", "The carrier's name of the call."),
        ("CallStatus", "How it stands, in the carrier's word."),
        ("SequenceNumber", "The number of this event."),
        ("Timestamp", "When it happened."),
        ("CallDuration", "How long was talked, in seconds."),
        ("SipResponseCode", "The answer of the called network."),
        ("AnsweredBy", "Who answered, if it was to be found out."),
        ("ErrorCode", "Why it failed, as a number."),
        ("ErrorMessage", "Why it failed, in words."),
    ] {
        // Of any type: what cannot be read is left out, so that the word itself is not lost over it.
        fields.insert(name.to_owned(), json!({"description": what}));
    }
    // Without these it is about nothing. JSON may have a number for a text.
    for name in required {
        fields[*name]["type"] = json!(["string", "number"]);
        fields[*name]["minLength"] = 1.into();
    }
    fields["CallSid"]["maxLength"] = limits::SID_LENGTH.into();
    fields["CallSid"]["pattern"] = "^[!-~]+$".into();
    json!({"type": "object", "required": required, "properties": fields})
}

/// What a request may say beside whom to call.
fn options() -> Map<String, Value> {
    let mut options = policy();
    let spoken = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff]+$";
    let mut text = |name: &str, what: &str, most: usize| {
        let schema = json!({"type": "string", "description": what, "minLength": 1, "maxLength": most});
        options.insert(name.to_owned(), schema);
    };
    text("message", "What is spoken.", limits::MESSAGE_LENGTH);
    text(
        "language",
        "The language of the message, as the carrier names it. Only with a `message`.",
        VOICE_LENGTH,
    );
    text(
        "voice",
        "The voice of the message, as the carrier names it. Only with a `message`.",
        VOICE_LENGTH,
    );
    text(
        "twiml",
        "A whole document instead: well-formed, root `<Response>`, verbs of `REDIAL_TWIML_VERBS` only.",
        limits::TWIML_LENGTH,
    );
    text(
        "url",
        "The address of a document elsewhere instead: absolute, http or https.",
        limits::URL_LENGTH,
    );
    options["message"]["pattern"] = spoken.into();
    options["url"]["format"] = "uri".into();
    options["url"]["pattern"] = "^https?://".into();
    let mut at = moment();
    at["description"] = "Not before this moment, which has a zone; until then the call is `queued`.".into();
    options.insert("scheduled_at".to_owned(), at);
    let metadata = json!({
        "type": "object",
        "description": format!("Anything, given back: up to {} bytes of JSON.", limits::METADATA_BYTES),
        "additionalProperties": true,
    });
    options.insert("metadata".to_owned(), metadata);
    options
}

/// How often, how soon, and for how long.
fn policy() -> Map<String, Value> {
    let duration = |what: &str, least: u32, longest: Duration| {
        json!({
            "description": format!(
                "{what}: whole seconds, or a text such as `90s`, with `ms`, `s`, `m`, `h` or `d`. At most {} days.",
                longest.as_secs() / 86_400
            ),
            "oneOf": [
                {"type": "integer", "minimum": least, "maximum": longest.as_secs()},
                {"type": "string", "pattern": "^[0-9]+ *(ms|s|m|h|d)?$"},
            ],
        })
    };
    let whole = |what: &str, (least, most): (u64, u64)| json!({"type": "integer", "description": what, "minimum": least, "maximum": most});
    let bounds = |range: std::ops::RangeInclusive<u64>| (*range.start(), *range.end());
    let mut fields = Map::new();
    let mut field = |name: &str, schema: Value| fields.insert(name.to_owned(), schema);
    let most = u64::from(limits::MAX_ATTEMPTS);
    field("max_attempts", whole("Most dials of this call.", (1, most)));
    field(
        "retry_delays",
        json!({
            "type": "array",
            "description": "The gaps after attempt 1, 2, ...; the last repeats.",
            "items": duration("One gap", 0, limits::LONGEST_RETRY_DELAY),
            "minItems": 1,
            "maxItems": limits::RETRY_DELAYS,
            "examples": [["2m", "5m", "10m"]],
        }),
    );
    field(
        "retry_on",
        json!({
            "type": "array",
            "description": "The endings that are tried again. An empty list means none.",
            "items": {"type": "string", "enum": ["busy", "no-answer", "failed"]},
        }),
    );
    field(
        "ring_timeout_seconds",
        whole("How long it may ring.", bounds(limits::RING_TIMEOUT_SECONDS)),
    );
    field(
        "time_limit_seconds",
        whole("How long may be talked.", bounds(limits::TIME_LIMIT_SECONDS)),
    );
    field(
        "machine_detection",
        json!({
            "type": "string",
            "description": "Whether the carrier is to find out who answers.",
            "enum": ["off", "enable", "detect_message_end"],
        }),
    );
    let what = "A dial not sent this long after it was due is not made any more";
    field("give_up_after", duration(what, 1, limits::LONGEST_GIVE_UP));
    fields
}
