//! What the answers of all routes have in common: errors by their codes, headers, the key.

use serde_json::{Value, json};

use crate::error::{ApiError, Code};
use crate::idempotency;
use crate::wire::request::REQUIRED;
use crate::wire::schema::CALL_NAME;

/// Before anything else: the key, the place, the room.
const GUARD: &[Code] = &[Code::Unauthorized, Code::NotLocal, Code::Overloaded];
/// A body that does not arrive.
const BODY: &[Code] = &[Code::BodyCut, Code::BodyTimeout, Code::BodyTooLarge];
/// A store that does not answer.
const STORE: &[Code] = &[Code::Busy, Code::DiskFull, Code::StorageFailed];
/// What is wrong with a request for a call.
const REQUEST: &[Code] = &[
    Code::MissingFields,
    Code::InvalidField,
    Code::InvalidJson,
    Code::InvalidKey,
];
const CARRIER: &[&[Code]] = &[&[Code::Forged, Code::Malformed, Code::Overloaded], BODY, STORE];

/// The codes that each operation may answer with. The two that belong to no operation, because they
/// say that there is none, stand with the shape of errors.
const ERRORS: &[(&str, &[&[Code]])] = &[
    (
        "createCall",
        &[
            REQUEST,
            GUARD,
            BODY,
            &[Code::KeyTaken, Code::CarrierRefused],
            STORE,
            &[Code::Stopping],
        ],
    ),
    ("listCalls", &[&[Code::InvalidField], GUARD, STORE]),
    ("getCall", &[GUARD, &[Code::CallNotFound], STORE]),
    (
        "cancelCall",
        &[GUARD, &[Code::CallNotFound, Code::AlreadyOver], STORE],
    ),
    ("pauseDialing", &[GUARD, STORE]),
    ("resumeDialing", &[GUARD, STORE]),
    ("getMetrics", &[GUARD, STORE]),
    ("getReadiness", &[&[Code::NotLocal]]),
    ("getHealth", &[]),
    ("getOpenapi", &[&[Code::InvalidField]]),
    ("getDocs", &[]),
    ("getDocsFile", &[&[Code::NoSuchRoute]]),
    ("takeStatus", CARRIER),
    ("tellVoice", CARRIER),
    ("tellVoiceByGet", CARRIER),
];

/// The operations whose errors are told in TwiML.
const IN_TWIML: [&str; 2] = ["tellVoice", "tellVoiceByGet"];
/// The operation whose 503 is no error.
const READINESS: &str = "getReadiness";

/// The codes of an operation.
fn codes_of(operation: &str) -> impl Iterator<Item = Code> {
    let found = ERRORS.iter().find(|(id, _)| *id == operation);
    let groups: &[&[Code]] = found.map_or(&[], |(_, groups)| groups);
    groups.iter().flat_map(|group| group.iter().copied())
}

/// Every operation that this table knows.
#[cfg(test)]
pub(super) fn operations() -> impl Iterator<Item = &'static str> {
    ERRORS.iter().map(|(id, _)| *id)
}

/// Puts in what operations refer to.
pub(super) fn put_in(document: &mut Value) {
    let parts = &mut document["components"];
    parts["schemas"]["Error"] = error_shape();
    parts["headers"] = headers();
    parts["parameters"] = json!({"RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Your own id of this request, given back and logged, if it is 1 to 128 letters, digits, `-`, \
                        `_`, `.` or `:`; else the server makes one.",
        "schema": {"type": "string"},
    }});
    parts["securitySchemes"] = json!({
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "One of the server's `REDIAL_API_KEYS`. A server without keys wants none.",
        },
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Twilio-Signature",
            "description": "The carrier's signature over the address, as `BASE_URL` has it, and the fields.",
        },
    });
}

/// Completes an operation: its errors, its headers, its key.
pub(super) fn complete(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let codes: Vec<Code> = codes_of(&id).collect();
    operation["security"] = if codes.contains(&Code::Unauthorized) {
        json!([{"key": []}])
    } else if codes.contains(&Code::Forged) {
        json!([{"signature": []}])
    } else {
        json!([])
    };
    let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    for parameter in &mut parameters {
        leave_out(&mut parameter["schema"]);
    }
    parameters.push(json!({"$ref": "#/components/parameters/RequestId"}));
    operation["parameters"] = parameters.into();
    for code in codes {
        add(&mut operation["responses"], code, IN_TWIML.contains(&id.as_str()));
    }
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        let further = match status.as_str() {
            "401" => Some("WWW-Authenticate"),
            "503" if id != READINESS => Some("Retry-After"),
            _ => None,
        };
        for name in ["X-Request-Id"].into_iter().chain(further) {
            response["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
        }
    }
}

/// What may be left out of a query or of the headers is never null there.
fn leave_out(schema: &mut Value) {
    if let Some(choices) = schema["oneOf"].as_array()
        && let Some(choice) = choices.iter().find(|choice| choice["type"] != "null")
    {
        *schema = choice.clone();
    }
    if let Some(kinds) = schema["type"].as_array()
        && let Some(kind) = kinds.iter().find(|kind| *kind != "null")
    {
        schema["type"] = kind.clone();
    }
}

