//! The carrier as the engine sees it: the real client over the played wire, watched, and wrong where a bug was planted.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use carrier::{
    AskError, Carrier, DialCommand, Gate, Line, Placement, Reply, Report, ScriptFault, Unreachable, Webhook,
    WebhookError,
};
use carrier_twilio::{Settings, Twilio};
use domain::{AttemptStatus, Fact, Leg, Listed, Phone, Script, Sid, Timestamp, Word};
use secrecy::SecretString;

use crate::bug::{self, Bug};
use crate::hub::{ACCOUNT, Hub, PUBLIC, TOKEN};
use crate::life::Life;
use crate::wire::Wire;

/// The watched carrier.
pub struct Watched {
    inner: Twilio,
    hub: Arc<Hub>,
    life: Arc<Life>,
    bug: Option<Bug>,
}

impl Watched {
    /// The client of one process.
    ///
    /// # Panics
    /// When its settings are refused.
    pub fn new(hub: &Arc<Hub>, life: &Arc<Life>, bug: Option<Bug>) -> Watched {
        let settings = Settings {
            account_sid: ACCOUNT.to_owned(),
            auth_tokens: vec![SecretString::from(TOKEN)],
            api_key: None,
            api_address: "https://api.example.com".to_owned(),
            public_address: PUBLIC.to_owned(),
            inline_only: hub.lock().plan.inline,
            verbs: vec!["Say".to_owned()],
        };
        let wire = Arc::new(Wire {
            hub: Arc::clone(hub),
            life: Arc::clone(life),
        });
        Watched {
            inner: Twilio::over(settings, wire).expect("these settings work together"),
            hub: Arc::clone(hub),
            life: Arc::clone(life),
            bug,
        }
    }
}

#[async_trait]
impl Carrier for Watched {
    fn account(&self) -> &str {
        self.inner.account()
    }

    async fn connect(&self, within: Duration) -> Result<Box<dyn Line>, Unreachable> {
        let inner = self.inner.connect(within).await?;
        Ok(Box::new(WatchedLine {
            inner,
            hub: Arc::clone(&self.hub),
            bug: self.bug,
        }))
    }

    async fn hang_up(&self, sid: &Sid) -> Reply<Result<(), AskError>> {
        self.hub
            .lock()
            .tell(|| format!("the carrier is asked to end {sid}"));
        self.inner.hang_up(sid).await
    }

    async fn look_up(&self, sid: &Sid) -> Reply<Result<Option<Fact>, AskError>> {
        self.inner.look_up(sid).await
    }

    async fn find(
        &self,
        from: &Phone,
        to: &Phone,
        not_before: Timestamp,
    ) -> Reply<Result<Vec<Leg>, AskError>> {
        let mut found = self.inner.find(from, to, not_before).await;
        if let (Some(Bug::FilteredByStartTime), Ok(legs)) = (self.bug, &mut found.outcome) {
            let queued = [Word::Known(AttemptStatus::Initiated), Word::Queued];
            legs.retain(|leg| !queued.contains(&leg.fact.word));
        }
        self.hub.lock().tell(|| match &found.outcome {
            Ok(legs) => format!("the carrier's list shows {} legs", legs.len()),
            Err(error) => format!("the carrier's list is not to be had: {error}"),
        });
        found
    }

    async fn made_since(&self, not_before: Timestamp) -> Reply<Result<Vec<Listed>, AskError>> {
        let begun_ms = {
            let mut state = self.hub.lock();
            state.checks.asks_for_list(self.life.who);
            state.now_ms()
        };
        let made = self.inner.made_since(not_before).await;
        if made.outcome.is_ok() {
            let mut state = self.hub.lock();
            state.tell(|| format!("node {} has read the list of all calls", self.life.who.node));
            state.checks.list_is_read(begun_ms);
        }
        made
    }

    async fn ping(&self) -> Reply<Result<(), AskError>> {
        self.inner.ping().await
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
        match self.bug {
            Some(Bug::ForgedIsBelieved) => {
                let mut headers = webhook.headers.clone();
                bug::sign_again(&mut headers, webhook);
                self.inner.read_webhook(&Webhook {
                    headers: &headers,
                    ..*webhook
                })
            }
            _ => self.inner.read_webhook(webhook),
        }
    }

    fn answer(&self, script: Option<&Script>) -> String {
        self.inner.answer(script)
    }

    fn check(&self, script: &Script) -> Result<(), ScriptFault> {
        self.inner.check(script)
    }

    fn calls_back(&self) -> bool {
        self.inner.calls_back()
    }
}

/// A watched connection.
struct WatchedLine {
    inner: Box<dyn Line>,
    hub: Arc<Hub>,
    bug: Option<Bug>,
}

#[async_trait]
impl Line for WatchedLine {
    async fn place(self: Box<Self>, dial: &DialCommand, gate: &dyn Gate) -> Reply<Placement> {
        // The request is handed to the wire before anything else can run.
        self.hub.lock().dialling = Some((dial.call, dial.attempt));
        let gate: &dyn Gate = match self.bug {
            Some(Bug::AgeNotChecked) => &Ajar,
            _ => gate,
        };
        let reply = self.inner.place(dial, gate).await;
        reply.map(|placement| bug::spoil_answer(self.bug, placement))
    }
}

/// A gate that lets everything through.
struct Ajar;

impl Gate for Ajar {
    fn is_open(&self) -> bool {
        true
    }
}
