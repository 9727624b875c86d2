//! A small HTTP client: every answer is an answer, whatever its status; only a broken connection is an error.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

/// Longer than the longest wait that the server promises (five seconds for a dial), and still a bound.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest ledger of a long run, many times over.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Requests to one server.
pub struct Client {
    agent: Agent,
    base: String,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header, empty without one.
    pub content_type: String,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

impl Client {
    /// A client of the server at `base`, for example `http://127.0.0.1:8080`. Each request has its own connection,
    /// because a server may have been killed since the last.
    pub fn new(base: &str) -> Self {
        Self::with_patience(base, PATIENCE)
    }

    /// As `new`, for a caller who waits so long for an answer.
    pub fn with_patience(base: &str, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(patience))
            .max_idle_connections(0)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self {
            agent: config.into(),
            base: base.to_owned(),
        }
    }

    /// Sends one request. `path` begins with `/`.
    ///
    /// # Errors
    /// The connection failed, or no answer came in time.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if method == "GET" {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        let content_type = response
            .headers()
            .get("content-type")
            .and_then(|it| it.to_str().ok())
            .unwrap_or_default();
        Ok(Answer {
            status: response.status().as_u16(),
            content_type: content_type.to_owned(),
            text: response
                .body_mut()
                .with_config()
                .limit(MOST_BYTES)
                .read_to_string()?,
        })
    }
}