/// Adds one code to the answers of its status.
fn add(responses: &mut Value, code: Code, in_twiml: bool) {
    let response = &mut responses[code.status().as_str()];
    let before = match response["description"].as_str() {
        Some(text) => format!("{text} "),
        None => String::new(),
    };
    response["description"] = format!("{before}`{}`: {}.", code.word(), code.text()).into();
    if in_twiml {
        let content = json!({"schema": {"type": "string"}, "example": "<Response><Hangup/></Response>"});
        response["content"]["text/xml"] = content;
        return;
    }
    let content = &mut response["content"]["application/json"];
    content["schema"] = json!({"$ref": "#/components/schemas/Error"});
    content["examples"][code.word()] = json!({"value": example(code)});
}

fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The id under which the log has the request.",
            "required": true,
            "schema": {"type": "string"},
            "example": "19ab-2f",
        },
        "Retry-After": {
            "description": "Seconds after which it may be tried again.",
            "required": true,
            "schema": {"type": "integer", "minimum": 0},
            "example": 1,
        },
        "WWW-Authenticate": {
            "description": "What is wanted: a bearer key.",
            "required": true,
            "schema": {"type": "string"},
            "example": "Bearer realm=\"redial\"",
        },
    })
}

fn error_shape() -> Value {
    let text = |what: &str| json!({"type": "string", "description": what});
    let texts = |what: &str| json!({"type": "array", "description": what, "items": {"type": "string"}});
    json!({
        "type": "object",
        "description": "Why a request was not answered as was hoped. A path that does not exist is answered \
                        `no_such_route` (404), another method `wrong_method` (405).",
        "required": ["error", "message", "code", "request_id"],
        "properties": {
            "error": text("A few words for a person."),
            "message": text("What to do about it."),
            "code": {
                "type": "string",
                "description": "What went wrong, as a word that never changes.",
                "enum": Code::ALL.iter().map(|code| code.word()).collect::<Vec<_>>(),
            },
            "request_id": text("The id under which the log has the request."),
            "field": text("Which field or parameter, where it is about one."),
            "required": texts("With `missing_fields`: all that must be there."),
            "call_id": {
                "type": "string",
                "pattern": CALL_NAME,
                "description": "With `carrier_refused`: the call, which is kept as `failed`.",
            },
            "carrier_code": {
                "type": ["integer", "null"],
                "description": "With `carrier_refused`: the carrier's error code.",
            },
            "retryable": {"type": "boolean", "description": "With `carrier_refused`: false."},
            "warnings": texts("Fields of the request that do not exist."),
        },
        "examples": [example(Code::NoSuchRoute), example(Code::WrongMethod)],
    })
}

/// An answer with this code.
pub(super) fn example(code: Code) -> Value {
    let error = |message: &'static str| ApiError::new(code, message);
    let error = match code {
        Code::MissingFields => error("to: missing, null or empty").with("required", json!(REQUIRED)),
        Code::InvalidField => ApiError::field("limit", "must be a whole number from 1 to 500"),
        Code::InvalidJson => error("the body must be a JSON object"),
        Code::InvalidKey => error(idempotency::MUST_BE),
        Code::BodyCut => error("the connection failed before the whole body was there"),
        Code::BodyTimeout => error("the whole body must arrive within 10 s"),
        Code::BodyTooLarge => error("the body has more than 262144 bytes"),
        Code::Unauthorized => error("the key that was shown is none of this server's"),
        Code::NotLocal => error("the request is for a host that is not this machine's loopback"),
        Code::Forged => error("the signature does not cover this request: there is none"),
        Code::Malformed => error("CallStatus is missing"),
        Code::CallNotFound => error("No call found with id 7 for user ada"),
        Code::NoSuchRoute => error("there is nothing at this path"),
        Code::WrongMethod => error("this path takes another method: see the header `Allow`"),
        Code::AlreadyOver => error("the call has ended before (completed); there is nothing to cancel"),
        Code::KeyTaken => error("this key came with another body before; a new request needs a new key"),
        Code::CarrierRefused => error("The number is not valid.")
            .with("call_id", json!("019aab2f-3c00-7000-8000-000000000001"))
            .with("carrier_code", json!(21_211))
            .with("retryable", json!(false)),
        Code::Overloaded => error("more requests are in hand than this server takes at once"),
        Code::Busy => error("more is asked for at once than can be stored; ask again in a second"),
        Code::DiskFull => error("nothing can be stored until there is room on the server's disk"),
        Code::StorageFailed => error(
            "not stored, or not known to be: ask again, with the same Idempotency-Key; the server's log says why",
        ),
        Code::Stopping => error("the server is on its way out; ask again when it is back"),
    };
    error.body("19ab-2f")
}
