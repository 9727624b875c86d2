//! The seam to a telephone company: what redial asks of one, in redial's words. One crate for each
//! company implements it; nothing here knows how any of them writes things down.

mod command;
mod error;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use domain::{Fact, Leg, Listed, Phone, Script, Sid, Timestamp};

pub use command::{DialCommand, Gate};
pub use error::{AskError, NotSent, Placement, ScriptFault, Unreachable, WebhookError};
pub use webhook::{Report, Webhook, WebhookKind};

/// A telephone company.
#[async_trait]
pub trait Carrier: Send + Sync {
    /// The account that calls are made on; two accounts may dial the same pair of numbers at once.
    fn account(&self) -> &str;

    /// Opens a fresh connection, so that everything slow or likely to fail is over before a permit
    /// is asked for. Bounded by `within`, all together. Sends nothing.
    async fn connect(&self, within: Duration) -> Result<Box<dyn Line>, Unreachable>;

    /// Asks for a leg to be ended. Safe to repeat; `Ok` also when it was over already.
    async fn hang_up(&self, sid: &Sid) -> Reply<Result<(), AskError>>;

    /// Asks how a leg stands; `None` when the carrier knows no such leg (yet).
    async fn look_up(&self, sid: &Sid) -> Reply<Result<Option<Fact>, AskError>>;

    /// Lists every leg from one number to another that was made at `not_before` or later, read to
    /// the end of the list, legs that have not started included.
    async fn find(
        &self,
        from: &Phone,
        to: &Phone,
        not_before: Timestamp,
    ) -> Reply<Result<Vec<Leg>, AskError>>;

    /// Lists every leg of the account that was made at `not_before` or later, between whatever numbers,
    /// read to its end, legs that have not started included. In no order.
    async fn made_since(&self, not_before: Timestamp) -> Reply<Result<Vec<Listed>, AskError>>;

    /// Asks the carrier for nothing but an answer: whether it takes the account, and its clock.
    async fn ping(&self) -> Reply<Result<(), AskError>>;

    /// Verifies and translates a request that claims to be the carrier's.
    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError>;

    /// What would have made a request true that [`Carrier::read_webhook`] calls forged, in words for the
    /// operator's log; `None` when nobody signed it, or the carrier has nothing to say. Slow, and anybody can
    /// send such a request: to be asked seldom.
    fn autopsy(&self, _webhook: &Webhook<'_>) -> Option<String> {
        None
    }

    /// The document that makes the carrier say this; without a script, one that hangs up.
    fn answer(&self, script: Option<&Script>) -> String;

    /// Whether the carrier will take this script.
    fn check(&self, script: &Script) -> Result<(), ScriptFault>;

    /// Whether the carrier can call us back. If not, documents go along with the dial and every
    /// live leg has to be watched by asking.
    fn calls_back(&self) -> bool;
}

/// A connection on which nothing has been sent yet.
#[async_trait]
pub trait Line: Send {
    /// Sends the one request that makes a leg, if `gate` still allows it at the last moment before
    /// the first byte, and says what became of it. Never repeats it. Bounded in time.
    async fn place(self: Box<Self>, dial: &DialCommand, gate: &dyn Gate) -> Reply<Placement>;
}

/// What came back, and the carrier's clock as it came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<T> {
    /// What came back.
    pub outcome: T,
    /// The carrier's time when it answered (whole seconds), if it answered.
    pub date: Option<Timestamp>,
}

impl<T> Reply<T> {
    /// A reply without the carrier's time.
    pub fn undated(outcome: T) -> Reply<T> {
        Reply { outcome, date: None }
    }

    /// The same reply about something made of its outcome.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            outcome: f(self.outcome),
            date: self.date,
        }
    }
}
