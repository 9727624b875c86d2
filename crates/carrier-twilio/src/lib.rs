//! The Twilio side of the carrier seam: requests, callbacks, signatures and call documents. The only place of
//! the engine's side that knows how Twilio writes things down; it decides nothing about calls.

mod callback;
mod dial;
mod form;
mod list;
mod probe;
mod rest;
mod settings;
mod signature;
mod socket;
mod status;
mod transport;
mod twiml;
mod verdict;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use carrier::{
    AskError, Carrier, DialCommand, Gate, Line, NotSent, Placement, Reply, Report, ScriptFault, Unreachable,
    Webhook, WebhookError,
};
use domain::{Fact, Leg, Listed, Phone, Script, Sid, Timestamp};
use http::Response;

pub use probe::{Account, Caller, Numbers, ProbeError};
pub use settings::{ApiKey, SettingFault, Settings, can_call_back};
pub use socket::{Socket, UnusableAddress};
pub use transport::{ConnectError, Connection, SendError, Transport};

use callback::Callbacks;
use rest::{ANSWER_WITHIN, Rest};
use signature::autopsy::Expected;
use transport::in_words;
use verdict::Denial;

/// Time for a whole list between two numbers: a usual one has one page and takes a fraction of a second.
const LIST_WITHIN: Duration = Duration::from_secs(120);

/// Longest language tag and voice name taken; the longest of Twilio's has some forty letters.
const MOST_VOICE_LETTERS: usize = 100;

/// Twilio, or a carrier that speaks its API.
pub struct Twilio {
    account: String,
    public_address: String,
    calls_back: bool,
    verbs: Vec<String>,
    callbacks: Callbacks,
    rest: Arc<Rest>,
}

impl Twilio {
    /// Reaches the API over sockets of its own.
    ///
    /// # Errors
    /// The first setting that cannot work.
    pub fn new(settings: Settings) -> Result<Self, SettingFault> {
        let checked = settings::check(settings)?;
        let problem = "must be an http:// or https:// address with a host";
        let unusable = |_| SettingFault {
            setting: "TWILIO_API_BASE",
            problem,
        };
        let socket = Socket::new(&checked.api).map_err(unusable)?;
        Ok(Self::assemble(checked, Arc::new(socket)))
    }

    /// Reaches the API over `transport`, such as a carrier played in the same process.
    ///
    /// # Errors
    /// The first setting that cannot work.
    pub fn over(settings: Settings, transport: Arc<dyn Transport>) -> Result<Self, SettingFault> {
        Ok(Self::assemble(settings::check(settings)?, transport))
    }

    fn assemble(checked: settings::Checked, transport: Arc<dyn Transport>) -> Self {
        let rest = Arc::new(Rest::new(&checked, transport));
        let settings = checked.settings;
        Self {
            callbacks: Callbacks::new(Expected {
                public_address: settings.public_address.clone(),
                tokens: settings.auth_tokens,
                api_secret: settings.api_key.map(|key| key.secret),
            }),
            account: settings.account_sid,
            public_address: settings.public_address,
            calls_back: checked.calls_back,
            verbs: settings.verbs,
            rest,
        }
    }
}

#[async_trait]
impl Carrier for Twilio {
    fn account(&self) -> &str {
        &self.account
    }

    async fn connect(&self, within: Duration) -> Result<Box<dyn Line>, Unreachable> {
        let connection = self.rest.connect(within).await.map_err(Unreachable)?;
        let public_address = self.calls_back.then(|| self.public_address.clone());
        Ok(Box::new(TwilioLine {
            connection,
            public_address,
            rest: Arc::clone(&self.rest),
        }))
    }

    async fn hang_up(&self, sid: &Sid) -> Reply<Result<(), AskError>> {
        // `completed` ends a call in any state. Where that is refused because nobody has answered yet,
        // `canceled` ends it; where that is refused too, there is nothing left to end.
        let first = self.rest.end(sid, "completed").await;
        match first.outcome.map(succeeded) {
            Ok(Err(Denial::WrongState(_))) => {}
            other => {
                return Reply {
                    date: first.date,
                    outcome: flatten(other).map(drop),
                };
            }
        }
        let second = self.rest.end(sid, "canceled").await;
        second.map(|outcome| match outcome.map(succeeded) {
            Ok(Err(Denial::WrongState(_))) => Ok(()),
            other => flatten(other).map(drop),
        })
    }

    async fn look_up(&self, sid: &Sid) -> Reply<Result<Option<Fact>, AskError>> {
        self.rest.fetch(sid).await.map(|outcome| {
            let answer = match succeeded(outcome?) {
                Err(Denial::NoSuchLeg(_)) => return Ok(None),
                other => other.map_err(no_state)?,
            };
            let call = serde_json::from_slice::<wire::Call>(answer.body()).ok();
            let call = call.filter(|call| call.sid().as_ref() == Some(sid));
            let fact = call.and_then(|call| call.fact());
            fact.map(Some)
                .ok_or_else(|| AskError::Unanswered("the carrier's answer cannot be read".to_owned()))
        })
    }

