//! Bodies, paths and queries, read by our own rules and refused in our own words, which name what is
//! wrong.

mod json;

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::{Bytes, BytesMut};
use domain::{CallId, UserId};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::error::{ApiError, Code};
use crate::state::Shared;

/// Largest JSON body: the longest fields together have some 25 kB, in any escaping.
pub(crate) const JSON_BYTES: usize = 256 * 1024;
/// What is read of a larger body and thrown away, so that its sender, who writes before it reads,
/// can be told what was wrong.
const THROWN_AWAY: usize = 16 * 1024 * 1024;

/// A JSON object.
#[derive(Debug)]
pub(crate) struct Json(pub(crate) Map<String, Value>);

impl Json {
    /// SHA-256 of the body in canonical form: equal for equal JSON, however it is written.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        json::fingerprint(&self.0)
    }
}

impl FromRequest<Shared> for Json {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Json, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(&parts.headers, body, JSON_BYTES, app.body_within).await?;
        json::object(&bytes).map(Json)
    }
}

/// Reads a whole body of at most `most` bytes.
///
/// # Errors
/// `BodyTooLarge`; `BodyTimeout` when it is not there `within` this time; `BodyCut` when the
/// connection fails.
pub(crate) async fn read_body(
    headers: &HeaderMap,
    body: Body,
    most: usize,
    within: Duration,
) -> Result<Bytes, ApiError> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    let too_large = announced.is_some_and(|bytes| bytes > most as u64);
    if too_large && headers.contains_key(header::EXPECT) {
        // It asks before it sends.
        return Err(body_too_large(most));
    }
    timeout(within, collect(body, most)).await.unwrap_or_else(|_| {
        let message = format!("the whole body must arrive within {} s", within.as_secs());
        Err(ApiError::new(Code::BodyTimeout, message))
    })
}

async fn collect(mut body: Body, most: usize) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let cut = |_| {
            ApiError::new(
                Code::BodyCut,
                "the connection failed before the whole body was there",
            )
        };
        let Ok(chunk) = frame.map_err(cut)?.into_data() else {
            continue;
        };
        seen += chunk.len();
        if seen > THROWN_AWAY {
            break;
        }
        if seen > most {
            continue;
        }
        // Most bodies come in one piece, which then needs no copy.
        if first.is_empty() && all.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&chunk);
        }
    }
    match seen > most {
        true => Err(body_too_large(most)),
        false if all.is_empty() => Ok(first),
        false => Ok(all.freeze()),
    }
}

fn body_too_large(most: usize) -> ApiError {
    ApiError::new(Code::BodyTooLarge, format!("the body has more than {most} bytes"))
}

/// The user that a path names.
pub(crate) struct OfUser(pub(crate) UserId);

impl<S: Send + Sync> FromRequestParts<S> for OfUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<OfUser, ApiError> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        text.and_then(|Path(text)| UserId::new(&text))
            .map(OfUser)
            .ok_or_else(|| {
                let most = domain::limits::USER_ID_LENGTH;
                ApiError::field(
                    "user_id",
                    format_args!("must be 1 to {most} bytes of UTF-8 without control characters"),
                )
            })
    }
}

/// The call that a path names, and whose it is.
pub(crate) struct OfCall {
    pub(crate) user: UserId,
    pub(crate) call: CallId,
}

impl<S: Send + Sync> FromRequestParts<S> for OfCall {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<OfCall, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        // A path that no id of ours fits names no call of ours.
        let Ok(Path((user, call))) = path else {
            return Err(no_such_call("?", "?"));
        };
        match (UserId::new(&user), call.parse()) {
            (Some(user), Ok(call)) => Ok(OfCall { user, call }),
            _ => Err(no_such_call(&call, &user)),
        }
    }
}

impl OfCall {
    /// The user has no such call, or nobody has.
    pub(crate) fn not_found(&self) -> ApiError {
        no_such_call(&self.call.to_string(), self.user.as_str())
    }
}

fn no_such_call(call: &str, user: &str) -> ApiError {
    ApiError::new(
        Code::CallNotFound,
        format!("No call found with id {call} for user {user}"),
    )
}

/// The parameters of a query, each at most once.
#[derive(Debug, Default)]
pub(crate) struct Query {
    left: Vec<(String, String)>,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query, ApiError> {
        let mut query = Query::default();
        let text = parts.uri.query().unwrap_or("");
        for (name, value) in form_urlencoded::parse(text.as_bytes()).into_owned() {
            if query.left.iter().any(|(known, _)| *known == name) {
                return Err(ApiError::field(&name, "is given twice"));
            }
            query.left.push((name, value));
        }
        Ok(query)
    }
}

impl Query {
    /// Takes a parameter, read by `read`.
    ///
    /// # Errors
    /// `InvalidField` with `must_be` when `read` makes nothing of it.
    pub(crate) fn take<T>(
        &mut self,
        name: &str,
        must_be: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(place) = self.left.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        let (_, value) = self.left.swap_remove(place);
        read(&value)
            .map(Some)
            .ok_or_else(|| ApiError::field(name, format_args!("must be {must_be}")))
    }

    /// The names of the parameters that nobody took.
    pub(crate) fn unknown(self) -> impl Iterator<Item = String> {
        self.left.into_iter().map(|(name, _)| name)
    }
}
