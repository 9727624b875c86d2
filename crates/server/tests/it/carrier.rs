//! A carrier that does as it is told, and writes down what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use carrier::{
    AskError, Carrier, DialCommand, Gate, Line, Placement, Reply, Report, ScriptFault, Unreachable, Webhook,
    WebhookError,
};
use domain::{AttemptStatus, Fact, Leg, Listed, Phone, Script, Sid, Source, Timestamp, Word};

/// The header that stands for a signature, and the value that verifies.
pub const SIGNATURE: (&str, &str) = ("x-test-signature", "good");

/// The pretended company.
#[derive(Clone, Default)]
pub struct FakeCarrier {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    dials: Vec<DialCommand>,
    /// What becomes of the next dials; a dial beyond them is placed.
    script: VecDeque<Placement>,
    unreachable: bool,
}

impl FakeCarrier {
    /// Says what becomes of the next dial.
    pub fn next(&self, placement: Placement) {
        self.with(|inner| inner.script.push_back(placement));
    }

    pub fn be_unreachable(&self) {
        self.with(|inner| inner.unreachable = true);
    }

    /// Everything that was dialled.
    pub fn dials(&self) -> Vec<DialCommand> {
        self.with(|inner| inner.dials.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.lock().expect("nobody panics here"))
    }
}

/// The name of the n-th leg.
pub fn sid(number: usize) -> String {
    format!("CA{number:032}")
}

struct FakeLine(FakeCarrier);

#[async_trait]
impl Line for FakeLine {
    async fn place(self: Box<Self>, dial: &DialCommand, gate: &dyn Gate) -> Reply<Placement> {
        assert!(gate.is_open(), "a fresh permit is young enough");
        Reply::undated(self.0.with(|inner| {
            inner.dials.push(dial.clone());
            let placed = || Placement::Placed(Sid::new(&sid(inner.dials.len())).expect("a name"));
            inner.script.pop_front().unwrap_or_else(placed)
        }))
    }
}

#[async_trait]
impl Carrier for FakeCarrier {
    fn account(&self) -> &str {
        "AC1"
    }

    async fn connect(&self, _within: Duration) -> Result<Box<dyn Line>, Unreachable> {
        if self.with(|inner| inner.unreachable) {
            return Err(Unreachable("nobody answers".to_owned()));
        }
        Ok(Box::new(FakeLine(self.clone())))
    }

    async fn hang_up(&self, _sid: &Sid) -> Reply<Result<(), AskError>> {
        Reply::undated(Ok(()))
    }

    async fn look_up(&self, _sid: &Sid) -> Reply<Result<Option<Fact>, AskError>> {
        Reply::undated(Ok(None))
    }

    async fn find(&self, _: &Phone, _: &Phone, _: Timestamp) -> Reply<Result<Vec<Leg>, AskError>> {
        Reply::undated(Ok(Vec::new()))
    }

    async fn made_since(&self, _: Timestamp) -> Reply<Result<Vec<Listed>, AskError>> {
        Reply::undated(Ok(Vec::new()))
    }

    async fn ping(&self) -> Reply<Result<(), AskError>> {
        Reply::undated(Ok(()))
    }

    /// A callback of ours has a form body, its call and attempt in the query, and a header that
    /// stands for its signature.
    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
        if webhook
            .headers
            .get(SIGNATURE.0)
            .is_none_or(|it| it != SIGNATURE.1)
        {
            return Err(WebhookError::Forged("there is none"));
        }
        let pairs: Vec<_> = form_urlencoded::parse(webhook.body).collect();
        let field = |name| {
            let found = pairs.iter().find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.as_ref())
                .ok_or(WebhookError::Malformed {
                    field: name,
                    problem: "is missing",
                })
        };
        let sid = Sid::new(field("CallSid")?).expect("tests name real legs");
        let word = field("CallStatus")?;
        let status = AttemptStatus::ALL
            .into_iter()
            .find(|status| status.word() == word);
        let word = status.map_or_else(|| Word::Other(word.into()), Word::Known);
        let (_, query) = webhook.path_and_query.split_once('?').unwrap_or_default();
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let named = match query.as_slice() {
            [(_, call), (_, attempt)] => call.parse().ok().zip(attempt.parse().ok()),
            _ => None,
        };
        let fact = Fact {
            sequence: field("SequenceNumber").ok().and_then(|it| it.parse().ok()),
            ..Fact::new(word, Source::Callback)
        };
        Ok(Report { sid, named, fact })
    }

    fn answer(&self, script: Option<&Script>) -> String {
        match script {
            Some(Script::Say { message, .. }) => format!("<Response><Say>{message}</Say></Response>"),
            Some(Script::Document(text) | Script::Url(text)) => text.clone(),
            None => "<Response><Hangup/></Response>".to_owned(),
        }
    }

    fn check(&self, script: &Script) -> Result<(), ScriptFault> {
        match script {
            Script::Document(text) if !text.starts_with("<Response>") => Err(ScriptFault {
                field: "twiml",
                problem: "must begin with <Response>".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn calls_back(&self) -> bool {
        true
    }
}
