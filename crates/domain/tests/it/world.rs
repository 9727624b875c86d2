//! One call living through a random history, with what is known of it from outside: which permits
//! were granted, what the history said. Every step that is taken is held against the laws.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::step::accept;
use domain::{
    Answer, Call, CallId, CallState, Effect, Event, Fact, HoldReason, Input, Leg, Moment, Refusal, Rules,
    Sid, Source, Timestamp, Word, step,
};
use proptest::test_runner::TestCaseError;

use crate::laws;
use crate::moves::{Move, Reply, START, Start, Wait, Which, Whose};

/// The throw of the dice in every step: the shortest of every jittered gap.
const LOADED: u64 = 0;

pub struct World {
    pub call: Call,
    pub now: Timestamp,
    pub rules: Rules,
    pub events: Vec<Event>,
    /// Attempts whose permit was granted and not given back.
    pub spent: BTreeSet<u32>,
}

/// A step that was taken, for the laws to look at.
pub struct Taken<'a> {
    pub before: &'a Call,
    pub input: &'a Input,
    pub after: &'a Call,
    pub news: &'a [Event],
    pub now: Timestamp,
}

impl World {
    pub fn new(start: Start) -> World {
        let taken = accept(CallId::new(START, [7; 10]), start.request, START);
        World {
            call: taken.call,
            now: START,
            rules: start.rules,
            events: taken.events,
            spent: BTreeSet::new(),
        }
    }

    pub fn live_through(&mut self, happening: &Move) -> Result<(), TestCaseError> {
        for input in self.inputs(happening) {
            let _ = self.take(input)?;
        }
        Ok(())
    }

