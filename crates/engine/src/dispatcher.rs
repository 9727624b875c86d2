//! Makes one dial: connect, permit, send, classify, write down. The order is the promise. Everything
//! slow is over before the permit is asked for; the permit is the last thing written before the
//! request; one permit sends one request, by the process that was granted it, while it is young.

use std::sync::Arc;
use std::time::Duration;

use carrier::{DialCommand, Gate as SendGate, Line, NotSent, Placement};
use domain::phone::masked;
use domain::{Call, CallId, CallState, Hold, HoldReason, Input, Timestamp, limits, retry};
use store::{AccountHold, Applied, Due, Permitted, StoreError, Terms};

use crate::pace::Slot;
use crate::time::Time;
use crate::{Inner, crash};

/// Address, TCP and TLS, all together.
pub(crate) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A permit older than this is given back unsent: its request could be late for everything that was
/// checked when it was granted.
const PERMIT_FRESH: Duration = Duration::from_secs(2);
/// A call that is listed as due and refuses to be dialled is left alone for this long.
const LEFT_ALONE: Duration = Duration::from_millis(500);

impl Inner {
    /// Dials a call that is due, on a slot of the pace.
    pub(crate) async fn dial(self: &Arc<Self>, due: Due, slot: Slot, held: Option<Hold>) {
        let line = match self.carrier.connect(CONNECT_WITHIN).await {
            Ok(line) => line,
            Err(error) => {
                self.give_back(slot);
                self.cannot_connect(due.id, error.to_string()).await;
                return;
            }
        };
        self.carrier_answered();
        crash::point("dial.connected");
        if self.stopping.is_cancelled() {
            // Nothing is spent yet: the next start dials it.
            return self.give_back(slot);
        }
        let asked_at = self.time.boot();
        match self
            .store
            .permit(due.id, self.terms(&slot, held), self.at())
            .await
        {
            Ok(Permitted::Granted(call)) => {
                slot.spend();
                self.permit_granted();
                self.metrics.lateness(self.time.now().since(due.due_at));
                self.send(&call, line, asked_at).await;
            }
            other => {
                self.give_back(slot);
                self.not_permitted(due.id, other).await;
            }
        }
    }

    /// The terms of a permit on this slot.
    pub(crate) fn terms(&self, slot: &Slot, held: Option<Hold>) -> Terms {
        Terms {
            account: self.carrier.account().to_owned(),
            max_live: self.settings.max_live,
            pace_clear_at: slot.clear_at(),
            held,
        }
    }

    /// Gives back a slot that no dial used, to whoever waits for one.
    pub(crate) fn give_back(&self, slot: Slot) {
        drop(slot);
        self.gate.pace_eased(self.time.now());
        self.dial_alarm.ring();
    }

    /// A connection came about: whoever waited for that may go.
    pub(crate) fn carrier_answered(&self) {
        if self.gate.carrier_answered() {
            self.dial_alarm.ring();
        }
    }

    /// A permit was granted: whoever waited for that may ask for one.
    pub(crate) fn permit_granted(&self) {
        if self.gate.permit_granted() {
            self.dial_alarm.ring();
        }
    }

    async fn not_permitted(&self, id: CallId, answer: Result<Permitted, StoreError>) {
        let now = self.time.now();
        match answer {
            Ok(Permitted::Held(call)) => self.changed(&call),
            // Another process paused, or the database is not what it was: the watch pass learns which.
            Ok(Permitted::Paused) => {
                self.gate.set_paused(Some(now));
                self.watch_alarm.ring();
            }
            Ok(Permitted::LiveLimit) => self
                .gate
                .live_limit_reached(self.settings.max_live.unwrap_or(0), now),
            Ok(Permitted::Granted(_)) => {}
            Ok(Permitted::Refused(refusal)) => {
                tracing::debug!(call.id = %id, "not dialled: {refusal}");
                // It was listed as due. What makes it no such call may be under way; until then it is
                // not tried over and over.
                self.check_alarm.ring();
                self.time.wait(LEFT_ALONE).await;
            }
            Err(error) => {
                // Nothing was sent and nothing will be: if the permit was granted after all, it is
                // put in doubt like any other that nobody has in hand.
                tracing::error!(call.id = %id, error = &error as &dyn std::error::Error, "no permit: the store failed");
                self.gate.permit_failed(error.to_string(), now);
            }
        }
    }

