//! A call's life, told step by step: what the tests of [`crate::step`] begin with.

use std::time::Duration;

use crate::attempt::Attempt;
use crate::call::Call;
use crate::effect::Effect;
use crate::event::{Event, EventKind, HoldReason};
use crate::fact::{Fact, Leg, Source, Word};
use crate::ids::{CallId, Sid, UserId};
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::request::{MachineDetection, Request};
use crate::retry::{Policy, RetryOn};
use crate::step::{Answer, Input, Moment, Rules, accept, step};
use crate::time::Timestamp;

/// 2026-11-22T10:00:00Z, when every example call is accepted.
pub const TEN_O_CLOCK: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// The permit is asked for on time.
pub const DUE: Input = Input::Due { held: None };

pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3_600);

/// The leg that the carrier makes for an attempt.
pub fn leg_of(attempt: u32) -> Sid {
    Sid::new(&format!("leg-{attempt}")).expect("a valid name")
}

/// A leg that no attempt asked for.
pub fn stray_leg() -> Sid {
    Sid::new("stray").expect("a valid name")
}

/// The policy that a call has unless it says otherwise.
pub fn usual_policy() -> Policy {
    Policy {
        max_attempts: 3,
        retry_delays: [2, 5, 10].map(|minutes| MINUTE * minutes).to_vec(),
        retry_on: RetryOn::default(),
        ring_timeout: Duration::from_secs(60),
        time_limit: 4 * HOUR,
        give_up_after: 24 * HOUR,
        machine_detection: MachineDetection::Off,
    }
}

pub fn usual_rules() -> Rules {
    Rules {
        settle_after: Duration::from_secs(120),
        silence_after: Duration::from_secs(120),
        stop_on_unconfirmed: false,
        poll: false,
    }
}

pub fn request() -> Request {
    Request {
        user_id: UserId::new("user-1").expect("a valid id"),
        to: "+15551230100".parse().expect("a valid number"),
        from: "+15551230000".parse().expect("a valid number"),
        script: None,
        policy: usual_policy(),
        scheduled_at: None,
        given: None,
    }
}

/// What a callback says that says no more than a word.
pub fn pushed(status: AttemptStatus) -> Fact {
    Fact::new(Word::Known(status), Source::Callback)
}

/// The same with its place among the carrier's events.
pub fn numbered(status: AttemptStatus, sequence: u32) -> Fact {
    Fact {
        sequence: Some(sequence),
        ..pushed(status)
    }
}

/// What a look-up says.
pub fn fetched(status: AttemptStatus) -> Fact {
    Fact::new(Word::Known(status), Source::LookUp)
}

/// A call, the time, and all that was written about it so far.
#[derive(Debug, Clone)]
pub struct Life {
    pub call: Call,
    pub now: Timestamp,
    pub rules: Rules,
    pub events: Vec<Event>,
}

impl Life {
    pub fn begin() -> Life {
        Life::of(request())
    }

    pub fn of(request: Request) -> Life {
        let taken = accept(CallId::new(TEN_O_CLOCK, [7; 10]), request, TEN_O_CLOCK);
        Life {
            call: taken.call,
            now: TEN_O_CLOCK,
            rules: usual_rules(),
            events: taken.events,
        }
    }

    /// A life under another policy.
    pub fn with(change: impl FnOnce(&mut Policy)) -> Life {
        let mut request = request();
        change(&mut request.policy);
        Life::of(request)
    }

    /// A life where an attempt without proof ends the call.
    pub fn stopping() -> Life {
        let mut life = Life::begin();
        life.rules.stop_on_unconfirmed = true;
        life
    }

    /// What `input` would do; the life itself does not change.
    pub fn attempted(&self, input: Input) -> Result<Life, Refusal> {
        let moment = Moment {
            now: self.now,
            dice: 0,
            rules: &self.rules,
        };
        let step = step(&self.call, input, moment)?;
        let mut next = self.clone();
        next.call = step.call;
        next.events.extend(step.events);
        Ok(next)
    }

    pub fn then(self, input: Input) -> Life {
        let told = format!("{input:?}");
        match self.attempted(input) {
            Ok(next) => next,
            Err(refusal) => panic!("{told} was refused: {refusal}\n{:#?}", self.call),
        }
    }

    /// Takes the input if it applies; otherwise nothing changes.
    pub fn perhaps(self, input: Input) -> Life {
        self.attempted(input).unwrap_or(self)
    }

    pub fn refusal(&self, input: Input) -> Refusal {
        match self.attempted(input.clone()) {
            Err(refusal) => refusal,
            Ok(next) => panic!("{input:?} was taken\n{:#?}", next.call),
        }
    }

    pub fn after(mut self, gap: Duration) -> Life {
        self.now = self.now + gap;
        self
    }

    /// Waits until the next dial is due.
    pub fn when_due(mut self) -> Life {
        let due_at = self.call.due_at().expect("a dial is to come");
        self.now = self.now.max(due_at);
        self
    }

    /// Waits until the carrier is to be asked about this attempt.
    pub fn when_to_ask(mut self, attempt: u32) -> Life {
        let ask = self.record(attempt).ask.expect("a question is to come");
        self.now = self.now.max(ask.at);
        self
    }

