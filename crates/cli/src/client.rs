//! Talks to a running server, for the commands that are its clients.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::ArgMatches;
use serde_json::Value;
use ureq::Agent;

/// Longer than any answer of the server: a request for a call waits up to five seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// A running server.
pub struct Client {
    agent: Agent,
    server: String,
    key: Option<String>,
}

impl Client {
    /// The server that the flags name.
    pub fn new(flags: &ArgMatches) -> Client {
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER_WITHIN))
            .http_status_as_error(false)
            .proxy(None)
            .user_agent(concat!("redial/", env!("CARGO_PKG_VERSION")));
        let text = |name: &str| flags.get_one::<String>(name).cloned();
        Client {
            agent: config.build().into(),
            server: text("server")
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_owned(),
            key: text("api-key"),
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// No server, or its words for what was wrong.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let mut request = self.agent.get(format!("{}{path}", self.server));
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        self.answer(request.call())
    }

    /// Sends something.
    ///
    /// # Errors
    /// No server, or its words for what was wrong.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.server))
            .header("Content-Type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        self.answer(request.send(body.to_string()))
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let mut answer = answer.map_err(|error| {
            anyhow!(error).context(format!(
                "no server answers at {}; start one with `redial serve`, or name another with --server",
                self.server
            ))
        })?;
        let status = answer.status();
        let text = answer
            .body_mut()
            .read_to_string()
            .context("the server's answer was cut off")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        // A refused call is kept and shown, like any other.
        if status.is_success() || body.get("call_id").is_some() {
            return Ok(body);
        }
        let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if status == 401 {
            bail!("the server wants a key: set REDIAL_API_KEY or --api-key to one of its REDIAL_API_KEYS");
        }
        bail!(
            "the server refused ({}): {}. {}",
            status.as_u16(),
            word("error"),
            word("message")
        )
    }
}

/// A user id or a cursor as a part of a path or a query.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
