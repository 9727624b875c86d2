//! Calls with a past, told in a few words: `a_call().busy(2)`.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    AttemptStatus, Call, CallId, CallState, Fact, Input, MachineDetection, Phone, Policy, Request, Rules,
    Script, Sid, Source, Timestamp, UserId, Word,
};
use store::{Accepted, Applied, At, NewCall, Permitted, Store, Terms};

use crate::carrier::ACCOUNT;

/// One minute.
pub const MINUTE: Duration = Duration::from_secs(60);

/// The rules that tests go by unless they say otherwise: the defaults of the settings.
pub fn rules() -> Rules {
    Rules {
        settle_after: 2 * MINUTE,
        silence_after: 2 * MINUTE,
        stop_on_unconfirmed: false,
        poll: false,
    }
}

/// Three attempts, 2, 5 and 10 minutes apart: the defaults of the settings.
pub fn policy() -> Policy {
    Policy {
        max_attempts: 3,
        retry_delays: vec![2 * MINUTE, 5 * MINUTE, 10 * MINUTE],
        retry_on: domain::retry::RetryOn::default(),
        ring_timeout: MINUTE,
        time_limit: 240 * MINUTE,
        give_up_after: 24 * 60 * MINUTE,
        machine_detection: MachineDetection::Off,
    }
}

/// What is said when a call brings nothing.
pub fn script() -> Script {
    Script::Say {
        message: "Hello.".to_owned(),
        language: None,
        voice: None,
    }
}

/// The user whose calls tests make.
pub fn ann() -> UserId {
    UserId::new("ann").expect("a plain word is a user id")
}

/// A number that is kept free for fiction.
pub fn phone(number: u32) -> Phone {
    format!("+1555{number:07}")
        .parse()
        .expect("eleven digits are a number")
}

/// A call to somebody, with everything else as the defaults have it.
pub fn a_call() -> Given {
    let request = Request {
        user_id: ann(),
        to: phone(1),
        from: phone(0),
        script: None,
        policy: policy(),
        scheduled_at: None,
        given: None,
    };
    Given {
        request,
        past: Vec::new(),
    }
}

/// A call that is told about, before it is in any store.
#[derive(Debug, Clone)]
pub struct Given {
    /// What is asked for.
    pub request: Request,
    past: Vec<Deed>,
}

#[derive(Debug, Clone)]
enum Deed {
    Dialled,
    Heard(AttemptStatus),
    Permitted,
    InDoubt,
}

impl Given {
    /// To another person: each number is one.
    pub fn to(mut self, number: u32) -> Given {
        self.request.to = phone(number);
        self
    }

    /// With another policy.
    pub fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Given {
        change(&mut self.request.policy);
        self
    }

    /// Not before this.
    pub fn scheduled_at(mut self, at: Timestamp) -> Given {
        self.request.scheduled_at = Some(at);
        self
    }

    /// It has been dialled `times` times, each when it was due, and was busy each time.
    pub fn busy(mut self, times: u32) -> Given {
        for _ in 0..times {
            self.past
                .extend([Deed::Dialled, Deed::Heard(AttemptStatus::Busy)]);
        }
        self
    }

    /// It has been dialled once more, and its leg stands so.
    pub fn live(mut self, status: AttemptStatus) -> Given {
        self.past.extend([Deed::Dialled, Deed::Heard(status)]);
        self
    }

    /// The permit for its next dial is granted, and not decided.
    pub fn permitted(mut self) -> Given {
        self.past.push(Deed::Permitted);
        self
    }

    /// Its next dial was sent, and nobody knows what became of it.
    pub fn in_doubt(mut self) -> Given {
        self.past.extend([Deed::Permitted, Deed::InDoubt]);
        self
    }

    /// Puts it into a store, as if it had been accepted at `accepted_at`. Gives the call, and the
    /// time at which the last thing happened to it.
    ///
    /// # Panics
    /// When the store does not take it so.
    pub async fn put(self, store: &dyn Store, id: CallId, accepted_at: Timestamp) -> (Call, Timestamp) {
        let new = NewCall {
            id,
            request: self.request,
            key: None,
            permit: None,
        };
        let accepted = store.accept(new, at(accepted_at)).await.expect("a call is taken");
        let Accepted::New(call) = accepted else {
            panic!("not new: {accepted:?}")
        };
        let mut told = Told {
            store,
            call: Arc::unwrap_or_clone(call),
            now: accepted_at,
        };
        for deed in self.past {
            told.happens(deed).await;
        }
        (told.call, told.now)
    }
}

/// A call whose past is being told.
struct Told<'a> {
    store: &'a dyn Store,
    call: Call,
    now: Timestamp,
}

impl Told<'_> {
    async fn happens(&mut self, deed: Deed) {
        match deed {
            Deed::Permitted => self.permitted().await,
            Deed::Dialled => {
                self.permitted().await;
                let attempt = self.number();
                let sid = self.leg();
                self.applies(Input::Placed { attempt, sid }).await;
            }
            Deed::InDoubt => {
                let (attempt, why) = (self.number(), "nobody knows".to_owned());
                self.applies(Input::InDoubt { attempt, why }).await;
            }
            Deed::Heard(status) => {
                let fact = Fact::new(Word::Known(status), Source::Callback);
                let (attempt, sid) = (Some(self.number()), self.leg());
                self.applies(Input::Fact { attempt, sid, fact }).await;
            }
        }
    }

    async fn permitted(&mut self) {
        self.now = self.now.max(self.call.due_at().expect("it waits for a dial"));
        let terms = Terms {
            account: ACCOUNT.to_owned(),
            max_live: None,
            pace_clear_at: self.now,
            held: None,
        };
        let permitted = self.store.permit(self.call.id, terms, at(self.now)).await;
        let Ok(Permitted::Granted(call)) = permitted else {
            panic!("not granted: {permitted:?}")
        };
        self.call = call;
    }

    async fn applies(&mut self, input: Input) {
        let applied = self.store.apply(self.call.id, input, at(self.now)).await;
        let Ok(Applied::Done(call)) = applied else {
            panic!("not done: {applied:?}")
        };
        self.call = call;
    }

    /// The attempt that is being told about.
    fn number(&self) -> u32 {
        match self.call.state {
            CallState::Dialling { attempt, .. } => attempt,
            _ => u32::try_from(self.call.attempts.len()).expect("a policy allows far fewer attempts"),
        }
    }

    /// A name that no carrier of the tests gives.
    fn leg(&self) -> Sid {
        Sid::new(&format!("{}-{}", self.call.id, self.number())).expect("letters and digits are a leg's name")
    }
}

fn at(now: Timestamp) -> At {
    At {
        now,
        dice: 0,
        rules: std::sync::Arc::new(rules()),
    }
}
