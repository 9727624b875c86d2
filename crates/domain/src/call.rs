//! A call: what was asked, where it stands, and what that implies (what it shows, when it is due,
//! which work it needs). Changed by [`crate::step()`] alone.

use crate::attempt::{Ask, Attempt};
use crate::effect::Effect;
use crate::event::{Hold, HoldReason};
use crate::ids::{CallId, Sid};
use crate::limits;
use crate::outcome::CallStatus;
use crate::request::Request;
use crate::time::Timestamp;

/// A call and all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub id: CallId,
    /// What was asked.
    pub request: Request,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Where it stands.
    pub state: CallState,
    /// Every dial that was sent, refused, or may have been sent, in order; never shorter than before.
    pub attempts: Vec<Attempt>,
    /// When somebody first asked to cancel it.
    pub cancel_requested_at: Option<Timestamp>,
    /// Why its due dial is held back, where that is the call's own matter.
    pub hold: Option<Hold>,
    /// Set when the call has ended once: no dial is ever made again, whatever proof comes late.
    pub closing: Option<Closing>,
    /// Legs that should not exist and are to be hung up.
    pub extras: Vec<Extra>,
}

/// Where a call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallState {
    /// Nothing of it is at the carrier; another dial is to be made.
    Waiting {
        /// When the next dial is due.
        due_at: Timestamp,
        /// Not before this, because a try was proven not sent; otherwise `due_at`.
        try_at: Timestamp,
        /// Tries in a row that were proven not sent.
        misses: u32,
    },
    /// A permit is granted: its one request may be under way.
    Dialling {
        /// The attempt that the permit is for.
        attempt: u32,
        /// When it was granted.
        permit_at: Timestamp,
        /// When the dial was due.
        due_at: Timestamp,
        /// Tries in a row before this one that were proven not sent.
        misses: u32,
    },
    /// A leg of it may be alive.
    Live,
    /// Nothing more is done, but for late proof.
    Ended {
        /// How it ended.
        status: CallStatus,
    },
}

/// Why no dial is ever made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// The call has ended as its attempts did.
    Ended,
    /// Its next dial waited longer than it may.
    GaveUp,
}

/// A second leg of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The carrier's name for it.
    pub sid: Sid,
    /// The attempt that it claims to be of.
    pub attempt: u32,
    /// When it is next tried to be hung up; `None` once that is done.
    pub hang_up: Option<Ask>,
}

impl Call {
    /// What the record shows as the call's status.
    pub fn status(&self) -> CallStatus {
        let last = || {
            self.attempts
                .last()
                .map_or(CallStatus::Queued, |a| a.status.into())
        };
        match &self.state {
            CallState::Waiting { .. } | CallState::Dialling { .. } => last(),
            CallState::Live => self.open_attempt().map_or_else(last, |a| a.status.into()),
            CallState::Ended { status } => *status,
        }
    }

    /// Whether another attempt is to follow one that was made.
    pub fn should_retry(&self) -> bool {
        matches!(self.state, CallState::Waiting { .. } | CallState::Dialling { .. })
            && !self.attempts.is_empty()
    }

    /// When that attempt is due.
    pub fn next_retry_at(&self) -> Option<Timestamp> {
        match self.state {
            CallState::Waiting { due_at, .. } | CallState::Dialling { due_at, .. } => {
                (!self.attempts.is_empty()).then_some(due_at)
            }
            _ => None,
        }
    }

    /// Whether nothing more is done for it but listening to late proof.
    pub fn is_over(&self) -> bool {
        matches!(self.state, CallState::Ended { .. })
    }

    /// Whether a leg of it may be alive, or a permit is out: what the live limit counts.
    pub fn is_live(&self) -> bool {
        matches!(self.state, CallState::Dialling { .. } | CallState::Live)
    }

