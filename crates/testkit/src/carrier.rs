//! A carrier that does as it is told. Without orders it places every dial and answers every question
//! by what it knows of its legs. It honours the gate, remembers every leg that it made, and writes
//! every request into the journal.

mod legs;
mod orders;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use carrier::{
    AskError, Carrier, DialCommand, Gate, Line, NotSent, Placement, Reply, Report, ScriptFault, Unreachable,
    Webhook, WebhookError,
};
use domain::{AttemptStatus, CallId, Fact, Leg, Listed, Phone, Script, Sid, Source, Timestamp, Word};

use crate::clock::ManualClock;
use crate::journal::{Entry, Journal};
use crate::process::Process;

pub use legs::MadeLeg;
pub use orders::{Order, Release};

use legs::Legs;
use orders::Orders;

/// The account that it dials on.
pub const ACCOUNT: &str = "AC1";

/// The carrier. Clones are one carrier, each as its process sees it.
#[derive(Clone)]
pub struct FakeCarrier {
    shared: Arc<Shared>,
    process: Process,
    /// This process alone cannot reach it.
    cut_off: Arc<AtomicBool>,
}

struct Shared {
    clock: ManualClock,
    journal: Journal,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    orders: Orders,
    legs: Legs,
    unreachable: bool,
    refuses_account: Option<String>,
    silent: bool,
    /// By how many milliseconds its clock differs from the true time.
    wrong_by: i64,
    cannot_call_back: bool,
}

impl FakeCarrier {
    pub(crate) fn new(clock: ManualClock, journal: Journal, process: Process) -> FakeCarrier {
        let shared = Shared {
            clock,
            journal,
            state: Mutex::default(),
        };
        FakeCarrier {
            shared: Arc::new(shared),
            process,
            cut_off: Arc::default(),
        }
    }

    pub(crate) fn seen_by(&self, process: Process) -> FakeCarrier {
        FakeCarrier {
            shared: Arc::clone(&self.shared),
            process,
            cut_off: Arc::default(),
        }
    }

    /// What becomes of the next dial that nobody gave an order for yet.
    pub fn next(&self, order: Order) {
        self.lock().orders.push(order);
    }

    /// The next connection does not come about before it is released.
    pub fn next_connection_is_held(&self) -> Release {
        self.lock().orders.hold_connection()
    }

    /// The next request is held before its gate is asked, until it is released.
    pub fn next_is_held_before_the_gate(&self) -> Release {
        let (order, release) = Order::held_before_the_gate();
        self.next(order);
        release
    }

    /// The next dial is made, and its answer held until it is released.
    pub fn next_answer_is_held(&self) -> Release {
        let (order, release) = Order::held_answer();
        self.next(order);
        release
    }

    /// No connection comes about any more, or they do again.
    pub fn is_unreachable(&self, unreachable: bool) {
        self.lock().unreachable = unreachable;
    }

    /// No connection of this process comes about any more, or they do again; others reach it.
    pub fn is_cut_off(&self, cut_off: bool) {
        self.cut_off.store(cut_off, Ordering::SeqCst);
    }

    /// Whether this process can reach it.
    fn is_reached(&self) -> bool {
        !self.lock().unreachable && !self.cut_off.load(Ordering::SeqCst)
    }

    /// The account is refused for this reason, or taken again.
    pub fn refuses_the_account(&self, why: Option<&str>) {
        self.lock().refuses_account = why.map(str::to_owned);
    }

    /// No question is answered any more, or they are again; dials are not touched by it.
    pub fn is_silent(&self, silent: bool) {
        self.lock().silent = silent;
    }

    /// Its clock differs from the true time by `millis`.
    pub fn clock_is_wrong_by(&self, millis: i64) {
        self.lock().wrong_by = millis;
    }

    /// No callback of it can reach anybody.
    pub fn cannot_call_back(&self) {
        self.lock().cannot_call_back = true;
    }