    async fn find(
        &self,
        from: &Phone,
        to: &Phone,
        not_before: Timestamp,
    ) -> Reply<Result<Vec<Leg>, AskError>> {
        let mut date = None;
        let read = tokio::time::timeout(LIST_WITHIN, list::between(&self.rest, from, to, &mut date)).await;
        let outcome = read.unwrap_or_else(|_| {
            Err(AskError::Unanswered(format!(
                "no whole list within {} s",
                LIST_WITHIN.as_secs()
            )))
        });
        let outcome = outcome.map(|mut legs| {
            legs.retain(|leg| leg.created_at >= not_before);
            legs
        });
        Reply { outcome, date }
    }

    async fn made_since(&self, not_before: Timestamp) -> Reply<Result<Vec<Listed>, AskError>> {
        let mut date = None;
        let outcome = list::since(&self.rest, not_before, &mut date).await;
        Reply { outcome, date }
    }

    async fn ping(&self) -> Reply<Result<(), AskError>> {
        let reply = self.rest.page(&self.rest.shortest_page()).await;
        reply.map(|outcome| succeeded(outcome?).map(drop).map_err(no_account))
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
        self.callbacks.read(webhook)
    }

    fn autopsy(&self, webhook: &Webhook<'_>) -> Option<String> {
        self.callbacks.autopsy(webhook)
    }

    fn answer(&self, script: Option<&Script>) -> String {
        script.map_or_else(twiml::hangup, document)
    }

    fn check(&self, script: &Script) -> Result<(), ScriptFault> {
        let fault = |field, problem| Err(ScriptFault { field, problem });
        match script {
            Script::Say {
                language: Some(language),
                ..
            } if !is_voice(language) => {
                return fault("language", "must be a language tag such as en-GB".to_owned());
            }
            Script::Say {
                voice: Some(voice), ..
            } if !is_voice(voice) => {
                return fault("voice", "must be a voice's name such as Polly.Amy".to_owned());
            }
            Script::Document(text) => {
                return twiml::check(text, &self.verbs).map_err(|problem| ScriptFault {
                    field: "twiml",
                    problem,
                });
            }
            Script::Url(url) if !is_address(url) => {
                return fault(
                    "url",
                    "must be an http:// or https:// address with a host".to_owned(),
                );
            }
            Script::Say { .. } | Script::Url(_) => {}
        }
        if self.calls_back {
            return Ok(());
        }
        let length = document(script).chars().count();
        if length > twiml::MOST_CHARACTERS {
            let field = if matches!(script, Script::Url(_)) {
                "url"
            } else {
                "message"
            };
            let most = twiml::MOST_CHARACTERS;
            let problem = format!(
                "makes a document of {length} characters; at most {most} can be sent along with a dial, \
                 which is how documents go while the carrier cannot call back"
            );
            return fault(field, problem);
        }
        Ok(())
    }

    fn calls_back(&self) -> bool {
        self.calls_back
    }
}

/// A connection that waits for its dial.
struct TwilioLine {
    connection: Box<dyn Connection>,
    public_address: Option<String>,
    rest: Arc<Rest>,
}

#[async_trait]
impl Line for TwilioLine {
    async fn place(self: Box<Self>, dial: &DialCommand, gate: &dyn Gate) -> Reply<Placement> {
        let form = dial::form(dial, self.public_address.as_deref(), || document(&dial.script));
        let request = self.rest.create(form);
        match self.connection.send(request, gate, ANSWER_WITHIN).await {
            Ok(answer) => Reply {
                outcome: verdict::placement(&answer),
                date: verdict::date(answer.headers()),
            },
            Err(error) => Reply::undated(match &error {
                SendError::KeptBack => Placement::NotSent(NotSent::Gate),
                SendError::NotWritten(_) => Placement::NotSent(NotSent::Cut(in_words(&error))),
                SendError::InDoubt(_) => Placement::InDoubt {
                    why: in_words(&error),
                },
            }),
        }
    }
}

/// The document that says what a script says.
fn document(script: &Script) -> String {
    match script {
        Script::Say {
            message,
            language,
            voice,
        } => twiml::say(message, language.as_deref(), voice.as_deref()),
        Script::Document(text) => text.clone(),
        Script::Url(url) => twiml::redirect(url),
    }
}

/// The letters of language tags and voice names.
fn is_voice(text: &str) -> bool {
    let fits = (1..=MOST_VOICE_LETTERS).contains(&text.len());
    fits && text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn is_address(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return false;
    };
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    has_host && matches!(uri.scheme_str(), Some("http" | "https"))
}

fn succeeded(answer: Response<Bytes>) -> Result<Response<Bytes>, Denial> {
    verdict::answered(&answer).map(|()| answer)
}

/// A denial where the state of a leg was not the question.
fn no_state(denial: Denial) -> AskError {
    match denial {
        Denial::NoSuchLeg(words) | Denial::WrongState(words) => AskError::Refused(words),
        Denial::Other(error) => error,
    }
}

/// A denial where the account was the question: a path that does not exist is an account that does not.
fn no_account(denial: Denial) -> AskError {
    match denial {
        Denial::NoSuchLeg(words) => AskError::Account(words),
        other => no_state(other),
    }
}

fn flatten<T>(outcome: Result<Result<T, Denial>, AskError>) -> Result<T, AskError> {
    outcome.and_then(|answer| answer.map_err(no_state))
}

#[cfg(test)]
mod tests;