    /// The newest attempt whose leg may be alive.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.iter().rev().find(|a| a.is_open())
    }

    /// The attempt with this number.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The attempt that owns this leg.
    pub fn attempt_with(&self, sid: &Sid) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.sid.as_ref() == Some(sid))
    }

    /// Every leg that is known to be of this call, those to be hung up included.
    pub fn legs(&self) -> impl Iterator<Item = &Sid> {
        let own = self.attempts.iter().filter_map(|attempt| attempt.sid.as_ref());
        own.chain(self.extras.iter().map(|extra| &extra.sid))
    }

    /// When a dial of it may next be sent; `None` when none is to be sent.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            CallState::Waiting { due_at, try_at, .. } => Some(due_at.max(try_at)),
            _ => None,
        }
    }

    /// When the engine must next look at it for anything but a dial: to ask the carrier, to hang up,
    /// or to give up. `None` when there is nothing to come.
    pub fn check_at(&self) -> Option<Timestamp> {
        let asks = self.attempts.iter().filter_map(|a| a.ask).map(|ask| ask.at);
        let hang_ups = self.extras.iter().filter_map(|e| e.hang_up).map(|ask| ask.at);
        asks.chain(hang_ups).chain(self.give_up_at()).min()
    }

    /// When its waiting dial is not made any more.
    pub fn give_up_at(&self) -> Option<Timestamp> {
        match self.state {
            CallState::Waiting { due_at, .. } => Some(due_at + self.request.policy.give_up_after),
            _ => None,
        }
    }

    /// The work at the carrier that is to be done now.
    pub fn effects(&self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        for extra in &self.extras {
            if extra.hang_up.is_some_and(|ask| ask.at <= now) {
                effects.push(Effect::HangUp {
                    attempt: extra.attempt,
                    sid: extra.sid.clone(),
                });
            }
        }
        for attempt in &self.attempts {
            if attempt.ask.is_none_or(|ask| ask.at > now) {
                continue;
            }
            let number = attempt.number;
            effects.push(match &attempt.sid {
                None => Effect::Find { attempt: number },
                Some(sid) if self.wants_ended(attempt) => Effect::HangUp {
                    attempt: number,
                    sid: sid.clone(),
                },
                Some(sid) => Effect::LookUp {
                    attempt: number,
                    sid: sid.clone(),
                },
            });
        }
        if self.give_up_at().is_some_and(|at| at <= now) {
            effects.push(Effect::GiveUp);
        }
        effects
    }

    /// Whether this attempt's leg, if it is alive, is to be hung up.
    pub fn wants_ended(&self, attempt: &Attempt) -> bool {
        attempt.is_open() && (attempt.unwanted || self.cancel_requested_at.is_some())
    }

    /// Whether the person who answers this leg is to hear the call's document: only the attempt's
    /// own leg, and only while it is wanted.
    pub fn may_speak(&self, attempt: u32, sid: &Sid) -> bool {
        self.attempt(attempt)
            .is_some_and(|a| a.sid.as_ref() == Some(sid) && a.is_open() && !self.wants_ended(a))
    }

    /// What the call is waiting for, as far as the call itself knows; the engine knows of pauses,
    /// pace and limits.
    pub fn waiting_for(&self, now: Timestamp) -> Option<Hold> {
        match self.state {
            CallState::Waiting { due_at, .. } if due_at > now => {
                let retry = !self.attempts.is_empty();
                let (reason, what) = match retry {
                    true => (HoldReason::Retry, "the next attempt"),
                    false => (HoldReason::Schedule, "the scheduled first attempt"),
                };
                let message = format!("{what} is due at {due_at}");
                let since = if retry {
                    self.last_end().unwrap_or(self.updated_at)
                } else {
                    self.created_at
                };
                Some(Hold {
                    reason,
                    since,
                    until: Some(due_at),
                    message,
                })
            }
            CallState::Waiting { .. } => self.hold.clone(),
            CallState::Live => self.open_attempt().filter(|a| a.in_doubt()).map(|a| Hold {
                reason: HoldReason::Settling,
                since: a.ask.map_or(a.permit_at, |ask| ask.since),
                until: a.ask.map(|ask| ask.at),
                message: format!(
                    "attempt {} was sent without an answer; the carrier is asked for it",
                    a.number
                ),
            }),
            CallState::Dialling { .. } | CallState::Ended { .. } => None,
        }
    }

    fn last_end(&self) -> Option<Timestamp> {
        self.attempts.iter().filter_map(|a| a.ended_at).max()
    }
}

impl Extra {
    /// A second leg, to be hung up at once.
    pub(crate) fn new(sid: Sid, attempt: u32, now: Timestamp) -> Extra {
        Extra {
            sid,
            attempt,
            hang_up: Some(Ask {
                at: now,
                tries: 0,
                since: now,
            }),
        }
    }

    /// Whether another one may still be remembered.
    pub(crate) fn fits(extras: &[Extra]) -> bool {
        extras.len() < limits::EXTRAS
    }
}
