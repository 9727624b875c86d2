//! What the promises are told with: a store, a clock moved by hand, and short words for asking the
//! store. Every answer that carries a call is compared with the call as it is stored. Used by the
//! files of promises alone.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    Answer, Attempt, AttemptStatus, Call, CallId, CallState, Fact, Input, Leg, MachineDetection, Phone,
    Policy, Request, Rules, Sid, Source, Timestamp, UserId, Word,
};
use store::{
    Accepted, Applied, At, Depths, Key, ListQuery, NewCall, Page, Permitted, Record, Reported, Store, Stray,
    Terms,
};

use crate::Factory;

/// Where every story begins: 2026-11-22T10:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_341_600_000);
/// The account that dials unless a promise is about another.
pub(crate) const ACCOUNT: &str = "AC1";
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A store and the time.
pub(crate) struct World<'a> {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) now: Timestamp,
    factory: &'a dyn Factory,
    rules: Arc<Rules>,
    made: u32,
}

impl<'a> World<'a> {
    pub(crate) async fn new(factory: &'a dyn Factory) -> World<'a> {
        let rules = Rules {
            settle_after: 2 * MINUTE,
            silence_after: 2 * MINUTE,
            stop_on_unconfirmed: false,
            poll: false,
        };
        World {
            store: factory.open().await,
            now: START,
            factory,
            rules: Arc::new(rules),
            made: 0,
        }
    }

    /// As after a restart of the process: the store is opened again on what it wrote.
    pub(crate) async fn reopen(self) -> World<'a> {
        World {
            store: self.factory.reopen(self.store).await,
            ..self
        }
    }

    pub(crate) fn at(&self) -> At {
        At {
            now: self.now,
            dice: 7,
            rules: Arc::clone(&self.rules),
        }
    }

    pub(crate) fn pass(&mut self, gap: Duration) {
        self.now = self.now + gap;
    }

    /// The operator waits this long for proof of a dial in doubt; two minutes unless it is said.
    pub(crate) fn settle_after(&mut self, gap: Duration) {
        let rules = Rules {
            settle_after: gap,
            ..(*self.rules).clone()
        };
        self.rules = Arc::new(rules);
    }

    /// A call that nobody has seen yet, to a number that nobody else calls.
    pub(crate) fn new_call(&mut self) -> NewCall {
        self.made += 1;
        let mut chance = [0; 10];
        chance[6..].copy_from_slice(&self.made.to_be_bytes());
        NewCall {
            id: CallId::new(self.now, chance),
            request: request(self.made),
            key: None,
            permit: None,
        }
    }

    /// The same, to be dialled at once.
    pub(crate) fn new_dial(&mut self) -> NewCall {
        let permit = Some(self.terms());
        NewCall {
            permit,
            ..self.new_call()
        }
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms {
            account: ACCOUNT.to_owned(),
            max_live: None,
            pace_clear_at: self.now + SECOND,
            held: None,
        }
    }

    pub(crate) async fn accept(&self, new: NewCall) -> Accepted {
        let accepted = self.store.accept(new, self.at()).await.expect("a call is taken");
        if let Accepted::New(call) | Accepted::Repeat(call) = &accepted {
            self.is_stored(call).await;
        }
        accepted
    }

    /// Takes a call that nothing speaks against.
    pub(crate) async fn accepted(&self, new: NewCall) -> Call {
        match self.accept(new).await {
            Accepted::New(call) => Arc::unwrap_or_clone(call),
            other => panic!("not taken as new: {other:?}"),
        }
    }

    /// A call that is due now.
    pub(crate) async fn a_call(&mut self) -> CallId {
        let new = self.new_call();
        self.accepted(new).await.id
    }

    /// A call whose first dial is permitted.
    pub(crate) async fn a_dial(&mut self) -> CallId {
        let new = self.new_dial();
        let call = self.accepted(new).await;
        assert!(is_dialling(&call, 1), "it is being dialled: {call:?}");
        call.id
    }

    /// A call whose first dial was placed as this leg.
    pub(crate) async fn a_live_call(&mut self, leg: &str) -> CallId {
        let id = self.a_dial().await;
        self.done(id, placed(1, leg)).await;
        id
    }

    /// A call whose first dial nobody knows the fate of.
    pub(crate) async fn a_doubtful_call(&mut self) -> CallId {
        let id = self.a_dial().await;
        self.done(id, in_doubt(1)).await;
        id
    }

    pub(crate) async fn permit(&self, id: CallId) -> Permitted {
        self.permit_under(id, self.terms()).await
    }

    pub(crate) async fn permit_under(&self, id: CallId, terms: Terms) -> Permitted {
        let permitted = self
            .store
            .permit(id, terms, self.at())
            .await
            .expect("a permit is decided");
        if let Permitted::Granted(call) | Permitted::Held(call) = &permitted {
            self.is_stored(call).await;
        }
        permitted
    }

    /// Asks for a permit that nothing speaks against.
    pub(crate) async fn granted(&self, id: CallId) -> Call {
        match self.permit(id).await {
            Permitted::Granted(call) => call,
            other => panic!("not granted: {other:?}"),
        }
    }

    pub(crate) async fn apply(&self, id: CallId, input: Input) -> Applied {
        let applied = self
            .store
            .apply(id, input, self.at())
            .await
            .expect("a step is taken");
        if let Applied::Done(call) | Applied::Refused(call, _) = &applied {
            self.is_stored(call).await;
        }
        applied
    }