    /// The permit of the next dial, the moment it is due.
    pub fn permitted(self) -> Life {
        self.when_due().then(DUE)
    }

    pub fn placed(self, attempt: u32) -> Life {
        let sid = leg_of(attempt);
        self.then(Input::Placed { attempt, sid })
    }

    /// The next dial, made and taken by the carrier.
    pub fn dialled(self) -> Life {
        let next = self.next_number();
        self.permitted().placed(next)
    }

    /// The next dial, of whose request nobody knows what became.
    pub fn in_doubt(self) -> Life {
        let next = self.next_number();
        self.permitted().then(Input::InDoubt {
            attempt: next,
            why: "cut after the last byte".into(),
        })
    }

    /// Asks about a dial in doubt until that has gone on long enough, and finds nothing.
    pub fn unconfirmed(self) -> Life {
        let attempt = self.next_number();
        let mut life = self.in_doubt();
        while life.record(attempt).is_open() {
            life = life.when_to_ask(attempt).asked(attempt, Answer::Nothing);
        }
        life
    }

    pub fn hears(self, attempt: u32, status: AttemptStatus) -> Life {
        self.then(fact(attempt, pushed(status)))
    }

    pub fn asked(self, attempt: u32, answer: Answer) -> Life {
        let begun_at = self.now;
        self.then(Input::Asked {
            attempt,
            begun_at,
            answer,
        })
    }

    /// A list of legs with just this one, made at the moment of the attempt's permit.
    pub fn lists(self, attempt: u32, sid: Sid, fact: Fact) -> Life {
        let created_at = self.record(attempt).permit_at;
        self.asked(
            attempt,
            Answer::Legs(vec![Leg {
                sid,
                created_at,
                fact,
            }]),
        )
    }

    pub fn not_sent(self, attempt: u32, reason: HoldReason) -> Life {
        self.then(not_sent(attempt, reason, None))
    }

    pub fn next_number(&self) -> u32 {
        u32::try_from(self.call.attempts.len()).expect("few attempts") + 1
    }

    pub fn record(&self, attempt: u32) -> &Attempt {
        self.call.attempt(attempt).expect("the call has this attempt")
    }

    pub fn statuses(&self) -> Vec<AttemptStatus> {
        self.call.attempts.iter().map(|a| a.status).collect()
    }

    pub fn effects(&self) -> Vec<Effect> {
        self.call.effects(self.now)
    }

    /// How long from now until the next dial is due.
    pub fn due_in(&self) -> Option<Duration> {
        self.call.next_retry_at().map(|at| at.since(self.now))
    }

    /// The corrections in the history: of which attempt, from what, to what.
    pub fn corrections(&self) -> Vec<(Option<u32>, CallStatus, CallStatus)> {
        let correction = |event: &Event| match event.kind {
            EventKind::Corrected { attempt, from, to } => Some((attempt, from, to)),
            _ => None,
        };
        self.events.iter().filter_map(correction).collect()
    }

    /// How often the history says that the call has ended, and how it did.
    pub fn endings(&self) -> Vec<CallStatus> {
        let ending = |event: &Event| match event.kind {
            EventKind::Ended { status, .. } => Some(status),
            _ => None,
        };
        self.events.iter().filter_map(ending).collect()
    }

    /// How many entries of the history are like this.
    pub fn count(&self, like: impl Fn(&EventKind) -> bool) -> usize {
        self.events.iter().filter(|event| like(&event.kind)).count()
    }

    /// Where the call stands, what it shows, and whether another attempt follows.
    #[track_caller]
    pub fn check(&self, status: CallStatus, should_retry: bool, due_in: Option<Duration>) -> &Life {
        let shown = (self.call.status(), self.call.should_retry(), self.due_in());
        assert_eq!(shown, (status, should_retry, due_in), "{:#?}", self.call);
        self
    }

    /// The call is over, and will not be dialled again.
    #[track_caller]
    pub fn check_over(&self, status: CallStatus) -> &Life {
        assert!(self.call.is_over(), "{:#?}", self.call);
        assert_eq!(self.refusal(DUE), Refusal::AlreadyOver);
        self.check(status, false, None)
    }
}

/// A callback about an attempt's own leg.
pub fn fact(attempt: u32, fact: Fact) -> Input {
    let sid = leg_of(attempt);
    Input::Fact {
        attempt: Some(attempt),
        sid,
        fact,
    }
}

pub fn not_sent(attempt: u32, reason: HoldReason, retry_after: Option<Duration>) -> Input {
    Input::NotSent {
        attempt,
        permit_at: None,
        reason,
        message: format!("{} said no", reason.word()),
        retry_after,
    }
}

pub fn held(reason: HoldReason) -> Input {
    Input::Held {
        reason,
        message: format!("{} is in the way", reason.word()),
        retry_after: None,
    }
}

pub fn refused(attempt: u32) -> Input {
    Input::Refused {
        attempt,
        code: Some(21_211),
        message: "the number is not valid".into(),
    }
}