    /// Every leg that it made, in order.
    pub fn legs(&self) -> Vec<MadeLeg> {
        self.lock().legs.all()
    }

    /// The leg that it made for this attempt.
    ///
    /// # Panics
    /// When it made none, or more than one.
    pub fn leg_of(&self, call: CallId, attempt: u32) -> MadeLeg {
        let mut legs = self.legs();
        legs.retain(|leg| leg.call == Some((call, attempt)));
        assert_eq!(legs.len(), 1, "one leg of attempt {attempt}: {legs:?}");
        legs.remove(0)
    }

    /// A leg that nobody asked for, between the same numbers as `dial`'s: another program's, or the
    /// carrier's own mistake.
    pub fn makes_a_leg_by_itself(&self, from: &Phone, to: &Phone) -> Sid {
        let at = self.time();
        self.lock().legs.make(None, from, to, at)
    }

    /// The leg stands so from now on, by the carrier's own books. Tells nobody.
    pub fn leg_is(&self, sid: &Sid, status: AttemptStatus) {
        self.lock().legs.set(sid, status);
    }

    /// Its clock, in whole seconds as it shows it.
    fn time(&self) -> Timestamp {
        let millis = self.shared.clock.now().millis() + self.lock().wrong_by;
        Timestamp::from_millis(millis - millis.rem_euclid(1_000))
    }

    fn dated<T>(&self, outcome: T) -> Reply<T> {
        Reply {
            outcome,
            date: Some(self.time()),
        }
    }

    /// Whether a question is answered at all.
    async fn asked<T>(
        &self,
        entry: Entry,
        answer: impl FnOnce(&mut State) -> T,
    ) -> Reply<Result<T, AskError>> {
        self.process.alive().await;
        self.note(entry);
        let is_reached = self.is_reached();
        let outcome = {
            let mut state = self.lock();
            if state.silent || !is_reached {
                return Reply::undated(Err(AskError::Unanswered("it is silent".to_owned())));
            }
            match &state.refuses_account {
                Some(why) => Err(AskError::Account(why.clone())),
                None => Ok(answer(&mut state)),
            }
        };
        self.dated(outcome)
    }

    fn note(&self, entry: Entry) {
        self.shared.journal.note(self.shared.clock.now(), entry);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("nobody panics while holding the carrier")
    }
}

#[async_trait]
impl Carrier for FakeCarrier {
    fn account(&self) -> &str {
        ACCOUNT
    }

    async fn connect(&self, _within: Duration) -> Result<Box<dyn Line>, Unreachable> {
        self.process.alive().await;
        let held = self.lock().orders.next_connection();
        if let Some(held) = held {
            held.released().await;
        }
        let open = self.is_reached();
        self.note(Entry::Connected { open });
        match open {
            true => Ok(Box::new(FakeLine {
                carrier: self.clone(),
            })),
            false => Err(Unreachable("connection refused".to_owned())),
        }
    }

    async fn hang_up(&self, sid: &Sid) -> Reply<Result<(), AskError>> {
        self.asked(Entry::HungUp(sid.clone()), |state| state.legs.hang_up(sid))
            .await
    }

    async fn look_up(&self, sid: &Sid) -> Reply<Result<Option<Fact>, AskError>> {
        self.asked(Entry::LookedUp(sid.clone()), |state| state.legs.look_up(sid))
            .await
    }

    async fn find(
        &self,
        from: &Phone,
        to: &Phone,
        not_before: Timestamp,
    ) -> Reply<Result<Vec<Leg>, AskError>> {
        self.asked(Entry::Listed(to.clone()), |state| {
            state.legs.find(from, to, not_before)
        })
        .await
    }

    async fn made_since(&self, not_before: Timestamp) -> Reply<Result<Vec<Listed>, AskError>> {
        self.asked(Entry::ListedAll, |state| state.legs.since(not_before))
            .await
    }