    async fn cannot_connect(&self, id: CallId, message: String) {
        let now = self.time.now();
        self.gate.carrier_failed(message.clone(), now, self.dice.throw());
        self.metrics.unreachable.inc();
        tracing::warn!(call.id = %id, "not dialled: {}", masked(&message));
        let input = Input::Held {
            reason: HoldReason::Carrier,
            message,
            retry_after: None,
        };
        match self.store.apply(id, input, self.at()).await {
            Ok(Applied::Done(call)) => self.changed(&call),
            Ok(_) => {}
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "a hold was not stored"),
        }
    }

    /// Sends the one request of a granted permit and writes down what became of it. `asked_at` is
    /// this process's boot-time clock before it asked for the permit.
    pub(crate) async fn send(self: &Arc<Self>, call: &Call, line: Box<dyn Line>, asked_at: Duration) {
        let CallState::Dialling {
            attempt, permit_at, ..
        } = call.state
        else {
            return;
        };
        self.metrics.follow(call);
        crash::point("permit.committed");
        if let Err(error) = self.proven().await {
            return self.not_proven(call.id, (attempt, permit_at), &error).await;
        }
        let fresh = Fresh {
            time: &self.time,
            asked_at,
        };
        let before = self.time.boot();
        let reply = line.place(&self.command(call, attempt), &fresh).await;
        self.metrics.dial_latency(self.time.boot().saturating_sub(before));
        crash::point("dial.sent");
        if let Some(date) = reply.date {
            self.gate.see_carrier_date(date, self.time.now());
        }
        let account = self.judge_account(&reply.outcome);
        let input = self.judge(call, (attempt, permit_at), reply.outcome);
        // First of all what became of this dial: it is known nowhere else.
        self.write_down(call.id, input).await;
        crash::point("outcome.committed");
        if let Some(hold) = account
            && let Err(error) = self.store.set_account_hold(hold).await
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "how the account stands was not stored"
            );
        }
    }

    /// The permit may be forgotten by the database: it is given back, and nothing is dialled for a while.
    async fn not_proven(&self, id: CallId, (attempt, permit_at): (u32, Timestamp), error: &StoreError) {
        tracing::error!(call.id = %id, attempt.number = attempt, "not sent: {error}");
        let message = format!("the permit is not proven durable: {error}");
        self.gate.permit_failed(message.clone(), self.time.now());
        let input = Input::NotSent {
            attempt,
            permit_at: Some(permit_at),
            reason: HoldReason::Paused,
            message,
            retry_after: None,
        };
        self.write_down(id, input).await;
    }

    fn command(&self, call: &Call, attempt: u32) -> DialCommand {
        let policy = &call.request.policy;
        DialCommand {
            call: call.id,
            attempt,
            to: call.request.to.clone(),
            from: call.request.from.clone(),
            script: call
                .request
                .script
                .clone()
                .unwrap_or_else(|| self.settings.script.clone()),
            ring_timeout: policy.ring_timeout,
            time_limit: policy.time_limit,
            machine_detection: policy.machine_detection,
        }
    }

    /// What the carrier's answer means for the account, and so for all dialling: what is to be kept of
    /// it, if it is news.
    fn judge_account(&self, placement: &Placement) -> Option<Option<AccountHold>> {
        match placement {
            Placement::AccountRefused { code, message } => {
                tracing::error!(
                    carrier.code = code,
                    "the carrier refuses the account, dialling stops: {}",
                    masked(message)
                );
                Some(Some(self.gate.account_refused(message.clone(), self.time.now())))
            }
            Placement::Placed(_) | Placement::Refused { .. } if self.gate.set_account(None) => {
                tracing::info!("the carrier takes the account again");
                self.dial_alarm.ring();
                Some(None)
            }
            _ => None,
        }
    }

    /// What the carrier's answer means for the call.
    fn judge(&self, call: &Call, (attempt, granted_at): (u32, Timestamp), placement: Placement) -> Input {
        let permit_at = Some(granted_at);
        let number = attempt;
        self.metrics.placement(&placement);
        match placement {
            Placement::Placed(sid) => {
                tracing::info!(call.id = %call.id, attempt.number = number, carrier.sid = %sid, to = %call.request.to, "dialled");
                Input::Placed { attempt, sid }
            }
            Placement::Refused { code, message } => {
                tracing::warn!(call.id = %call.id, attempt.number = number, carrier.code = code, "refused for good: {}", masked(&message));
                Input::Refused {
                    attempt,
                    code,
                    message,
                }
            }
            Placement::AccountRefused { message, .. } => Input::NotSent {
                attempt,
                permit_at,
                reason: HoldReason::Account,
                message,
                retry_after: None,
            },
            Placement::NotSent(why) => {
                let (message, retry_after) = match why {
                    NotSent::Gate => ("the permit had grown too old before it was used".to_owned(), None),
                    NotSent::Cut(message) => (message, None),
                    NotSent::Busy {
                        message, retry_after, ..
                    } => (message, retry_after.map(bounded)),
                };
                tracing::warn!(call.id = %call.id, attempt.number = number, "not sent: {}", masked(&message));
                Input::NotSent {
                    attempt,
                    permit_at,
                    reason: HoldReason::Carrier,
                    message,
                    retry_after,
                }
            }
            Placement::InDoubt { why } => {
                tracing::warn!(call.id = %call.id, attempt.number = number, "in doubt, the carrier is asked: {}", masked(&why));
                Input::InDoubt { attempt, why }
            }
        }
    }

    /// Stores what has happened to a dial, however long the store takes: it is known nowhere else.
    pub(crate) async fn write_down(&self, id: CallId, input: Input) {
        let mut tries = 0;
        loop {
            match self.store.apply(id, input.clone(), self.at()).await {
                Ok(Applied::Done(call)) => {
                    self.live_changed(&call);
                    return self.changed(&call);
                }
                // A callback was faster.
                Ok(Applied::Refused(call, _)) => return self.changed(&call),
                Ok(Applied::NoSuchCall) => {
                    return tracing::error!(call.id = %id, "the store has lost a call that was dialled");
                }
                Err(error) => {
                    tracing::error!(call.id = %id, error = &error as &dyn std::error::Error, "a dial's outcome is not stored yet");
                }
            }
            self.time
                .wait(retry::doubling(limits::NOT_SENT_BACKOFF, tries))
                .await;
            tries += 1;
        }
    }

    /// A call that is not live any more makes room for another.
    pub(crate) fn live_changed(&self, call: &Call) {
        if !call.is_live() && self.gate.live_limit_cleared() {
            self.dial_alarm.ring();
        }
    }
}

/// The carrier may ask for patience, within reason.
fn bounded(wish: Duration) -> Duration {
    wish.min(Duration::from_secs(3_600))
}

/// Open while the permit is young, by this process's own boot-time clock.
struct Fresh<'a> {
    time: &'a Time,
    asked_at: Duration,
}

impl SendGate for Fresh<'_> {
    fn is_open(&self) -> bool {
        self.time.boot().saturating_sub(self.asked_at) < PERMIT_FRESH
    }
}
