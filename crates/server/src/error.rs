//! Every way in which a request fails, and the only place that knows HTTP status codes. Handlers
//! return an [`ApiError`]; its body is written when the request's id is known.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use engine::{EngineError, StoreError, WebhookError};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::request_id::{self, RequestId};

/// A call was taken, and whether it is placed is not known yet.
pub(crate) const PENDING: StatusCode = StatusCode::ACCEPTED;
/// Calls are not dialled now.
pub(crate) const NOT_READY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// Seconds after which something that was too much is tried again: what fills this server empties
/// within that.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Defines [`Code`] from one table: variant, status, stable word, short text.
macro_rules! codes {
    ($($variant:ident $status:ident $word:literal $text:literal)*) => {
        /// What went wrong, as a word that never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($variant),* }

        impl Code {
            /// Every code.
            pub(crate) const ALL: &[Code] = &[$(Code::$variant),*];

            /// The status that goes with it.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status),* }
            }

            /// The word that answers carry.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Code::$variant => $word),* }
            }

            /// A few words for a person.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }
        }
    };
}

codes! {
    MissingFields BAD_REQUEST "missing_fields" "Missing required fields"
    InvalidField BAD_REQUEST "invalid_field" "Invalid field"
    InvalidJson BAD_REQUEST "invalid_json" "Invalid JSON"
    InvalidKey BAD_REQUEST "invalid_idempotency_key" "Invalid idempotency key"
    BodyCut BAD_REQUEST "body_cut" "The body was cut off"
    BodyTimeout REQUEST_TIMEOUT "body_timeout" "The body took too long"
    BodyTooLarge PAYLOAD_TOO_LARGE "body_too_large" "The body is too large"
    Unauthorized UNAUTHORIZED "unauthorized" "Unauthorized"
    NotLocal FORBIDDEN "not_local" "Not from this machine"
    Forged FORBIDDEN "forged_signature" "The signature does not verify"
    Malformed BAD_REQUEST "malformed_callback" "A callback that cannot be read"
    CallNotFound NOT_FOUND "call_not_found" "Call not found"
    NoSuchRoute NOT_FOUND "no_such_route" "No such route"
    WrongMethod METHOD_NOT_ALLOWED "wrong_method" "Wrong method"
    AlreadyOver CONFLICT "already_over" "The call is already over"
    KeyTaken CONFLICT "idempotency_key_taken" "The idempotency key belongs to another request"
    CarrierRefused INTERNAL_SERVER_ERROR "carrier_refused" "Failed to create call"
    Overloaded SERVICE_UNAVAILABLE "overloaded" "Too many requests at once"
    Busy SERVICE_UNAVAILABLE "busy" "The store is busy"
    DiskFull SERVICE_UNAVAILABLE "disk_full" "The disk is full"
    StorageFailed SERVICE_UNAVAILABLE "storage_failed" "The store failed"
    Stopping SERVICE_UNAVAILABLE "stopping" "The server is stopping"
}

/// Why a request is not answered as was hoped.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    code: Code,
    message: Cow<'static, str>,
    more: Map<String, Value>,
    source: Option<Arc<EngineError>>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError {
            code,
            message: message.into(),
            more: Map::new(),
            source: None,
        }
    }

    /// A field of the request that cannot be taken.
    pub(crate) fn field(name: &str, problem: impl std::fmt::Display) -> ApiError {
        ApiError::new(Code::InvalidField, format!("{name}: {problem}")).with("field", json!(name))
    }

    /// One more field of the answer.
    pub(crate) fn with(mut self, name: &str, value: Value) -> ApiError {
        self.more.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What is to be logged: the chain of causes that the client is not shown.
    pub(crate) fn causes(&self) -> Option<String> {
        let mut cause: Option<&dyn Error> = self.source.as_ref().map(|source| source.as_ref() as &dyn Error);
        let mut chain: Vec<String> = Vec::new();
        while let Some(error) = cause {
            let text = error.to_string();
            // A transparent error says what its source says.
            if chain.last() != Some(&text) {
                chain.push(text);
            }
            cause = error.source();
        }
        (!chain.is_empty()).then(|| chain.join(": "))
    }

    /// The whole answer.
    pub(crate) fn respond(&self, id: &RequestId) -> Response {
        let mut response = Response::new(Body::from(self.body(id.as_str()).to_string()));
        self.head(&mut response);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(request_id::HEADER, id.header());
        response
    }

    /// The body of the answer.
    pub(crate) fn body(&self, request_id: &str) -> Value {
        let mut body = self.more.clone();
        body.insert("error".to_owned(), json!(self.code.text()));
        body.insert("message".to_owned(), json!(self.message));
        body.insert("code".to_owned(), json!(self.code.word()));
        body.insert("request_id".to_owned(), json!(request_id));
        Value::Object(body)
    }

    /// Status and headers, for an answer whose body is written elsewhere.
    pub(crate) fn head(&self, response: &mut Response) {
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        match self.code.status() {
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(header::RETRY_AFTER, RETRY_AFTER),
            StatusCode::UNAUTHORIZED => headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"redial\""),
            ),
            _ => None,
        };
    }
}

/// Hands the error on to whoever knows the request's id: it travels in the answer's extensions.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> ApiError {
        let (code, message) = match &error {
            EngineError::Stopping => (
                Code::Stopping,
                "the server is on its way out; ask again when it is back",
            ),
            EngineError::Store(StoreError::Busy) => (
                Code::Busy,
                "more is asked for at once than can be stored; ask again in a second",
            ),
            EngineError::Store(StoreError::Full(_)) => (
                Code::DiskFull,
                "nothing can be stored until there is room on the server's disk",
            ),
            EngineError::Store(StoreError::Broken(..) | StoreError::Held(_)) => (
                Code::StorageFailed,
                "not stored, or not known to be: ask again, with the same Idempotency-Key; the server's log says why",
            ),
        };
        ApiError {
            source: Some(Arc::new(error)),
            ..ApiError::new(code, message)
        }
    }
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> ApiError {
        match &error {
            WebhookError::Forged(_) => ApiError::new(Code::Forged, error.to_string()),
            WebhookError::Malformed { .. } => ApiError::new(Code::Malformed, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
