//! What the carrier tells us, in: verified, stored, and only then answered.

use std::sync::Mutex;
use std::time::Duration;

use carrier::{Webhook, WebhookError};
use store::{Reported, Stray};

use crate::error::EngineError;
use crate::{Engine, Inner, crash};

/// A signature that does not verify is looked into once in this long. Anybody can send any number of them: they
/// must cost little and not fill the log, while a wrong setting shows within seconds all the same.
const AUTOPSY_EVERY: Duration = Duration::from_secs(5);

/// When a signature was last looked into, by the boot-time clock. Held while one is.
#[derive(Debug, Default)]
pub(crate) struct Autopsies(Mutex<Option<Duration>>);

/// What became of a request that claims to be the carrier's.
#[derive(Debug)]
pub enum Heard<T> {
    /// It is the carrier's, and stored.
    Taken(T),
    /// It is not to be believed, or says nothing; nothing was stored.
    Refused(WebhookError),
}

impl Engine {
    /// Takes a status callback. Returns once what it says is durable.
    ///
    /// # Errors
    /// When the store fails; the carrier should come again.
    pub async fn callback(&self, webhook: &Webhook<'_>) -> Result<Heard<()>, EngineError> {
        let inner = &self.inner;
        let report = match inner.carrier.read_webhook(webhook) {
            Ok(report) => report,
            Err(error) => {
                inner.look_into(webhook, &error);
                return Ok(Heard::Refused(error));
            }
        };
        crash::point("callback.verified");
        inner.metrics.callback(&report.fact, inner.time.now());
        let sid = report.sid.clone();
        let stray = Stray {
            sid: report.sid,
            named: report.named,
            fact: report.fact,
        };
        match inner.store.report(stray, inner.at()).await? {
            Reported::Applied(call) => {
                inner.live_changed(&call);
                inner.changed(&call);
            }
            Reported::Known(_) => {}
            Reported::Orphan => {
                tracing::warn!(carrier.sid = %sid, "a callback about a leg that no call has (yet)")
            }
            Reported::Misdirected => {
                tracing::error!(carrier.sid = %sid, "a callback names an attempt that is not its leg's")
            }
        }
        crash::point("callback.committed");
        Ok(Heard::Taken(()))
    }

    /// Answers what to say on a leg: the call's document on the attempt's own live leg, a hang-up on
    /// any other. That somebody answered is stored first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn answer(&self, webhook: &Webhook<'_>) -> Result<Heard<String>, EngineError> {
        let inner = &self.inner;
        let report = match inner.carrier.read_webhook(webhook) {
            Ok(report) => report,
            Err(error) => {
                inner.look_into(webhook, &error);
                return Ok(Heard::Refused(error));
            }
        };
        let (sid, named) = (report.sid.clone(), report.named);
        let stray = Stray {
            sid: report.sid,
            named: report.named,
            fact: report.fact,
        };
        let reported = inner.store.report(stray, inner.at()).await?;
        crash::point("answer.committed");
        let call = match reported {
            Reported::Applied(call) => {
                inner.changed(&call);
                call
            }
            Reported::Known(call) => call,
            Reported::Orphan | Reported::Misdirected => return Ok(Heard::Taken(inner.carrier.answer(None))),
        };
        let attempt = named
            .map(|(_, attempt)| attempt)
            .or_else(|| call.attempt_with(&sid).map(|a| a.number));
        let speaks = attempt.is_some_and(|attempt| call.may_speak(attempt, &sid));
        let script = call.request.script.as_ref().unwrap_or(&inner.settings.script);
        Ok(Heard::Taken(inner.carrier.answer(speaks.then_some(script))))
    }
}

impl Inner {
    /// Says in the log what would have made a forged request true: where the carrier's own are refused so, it is
    /// a setting or a proxy.
    fn look_into(&self, webhook: &Webhook<'_>, error: &WebhookError) {
        // Somebody else's is being looked into: this one is one too many.
        let (WebhookError::Forged(_), Ok(mut last)) = (error, self.autopsies.0.try_lock()) else {
            return;
        };
        let now = self.time.boot();
        if last.is_some_and(|last| now.saturating_sub(last) < AUTOPSY_EVERY) {
            return;
        }
        if let Some(why) = self.carrier.autopsy(webhook) {
            *last = Some(now);
            tracing::warn!("a callback is refused, its signature does not verify: {why}");
        }
    }
}