    /// Takes a step that applies.
    pub(crate) async fn done(&self, id: CallId, input: Input) -> Call {
        match self.apply(id, input).await {
            Applied::Done(call) => call,
            other => panic!("not done: {other:?}"),
        }
    }

    pub(crate) async fn report(&self, named: Option<(CallId, u32)>, leg: &str, fact: Fact) -> Reported {
        let stray = Stray {
            sid: sid(leg),
            named,
            fact,
        };
        let reported = self
            .store
            .report(stray, self.at())
            .await
            .expect("a fact is taken");
        if let Reported::Applied(call) | Reported::Known(call) = &reported {
            self.is_stored(call).await;
        }
        reported
    }

    /// Reports a fact that changes something.
    pub(crate) async fn heard(&self, named: Option<(CallId, u32)>, leg: &str, fact: Fact) -> Call {
        match self.report(named, leg, fact).await {
            Reported::Applied(call) => Arc::unwrap_or_clone(call),
            other => panic!("not applied: {other:?}"),
        }
    }

    /// The call as it stands.
    pub(crate) async fn stands(&self, id: CallId) -> Call {
        let call = self.store.call(id).await.expect("a call can be read");
        call.expect("it was taken")
    }

    /// The call with its history.
    pub(crate) async fn record(&self, id: CallId) -> Record {
        let user = self.stands(id).await.request.user_id;
        let record = self.store.record(&user, id).await.expect("a record can be read");
        record.expect("it was taken")
    }

    pub(crate) async fn page(&self, query: ListQuery) -> Page {
        self.store.page(query).await.expect("a page can be read")
    }

    pub(crate) async fn depths(&self) -> Depths {
        self.store.depths(self.now).await.expect("the depths can be read")
    }

    async fn is_stored(&self, call: &Call) {
        assert_eq!(
            *call,
            self.stands(call.id).await,
            "what is answered is what is stored"
        );
    }
}

/// A plain request: to a number of its own, from the same number, by the same user, retried as the
/// defaults say.
pub(crate) fn request(number: u32) -> Request {
    Request {
        user_id: user("ann"),
        to: phone(number),
        from: phone(0),
        script: None,
        policy: policy(),
        scheduled_at: None,
        given: None,
    }
}

/// Three attempts, 2, 5 and 10 minutes apart.
pub(crate) fn policy() -> Policy {
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

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).expect("a plain word is a user id")
}

/// A number of a range that is kept free for fiction.
pub(crate) fn phone(number: u32) -> Phone {
    format!("+1555{:07}", number)
        .parse()
        .expect("eleven digits are a number")
}

pub(crate) fn sid(leg: &str) -> Sid {
    Sid::new(leg).expect("a plain word is a leg's name")
}

pub(crate) fn key(key: &str, body: u8) -> Option<Key> {
    Some(Key {
        key: key.to_owned(),
        body: [body; 32],
    })
}

/// A status callback.
pub(crate) fn fact(status: AttemptStatus, sequence: u32) -> Fact {
    Fact {
        sequence: Some(sequence),
        ..Fact::new(Word::Known(status), Source::Callback)
    }
}

pub(crate) fn ringing() -> Fact {
    fact(AttemptStatus::Ringing, 1)
}

pub(crate) fn busy() -> Fact {
    fact(AttemptStatus::Busy, 3)
}

pub(crate) fn completed() -> Fact {
    fact(AttemptStatus::Completed, 3)
}

pub(crate) fn placed(attempt: u32, leg: &str) -> Input {
    Input::Placed {
        attempt,
        sid: sid(leg),
    }
}

pub(crate) fn in_doubt(attempt: u32) -> Input {
    Input::InDoubt {
        attempt,
        why: "the connection was cut".to_owned(),
    }
}

pub(crate) fn not_sent(attempt: u32) -> Input {
    Input::NotSent {
        attempt,
        permit_at: None,
        reason: domain::HoldReason::Carrier,
        message: "come again later".to_owned(),
        retry_after: Some(SECOND),
    }
}

pub(crate) fn refused(attempt: u32) -> Input {
    Input::Refused {
        attempt,
        code: Some(21_211),
        message: "not a number".to_owned(),
    }
}

/// The carrier was asked about an attempt, and answered.
pub(crate) fn asked(attempt: u32, begun_at: Timestamp, answer: Answer) -> Input {
    Input::Asked {
        attempt,
        begun_at,
        answer,
    }
}

/// A listed leg that rings.
pub(crate) fn leg(name: &str, created_at: Timestamp) -> Leg {
    Leg {
        sid: sid(name),
        created_at,
        fact: Fact::new(Word::Known(AttemptStatus::Ringing), Source::LookUp),
    }
}

/// Everything of a user, at most a thousand.
pub(crate) fn all_of(name: &str) -> ListQuery {
    ListQuery {
        user: user(name),
        status: None,
        to: None,
        created_after: None,
        created_before: None,
        limit: 1_000,
        offset: 0,
        after: None,
    }
}

/// Whether the permit for this attempt is out.
pub(crate) fn is_dialling(call: &Call, number: u32) -> bool {
    matches!(call.state, CallState::Dialling { attempt, .. } if attempt == number)
}

/// An attempt that the call has.
pub(crate) fn attempt(call: &Call, number: u32) -> &Attempt {
    call.attempt(number).expect("the call has this attempt")
}
