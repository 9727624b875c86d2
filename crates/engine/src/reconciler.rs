//! Asks the carrier about what is in doubt or silent, hangs up what is not wanted, and gives up what
//! waited too long. Which work a call needs is read off its state, so that nothing is forgotten by a
//! process that died.

use std::sync::Arc;

use carrier::AskError;
use domain::{Answer, Call, CallId, Effect, Input, Sid, Timestamp, limits};
use store::{Applied, StoreError};

use crate::{Inner, crash};

/// Most questions to the carrier at once: a carrier limits how many requests it serves at a time.
const QUESTIONS_AT_ONCE: usize = 16;

impl Inner {
    /// One round: starts the work of every call that needs some. Returns when to look again.
    pub(crate) async fn check_pass(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        if self.restored.is_unread() {
            // What would be asked or given up now may have gone on long ago; the list rings the alarm.
            return Ok(None);
        }
        let now = self.time.now();
        let in_hand = self.checking.count();
        let room = QUESTIONS_AT_ONCE.saturating_sub(in_hand);
        if room == 0 {
            // Each answer rings the alarm.
            return Ok(None);
        }
        let calls = self.store.to_check(now, room + in_hand).await?;
        let all = calls.len() < room + in_hand;
        let mut idle = Vec::new();
        for call in calls {
            let effects = call.effects(now);
            if effects.is_empty() {
                idle.push(call.id);
            } else if self.checking.count() < QUESTIONS_AT_ONCE
                && let Some(in_hand) = self.checking.take(call.id)
            {
                let inner = Arc::clone(self);
                self.tasks.spawn(async move {
                    for effect in effects {
                        inner.perform(&call, effect).await;
                    }
                    drop(in_hand);
                    inner.check_alarm.ring();
                });
            }
        }
        if !idle.is_empty() {
            self.store.put_off_checks(idle).await?;
            return Ok(Some(now));
        }
        if all {
            self.store.next_check(now).await
        } else {
            Ok(None)
        }
    }

    async fn perform(&self, call: &Call, effect: Effect) {
        let begun_at = self.time.now();
        match effect {
            Effect::Find { attempt } => {
                let answer = self.find(call, attempt).await;
                self.answered(call.id, attempt, begun_at, answer).await;
            }
            Effect::LookUp { attempt, sid } => {
                let answer = self.look_up(&sid).await;
                self.answered(call.id, attempt, begun_at, answer).await;
            }
            Effect::HangUp { attempt, sid } => self.hang_up(call, attempt, sid, begun_at).await,
            Effect::GiveUp => self.give_up(call).await,
        }
    }

    async fn find(&self, call: &Call, attempt: u32) -> Answer {
        let Some(record) = call.attempt(attempt) else {
            return Answer::Nothing;
        };
        let not_before = record.permit_at - limits::LEG_BEFORE_PERMIT;
        let reply = self
            .carrier
            .find(&call.request.from, &call.request.to, not_before)
            .await;
        self.see(reply.date);
        match reply.outcome {
            Ok(legs) => Answer::Legs(legs),
            Err(error) => failed(&error),
        }
    }

    pub(crate) async fn look_up(&self, sid: &Sid) -> Answer {
        let reply = self.carrier.look_up(sid).await;
        self.see(reply.date);
        match reply.outcome {
            Ok(Some(fact)) => Answer::Leg(fact),
            Ok(None) => Answer::Nothing,
            Err(error) => failed(&error),
        }
    }

    async fn hang_up(&self, call: &Call, attempt: u32, sid: Sid, begun_at: Timestamp) {
        let reply = self.carrier.hang_up(&sid).await;
        crash::point("hang-up.sent");
        self.see(reply.date);
        if let Err(error) = &reply.outcome {
            tracing::warn!(call.id = %call.id, carrier.sid = %sid, "not hung up yet: {error}");
        }
        if call.attempt_with(&sid).is_some() {
            let answer = self.look_up(&sid).await;
            self.answered(call.id, attempt, begun_at, answer).await;
        } else {
            self.apply(
                call.id,
                Input::HungUp {
                    sid,
                    done: reply.outcome.is_ok(),
                },
            )
            .await;
        }
        crash::point("hang-up.committed");
    }

    async fn give_up(&self, call: &Call) {
        // What stood in the way of all dials belongs into the record of this one.
        let known = call.hold.as_ref().map(|hold| hold.reason);
        let now = self.time.now();
        let waited_for = || call.due_at().and_then(|due_at| self.why_late(due_at, now));
        let hold = self.obstacle(now).or_else(waited_for);
        if let Some(hold) = hold.filter(|hold| known != Some(hold.reason)) {
            let input = Input::Held {
                reason: hold.reason,
                message: hold.message,
                retry_after: None,
            };
            self.apply(call.id, input).await;
        }
        self.apply(call.id, Input::GiveUp).await;
    }

    async fn answered(&self, id: CallId, attempt: u32, begun_at: Timestamp, answer: Answer) {
        crash::point("look-up.answered");
        self.metrics.question(&answer);
        if let Answer::Failed(why) = &answer {
            tracing::warn!(call.id = %id, attempt.number = attempt, "asked in vain: {why}");
        }
        self.apply(
            id,
            Input::Asked {
                attempt,
                begun_at,
                answer,
            },
        )
        .await;
        crash::point("look-up.committed");
    }

    /// Takes a step whose loss would be made good by the next round.
    pub(crate) async fn apply(&self, id: CallId, input: Input) {
        let gives_up = input == Input::GiveUp;
        match self.store.apply(id, input, self.at()).await {
            Ok(Applied::Done(call)) => {
                self.live_changed(&call);
                if gives_up {
                    self.metrics.stopped(&call);
                }
                self.changed(&call);
            }
            Ok(Applied::Refused(..) | Applied::NoSuchCall) => {}
            Err(error) => {
                tracing::error!(call.id = %id, error = &error as &dyn std::error::Error, "not stored")
            }
        }
    }

    pub(crate) fn see(&self, date: Option<Timestamp>) {
        if let Some(date) = date {
            self.gate.see_carrier_date(date, self.time.now());
        }
    }
}

fn failed(error: &AskError) -> Answer {
    Answer::Failed(error.to_string())
}