    /// Takes a step, if it is not refused, and holds it against the laws.
    pub fn take(&mut self, input: Input) -> Result<Result<(), Refusal>, TestCaseError> {
        let moment = Moment {
            now: self.now,
            dice: LOADED,
            rules: &self.rules,
        };
        let taken = match step(&self.call, input.clone(), moment) {
            Ok(taken) => taken,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let before = std::mem::replace(&mut self.call, taken.call);
        self.events.extend(taken.events.iter().cloned());
        let (after, news, now) = (&self.call, taken.events.as_slice(), self.now);
        laws::check(
            &Taken {
                before: &before,
                input: &input,
                after,
                news,
                now,
            },
            &self.events,
            &mut self.spent,
        )?;
        Ok(Ok(()))
    }

    fn inputs(&mut self, happening: &Move) -> Vec<Input> {
        let number = |which| self.number(which);
        let message = String::from("in the way");
        vec![match happening.clone() {
            Move::Wait(wait) => {
                self.wait(wait);
                return Vec::new();
            }
            Move::Work(reply) => {
                let effects = self.call.effects(self.now);
                return effects
                    .into_iter()
                    .map(|effect| self.done(effect, &reply))
                    .collect();
            }
            Move::Due => Input::Due { held: None },
            Move::Held(reason, retry_after) => held(reason, retry_after),
            Move::NotSent(which, reason, retry_after) => {
                let attempt = number(which);
                Input::NotSent {
                    attempt,
                    permit_at: None,
                    reason,
                    message,
                    retry_after,
                }
            }
            Move::Placed(which, whose) => {
                let attempt = number(which);
                Input::Placed {
                    attempt,
                    sid: leg(attempt, whose),
                }
            }
            Move::Refused(which) => refused(number(which)),
            Move::InDoubt(which) => in_doubt(number(which)),
            Move::Heard {
                named,
                whose,
                word,
                sequence,
            } => {
                let sid = leg(number(named.unwrap_or(Which::This)), whose);
                let fact = Fact {
                    sequence,
                    ..Fact::new(word, Source::Callback)
                };
                Input::Fact {
                    attempt: named.map(number),
                    sid,
                    fact,
                }
            }
            Move::Misdirected(which) => {
                let attempt = number(which);
                Input::Misdirected {
                    attempt,
                    sid: leg(attempt, Whose::Stray),
                }
            }
            Move::Asked(which, age, reply) => self.asked(number(which), age, &reply),
            Move::HungUp(done) => Input::HungUp {
                sid: leg(number(Which::This), Whose::Stray),
                done,
            },
            Move::Cancel => Input::Cancel,
            Move::GiveUp => Input::GiveUp,
        }]
    }

    fn asked(&self, attempt: u32, age: Duration, reply: &Reply) -> Input {
        let answer = self.answer(attempt, reply);
        Input::Asked {
            attempt,
            begun_at: self.now - age,
            answer,
        }
    }

    fn wait(&mut self, wait: Wait) {
        let until = match wait {
            Wait::For(gap) => Some(self.now + gap),
            Wait::UntilDue => self.call.due_at(),
            Wait::UntilCheck => self.call.check_at(),
        };
        self.now = self.now.max(until.unwrap_or(self.now));
    }

    fn number(&self, which: Which) -> u32 {
        let made = u32::try_from(self.call.attempts.len()).expect("few attempts");
        let permitted = match self.call.state {
            CallState::Dialling { attempt, .. } => Some(attempt),
            _ => None,
        };
        match which {
            Which::This => permitted.unwrap_or(made).max(1),
            Which::First => 1,
            Which::Next => made + 1,
            Which::Beyond => made + 2,
        }
    }

    /// What the engine reports when this work is done.
    pub fn done(&self, effect: Effect, reply: &Reply) -> Input {
        match effect {
            Effect::GiveUp => Input::GiveUp,
            Effect::HangUp { sid, .. } if self.call.attempt_with(&sid).is_none() => Input::HungUp {
                sid,
                done: !matches!(reply, Reply::Failed),
            },
            Effect::Find { attempt } => {
                let listed = match reply {
                    Reply::Leg(word) => &Reply::Listed(word.clone()),
                    other => other,
                };
                self.asked(attempt, Duration::ZERO, listed)
            }
            Effect::HangUp { attempt, .. } | Effect::LookUp { attempt, .. } => {
                self.asked(attempt, Duration::ZERO, reply)
            }
        }
    }

    fn answer(&self, attempt: u32, reply: &Reply) -> Answer {
        let created_at = self.call.attempt(attempt).map_or(self.now, |a| a.permit_at);
        let listed = |whose, word: &Word| Leg {
            sid: leg(attempt, whose),
            created_at,
            fact: fetched(word),
        };
        let ringing = Word::Known(domain::AttemptStatus::Ringing);
        match reply {
            Reply::Leg(word) => Answer::Leg(fetched(word)),
            Reply::Listed(word) => Answer::Legs(vec![listed(Whose::Own, word)]),
            Reply::ListedTwice => {
                Answer::Legs(vec![listed(Whose::Own, &ringing), listed(Whose::Stray, &ringing)])
            }
            Reply::Nothing => Answer::Nothing,
            Reply::Failed => Answer::Failed("no answer".into()),
        }
    }
}

pub fn in_doubt(attempt: u32) -> Input {
    let why = "cut".to_owned();
    Input::InDoubt { attempt, why }
}

fn held(reason: HoldReason, retry_after: Option<Duration>) -> Input {
    let message = "in the way".to_owned();
    Input::Held {
        reason,
        message,
        retry_after,
    }
}

fn refused(attempt: u32) -> Input {
    let message = "no such number".to_owned();
    Input::Refused {
        attempt,
        code: Some(21_211),
        message,
    }
}

fn fetched(word: &Word) -> Fact {
    Fact::new(word.clone(), Source::LookUp)
}

/// The name of a leg: each attempt has its own.
pub fn leg(attempt: u32, whose: Whose) -> Sid {
    let name = match whose {
        Whose::Own => format!("leg-{attempt}"),
        Whose::Stray => format!("stray-{attempt}"),
        Whose::FirstOnes => "leg-1".to_owned(),
    };
    Sid::new(&name).expect("a valid name")
}
