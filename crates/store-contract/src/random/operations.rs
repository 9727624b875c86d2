//! Thinking up what to do next. The model is asked how things stand, so that most of it applies.

use std::time::Duration;

use domain::{
    Answer, AttemptStatus, Call, CallId, CallState, CallStatus, Fact, Hold, HoldReason, Input, Leg, Sid,
    Source, Timestamp, Word,
};
use store::{AccountHold, NewCall, Store, Stray, Terms};

use crate::given::{ACCOUNT, MINUTE, SECOND, START, key, policy, request, user};

use crate::imports::{asked, busy_leg, ended, old, open, unconfirmed, waiting};

use super::dice::Dice;
use super::{Operation, Pair};

/// No more calls than this, because all of them are compared after every step.
const CALLS: usize = 30;

pub(super) const USERS: [&str; 2] = ["ann", "bob"];

/// How much time passes: mostly little, at times a retry's delay, rarely a day.
pub(super) fn gap(dice: &mut Dice) -> Duration {
    match dice.below(80) {
        0..20 => Duration::from_millis(1),
        20..50 => Duration::from_millis(1 + dice.below(900)),
        50..66 => SECOND * 3,
        66..74 => SECOND * 25,
        74..79 => SECOND * 130,
        _ if dice.one_in(4) => MINUTE * 60 * 25,
        _ => MINUTE * 20,
    }
}

