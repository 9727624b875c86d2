//! The header `Idempotency-Key`, as an extractor.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::{ApiError, Code};

const HEADER: &str = "idempotency-key";

/// Longest key: any usual form fits, and index rows stay small.
pub(crate) const LENGTH: usize = 255;

/// What is said of a key that cannot be taken.
pub(crate) const MUST_BE: &str = "Idempotency-Key: must be 1 to 255 visible ASCII characters, without spaces";

/// The key of a request, if it has one.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<IdempotencyKey, ApiError> {
        let mut all = parts.headers.get_all(HEADER).iter();
        let Some(key) = all.next() else {
            return Ok(IdempotencyKey(None));
        };
        let refuse = |message: &'static str| Err(ApiError::new(Code::InvalidKey, message));
        if all.next().is_some() {
            return refuse("Idempotency-Key: must be sent once, not several times");
        }
        let bytes = key.as_bytes();
        if !(1..=LENGTH).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_graphic) {
            return refuse(MUST_BE);
        }
        Ok(IdempotencyKey(key.to_str().ok().map(str::to_owned)))
    }
}
