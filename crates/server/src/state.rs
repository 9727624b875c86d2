//! What every handler may use: the engine, the operator's options, and the places that are free.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use engine::Engine;
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::auth::Keys;
use crate::request_id::Ids;

/// What an operator decides about the HTTP side.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Bearer keys that open the API. Without any, only requests from this machine are taken.
    pub api_keys: Vec<SecretString>,
    /// The language of a message that brings none.
    pub say_language: Option<String>,
    /// The voice of a message that brings none.
    pub say_voice: Option<String>,
    /// How much is taken at once.
    pub limits: Limits,
}

/// How much is taken at once, and for how long a sender is waited for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// API requests in hand at once. A request for a call may be in hand for five seconds, and takes
    /// some 50 kB: this many are 50 MB.
    pub api_at_once: usize,
    /// Callbacks in hand at once: eight times as many, so that they are turned away last.
    pub callbacks_at_once: usize,
    /// How long the whole body of a request may take.
    pub body_within: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            api_at_once: 1_024,
            callbacks_at_once: 8_192,
            body_within: Duration::from_secs(10),
        }
    }
}

/// What handlers are given.
pub(crate) type Shared = Arc<App>;

/// The state of the HTTP side.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) ids: Ids,
    pub(crate) say_language: Option<String>,
    pub(crate) say_voice: Option<String>,
    pub(crate) body_within: Duration,
    /// Free places for API requests.
    pub(crate) api: Semaphore,
    /// Free places for callbacks, never taken by the API.
    pub(crate) callbacks: Semaphore,
}

impl App {
    pub(crate) fn new(engine: Engine, options: Options) -> App {
        let limits = options.limits;
        App {
            keys: Keys::new(&options.api_keys),
            ids: Ids::starting(engine.now()),
            say_language: options.say_language,
            say_voice: options.say_voice,
            body_within: limits.body_within,
            api: Semaphore::new(limits.api_at_once),
            callbacks: Semaphore::new(limits.callbacks_at_once),
            engine,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.now()
    }
}