impl Pair<'_> {
    pub(super) async fn invent(&mut self) -> Operation {
        let mood = &self.mood;
        let weights = [
            mood.accept,
            mood.permit,
            mood.outcome,
            mood.report,
            mood.ask,
            mood.other,
            mood.upkeep,
            mood.import,
        ];
        let mut throw = self.dice.below(weights.iter().sum());
        let mut kind = 0;
        while throw >= weights[kind] {
            throw -= weights[kind];
            kind += 1;
        }
        let invented = match kind {
            0 => None,
            1 => self.invent_permit().await,
            2 => self.invent_outcome().await,
            3 => self.invent_report().await,
            4 => self.invent_answer().await,
            5 => self.invent_other().await,
            6 => Some(self.invent_upkeep()),
            _ => Some(self.invent_import()),
        };
        match invented {
            Some(operation) => operation,
            None if self.calls.len() < CALLS || self.dice.one_in(4) => self.invent_call(),
            None => self.invent_upkeep(),
        }
    }

    fn invent_call(&mut self) -> Operation {
        // Beyond the most calls only repeats are asked for: the first call has a key.
        let full = self.calls.len() >= CALLS;
        let number = u32::try_from(self.calls.len()).expect("there are few calls");
        let mut chance = [0; 10];
        chance[2..].copy_from_slice(&self.dice.next().to_be_bytes());
        let mut asked_for =
            request(u32::try_from(self.dice.below(self.mood.numbers)).expect("few numbers") + 1);
        asked_for.user_id = user(USERS[usize::from(self.dice.one_in(3))]);
        asked_for.policy = domain::Policy {
            max_attempts: 1 + number % 4,
            give_up_after: MINUTE * 360,
            ..policy()
        };
        if self.dice.one_in(6) {
            asked_for.scheduled_at = Some(self.now + MINUTE);
        }
        let again = self.dice.pick(&self.keys).cloned();
        let again = again.filter(|_| full || self.dice.one_in(4));
        let key = match again {
            Some(again) => key(&again, u8::from(self.dice.one_in(3))),
            None if self.calls.is_empty() || self.dice.one_in(2) => key(&format!("order {number}"), 0),
            None => None,
        };
        let permit = self.dice.one_in(2).then(|| self.terms());
        let id = CallId::new(self.now, chance);
        Operation::Accept(Box::new(NewCall {
            id,
            request: asked_for,
            key,
            permit,
        }))
    }

    /// One or two calls of another program, now and then one that is there, or with a leg that is
    /// another's.
    fn invent_import(&mut self) -> Operation {
        let many = 1 + self.dice.below(2);
        let steps = (0..many).map(|_| {
            let number = u8::try_from(self.dice.below(12)).expect("it is small");
            let owned = self.dice.one_in(4).then(|| self.dice.pick(&self.legs).cloned());
            let leg = owned.flatten().unwrap_or_else(|| self.unowned_leg());
            let first = busy_leg(self.new_leg().as_str());
            let soon = self.now + MINUTE * u32::try_from(self.dice.below(3)).expect("it is small");
            let (state, attempts) = match self.dice.below(5) {
                0 => (waiting(soon), vec![]),
                1 => (waiting(soon), vec![first, unconfirmed(self.now)]),
                2 => (ended(CallStatus::Busy), vec![busy_leg(leg.as_str())]),
                3 => (ended(CallStatus::Unconfirmed), vec![unconfirmed(self.now)]),
                _ => (CallState::Live, vec![first, asked(open(leg.as_str()), self.now)]),
            };
            let mut step = old(self.now, number, state, &attempts);
            step.call.request.user_id = user(USERS[usize::from(self.dice.one_in(3))]);
            step
        });
        Operation::Import(steps.collect())
    }

    fn terms(&mut self) -> Terms {
        let held = self.dice.one_in(6).then(|| Hold {
            reason: HoldReason::Pace,
            since: self.now,
            until: None,
            message: "more is due than may be dialled".to_owned(),
        });
        let account = if self.dice.one_in(8) { "AC2" } else { ACCOUNT };
        Terms {
            account: account.to_owned(),
            max_live: self
                .dice
                .one_in(3)
                .then(|| 1 + u32::try_from(self.dice.below(4)).expect("it is small")),
            pace_clear_at: self.now + SECOND,
            held,
        }
    }

    async fn invent_permit(&mut self) -> Option<Operation> {
        let due = self
            .model
            .due(self.now, CALLS)
            .await
            .expect("the model always answers");
        let due: Vec<CallId> = due.into_iter().map(|due| due.id).collect();
        let any = self.dice.one_in(5);
        let id = *self.dice.pick(if any { lately(&self.calls) } else { &due })?;
        Some(Operation::Permit(id, self.terms()))
    }

    async fn invent_outcome(&mut self) -> Option<Operation> {
        let granted = self.model.granted().await.expect("the model always answers");
        let (id, attempt) = *self.dice.pick(&granted)?;
        if self.dice.below(10) < self.mood.doubt {
            return Some(Operation::Apply(id, crate::given::in_doubt(attempt)));
        }
        let input = match self.dice.below(8) {
            0..5 => Input::Placed {
                attempt,
                sid: self.unowned_leg(),
            },
            5..7 => Input::NotSent {
                attempt,
                permit_at: None,
                reason: *self.dice.pick(&[HoldReason::Carrier, HoldReason::Account])?,
                message: format!("trouble {}", self.dice.below(2)),
                retry_after: self.dice.one_in(3).then_some(SECOND),
            },
            _ => crate::given::refused(attempt),
        };
        Some(Operation::Apply(id, input))
    }

    async fn invent_report(&mut self) -> Option<Operation> {
        if self.dice.one_in(5)
            && let Some(again) = self.dice.pick(lately(&self.said))
        {
            return Some(Operation::Report(again.clone()));
        }
        let known = self.dice.pick(lately(&self.legs)).cloned();
        let sid = match known {
            Some(known) if !self.dice.one_in(4) => known,
            _ => self.new_leg(),
        };
        let call = self.some_call().await?;
        let newest = u32::try_from(call.attempts.len()).expect("a policy allows far fewer attempts");
        let named = match self.dice.below(12) {
            0..4 => self.model.owner(&sid).or(Some((call.id, newest.max(1)))),
            4..7 => Some((call.id, newest.max(1))),
            7 => Some((call.id, newest + 1)),
            8 => Some((
                call.id,
                1 + u32::try_from(self.dice.below(3)).expect("it is small"),
            )),
            9 if self.dice.one_in(4) => Some((CallId::new(START, [9; 10]), 1)),
            _ => None,
        };
        let fact = self.invent_fact();
        Some(Operation::Report(Stray { sid, named, fact }))
    }

    fn invent_fact(&mut self) -> Fact {
        let status = AttemptStatus::ALL[usize::try_from(self.dice.below(8)).expect("it is small")];
        let word = match self.dice.below(12) {
            0 => Word::Queued,
            1 => Word::Other("levitating".into()),
            _ => Word::Known(status),
        };
        let sources = [Source::Callback, Source::Callback, Source::Answer, Source::LookUp];
        let mut fact = Fact::new(word, *self.dice.pick(&sources).expect("there are some"));
        fact.sequence =
            (!self.dice.one_in(4)).then(|| u32::try_from(self.dice.below(4)).expect("it is small"));
        if self.dice.one_in(4) {
            fact.at = Some(self.now - SECOND);
            fact.duration_seconds = Some(12);
            fact.answered_by = Some("human".to_owned());
            fact.sip_response_code = Some(486);
        }
        fact
    }

    async fn invent_answer(&mut self) -> Option<Operation> {
        let far = self.now + MINUTE * 60 * 24 * 365;
        let mut wanted = self
            .model
            .to_check(far, CALLS)
            .await
            .expect("the model always answers");
        wanted.retain(|call| call.attempts.iter().any(|attempt| attempt.ask.is_some()));
        let call = match self.dice.pick(&wanted) {
            Some(call) if !self.dice.one_in(8) => call.clone(),
            _ => self.some_call().await?,
        };
        let asked: Vec<_> = call
            .attempts
            .iter()
            .filter(|attempt| attempt.ask.is_some())
            .collect();
        let found = self.dice.pick(&asked);
        let (attempt, permit_at) = found.map_or((1, self.now), |it| (it.number, it.permit_at));
        let has_leg = found.is_some_and(|it| it.sid.is_some()) ^ self.dice.one_in(12);
        let answer = match self.dice.below(6) {
            0..2 => Answer::Nothing,
            2 => Answer::Failed("no connection".to_owned()),
            _ if has_leg => Answer::Leg(Fact {
                source: Source::LookUp,
                ..self.invent_fact()
            }),
            _ => self.invent_legs(permit_at),
        };
        let input = Input::Asked {
            attempt,
            begun_at: self.now,
            answer,
        };
        Some(Operation::Apply(call.id, input))
    }

    fn invent_legs(&mut self, permit_at: Timestamp) -> Answer {
        let mut legs: Vec<Leg> = Vec::new();
        for _ in 0..self.dice.below(3) {
            let known = self.dice.one_in(2).then(|| self.dice.pick(&self.legs).cloned());
            let sid = known.flatten().unwrap_or_else(|| self.new_leg());
            if legs.iter().any(|leg| leg.sid == sid) {
                continue;
            }
            let created_at =
                permit_at - SECOND * 10 + SECOND * u32::try_from(self.dice.below(120)).expect("it is small");
            let fact = Fact {
                source: Source::LookUp,
                ..self.invent_fact()
            };
            legs.push(Leg {
                sid,
                created_at,
                fact,
            });
        }
        Answer::Legs(legs)
    }

    async fn invent_other(&mut self) -> Option<Operation> {
        let call = self.some_call().await?;
        let attempt = 1 + u32::try_from(self.dice.below(3)).expect("it is small");
        let input = match self.dice.below(8) {
            0 => Input::Cancel,
            1 => Input::GiveUp,
            2 => Input::Held {
                reason: *self
                    .dice
                    .pick(&[HoldReason::Carrier, HoldReason::Account, HoldReason::Pace])?,
                message: "wait".to_owned(),
                retry_after: None,
            },
            3 => Input::HungUp {
                sid: call
                    .extras
                    .first()
                    .map_or_else(|| self.new_leg(), |extra| extra.sid.clone()),
                done: self.dice.one_in(2),
            },
            4 => crate::given::not_sent(attempt),
            5 => crate::given::in_doubt(attempt),
            6 => Input::Placed {
                attempt,
                sid: self.unowned_leg(),
            },
            _ => Input::Misdirected {
                attempt,
                sid: self.new_leg(),
            },
        };
        let strange = self.dice.one_in(12);
        let id = if strange {
            CallId::new(START, [8; 10])
        } else {
            call.id
        };
        Some(Operation::Apply(id, input))
    }

    fn invent_upkeep(&mut self) -> Operation {
        match self.dice.below(8) {
            0 => Operation::Pause(true),
            1..4 => Operation::Pause(self.dice.one_in(4)),
            4 => {
                let hold = AccountHold {
                    since: self.now,
                    probe_at: self.now + MINUTE,
                    message: "closed".to_owned(),
                };
                Operation::HoldAccount(self.dice.one_in(2).then_some(hold))
            }
            5..7 => Operation::PutOffLooks,
            _ => Operation::Reopen,
        }
    }

    async fn some_call(&mut self) -> Option<Call> {
        let id = *self.dice.pick(lately(&self.calls))?;
        self.model.call(id).await.expect("the model always answers")
    }

    fn new_leg(&mut self) -> Sid {
        let sid = Sid::new(&format!("CA{}", self.legs.len())).expect("a plain word is a leg's name");
        self.legs.push(sid.clone());
        sid
    }

    /// A new leg, or one that was reported before anybody had it.
    fn unowned_leg(&mut self) -> Sid {
        let unowned: Vec<Sid> = self
            .legs
            .iter()
            .filter(|sid| self.model.owner(sid).is_none())
            .cloned()
            .collect();
        match self.dice.one_in(2).then(|| self.dice.pick(&unowned).cloned()) {
            Some(Some(sid)) => sid,
            _ => self.new_leg(),
        }
    }
}

/// The last few: most older calls are over, and so are their legs.
fn lately<T>(all: &[T]) -> &[T] {
    &all[all.len().saturating_sub(8)..]
}
