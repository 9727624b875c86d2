//! Requests from the carrier, before and after translation.

use domain::{CallId, Fact, Sid};

/// What the carrier wants with a request to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookKind {
    /// To tell how a leg stands.
    Status,
    /// To hear what to say.
    Answer,
}

/// A request that claims to be the carrier's, untouched.
#[derive(Debug, Clone, Copy)]
pub struct Webhook<'a> {
    /// Which of our URLs was called.
    pub kind: WebhookKind,
    /// Path and query as they came over the wire.
    pub path_and_query: &'a str,
    /// The request's headers.
    pub headers: &'a http::HeaderMap,
    /// The request's body.
    pub body: &'a [u8],
}

/// What the carrier said, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The leg that it is about.
    pub sid: Sid,
    /// The call and attempt that we wrote into the URL; `None` when it carries none.
    pub named: Option<(CallId, u32)>,
    /// What it said.
    pub fact: Fact,
}