    async fn ping(&self) -> Reply<Result<(), AskError>> {
        self.asked(Entry::Pinged, |_| ()).await
    }

    fn read_webhook(&self, webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
        told(webhook)
    }

    fn answer(&self, script: Option<&Script>) -> String {
        script.map_or_else(|| "hangs up".to_owned(), |script| format!("says {script:?}"))
    }

    fn check(&self, _script: &Script) -> Result<(), ScriptFault> {
        Ok(())
    }

    fn calls_back(&self) -> bool {
        !self.lock().cannot_call_back
    }
}

/// A connection to it.
struct FakeLine {
    carrier: FakeCarrier,
}

#[async_trait]
impl Line for FakeLine {
    async fn place(self: Box<Self>, dial: &DialCommand, gate: &dyn Gate) -> Reply<Placement> {
        let carrier = &self.carrier;
        carrier.process.alive().await;
        let order = carrier.lock().orders.next_dial();
        if let Order::HeldBeforeTheGate(held) = &order {
            held.released().await;
            carrier.process.alive().await;
        }
        if !gate.is_open() {
            carrier.note(Entry::Withheld(dial.call, dial.attempt));
            return Reply::undated(Placement::NotSent(NotSent::Gate));
        }
        carrier.note(Entry::Sent(dial.call, dial.attempt));
        let refused_for = carrier.lock().refuses_account.clone();
        if let Some(why) = refused_for {
            let refused = Placement::AccountRefused {
                code: Some(20_003),
                message: why,
            };
            return carrier.dated(refused);
        }
        let made = |carrier: &FakeCarrier| {
            let at = carrier.time();
            carrier
                .lock()
                .legs
                .make(Some((dial.call, dial.attempt)), &dial.from, &dial.to, at)
        };
        let lost = || Placement::InDoubt {
            why: "the connection was cut after the last byte".to_owned(),
        };
        let outcome = match order {
            Order::Place | Order::HeldBeforeTheGate(_) => Placement::Placed(made(carrier)),
            Order::HeldAnswer(held) => {
                let sid = made(carrier);
                held.released().await;
                carrier.process.alive().await;
                Placement::Placed(sid)
            }
            Order::LoseTheAnswer => {
                made(carrier);
                return Reply::undated(lost());
            }
            Order::LoseTheRequest => return Reply::undated(lost()),
            Order::Panic => panic!("the line panics, as it was told to"),
            Order::Say(placement) => placement,
        };
        carrier.dated(outcome)
    }
}

/// Reads what [`crate::world::World::hears`] writes: the leg, the word and the sequence number, one to
/// a line; the path names call and attempt.
fn told(webhook: &Webhook<'_>) -> Result<Report, WebhookError> {
    let malformed = |field| WebhookError::Malformed {
        field,
        problem: "missing",
    };
    let text = std::str::from_utf8(webhook.body).map_err(|_| malformed("body"))?;
    let mut lines = text.lines();
    if lines.next() != Some("truly yours") {
        return Err(WebhookError::Forged("not from the carrier"));
    }
    let sid = lines.next().and_then(Sid::new).ok_or(malformed("sid"))?;
    let word = lines.next().ok_or(malformed("word"))?;
    let known = AttemptStatus::ALL
        .into_iter()
        .find(|status| status.word() == word);
    let sequence = lines.next().and_then(|number| number.parse().ok());
    let word = known.map_or_else(|| Word::Other(word.into()), Word::Known);
    let mut named = webhook.path_and_query.trim_start_matches('/').split('/');
    let named = match (named.next().map(str::parse), named.next().map(str::parse)) {
        (Some(Ok(call)), Some(Ok(attempt))) => Some((call, attempt)),
        _ => None,
    };
    let fact = Fact {
        sequence,
        ..Fact::new(word, Source::Callback)
    };
    Ok(Report { sid, named, fact })
}
