//! An engine in a world of its own: model store, fake carrier, manual clock, loaded dice. Time moves
//! only when a test moves it, and everything runs on the test's one thread, so that each run of a
//! test is the same.

use std::sync::Arc;
use std::time::Duration;

use domain::Rate;
use domain::{AttemptStatus, Call, CallId, Event, EventKind, Hold, Sid, Timestamp};
use engine::dice::Dice as _;
use engine::{Engine, Heard, Key, Parts, Settings, Taken, Webhook, WebhookKind};
use store::Store;
use tokio::task::JoinHandle;

use crate::carrier::FakeCarrier;
use crate::clock::ManualClock;
use crate::dice::LoadedDice;
use crate::given::{Given, ann, policy, rules, script};
use crate::journal::{Entry, Journal};
use crate::process::Process;
use crate::store::TroubledStore;

/// No chain of wake-ups between engine, store and carrier is longer than this many turns.
const TURNS: usize = 40;

/// The world.
pub struct World {
    /// The clock that everything goes by.
    pub clock: ManualClock,
    /// The engine's dice: every throw is zero unless they are loaded.
    pub dice: Arc<LoadedDice>,
    /// The carrier.
    pub carrier: FakeCarrier,
    /// The store.
    pub store: TroubledStore,
    /// What happened, in order.
    pub journal: Journal,
    /// The engine.
    pub engine: Engine,
    settings: Settings,
    process: Process,
}

/// The settings that tests go by unless they say otherwise: the defaults, at a pace that does not bind.
pub fn settings() -> Settings {
    Settings {
        policy: policy(),
        script: script(),
        rules: rules(),
        rate: Rate {
            per_second: 1_000.0,
            burst: 1_000,
        },
        max_live: None,
    }
}

impl World {
    /// A world whose engine has been started by hand: it has recovered and made its first turns, and
    /// makes no further one by itself.
    pub async fn new() -> World {
        World::with(|_| ()).await
    }

    /// The same, with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> World {
        let world = World::unborn(change);
        world.begin().await;
        world
    }

    /// A world whose engine has not even recovered.
    pub fn unborn(change: impl FnOnce(&mut Settings)) -> World {
        let mut settings = settings();
        change(&mut settings);
        let (clock, journal, process) = (ManualClock::new(), Journal::default(), Process::default());
        let store = TroubledStore::new(clock.clone(), journal.clone(), process.clone());
        let carrier = FakeCarrier::new(clock.clone(), journal.clone(), process.clone());
        let dice = Arc::new(LoadedDice::default());
        let engine = engine(&store, &carrier, &clock, &dice, &settings);
        World {
            clock,
            dice,
            carrier,
            store,
            journal,
            engine,
            settings,
            process,
        }
    }

    /// Two processes that dial together, on one store and one carrier. Both have begun.
    ///
    /// # Panics
    /// When the store fails.
    pub async fn two() -> [World; 2] {
        let unborn = World::unborn(|_| ());
        let both = [(); 2].map(|()| unborn.another(TroubledStore::seen_beside));
        unborn.process.kill();
        for world in &both {
            world.begin().await;
        }
        both
    }

    /// Another process, to which the same store looks like this, on the same carrier.
    fn another(&self, looks: impl FnOnce(&TroubledStore, Process) -> TroubledStore) -> World {
        let process = Process::default();
        let store = looks(&self.store, process.clone());
        let carrier = self.carrier.seen_by(process.clone());
        let engine = engine(&store, &carrier, &self.clock, &self.dice, &self.settings);
        World {
            clock: self.clock.clone(),
            dice: Arc::clone(&self.dice),
            carrier,
            store,
            journal: self.journal.clone(),
            engine,
            settings: self.settings.clone(),
            process,
        }
    }

    /// Recovers and makes the first turn of every loop, as a server does at its start.
    ///
    /// # Panics
    /// When the store fails.
    pub async fn begin(&self) {
        self.engine.recover().await.expect("the store answers");
        self.turn().await;
    }

    /// Kills the process and starts another on the same store and carrier; it has not recovered yet.
    pub fn restarted(self) -> World {
        self.process.kill();
        self.another(TroubledStore::seen_by)
    }

    /// Lets every task run as far as it can while the clock stands.
    pub async fn settle(&self) {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }

    /// One turn of every loop by hand, and all that it starts, as far as it goes while the clock
    /// stands.
    ///
    /// # Panics
    /// When the store fails.
    pub async fn turn(&self) {
        self.engine.watch_pass().await.expect("the store answers");
        self.settle().await;
        self.engine.check_pass().await.expect("the store answers");
        self.settle().await;
        self.engine.dial_pass().await.expect("the store answers");
        self.settle().await;
    }

    /// Moves the clock on, stopping wherever somebody who waits is to be woken: so the loops of an
    /// engine that was started run as they would. Without loops, whoever waits goes on.
    pub async fn pass(&self, gap: Duration) {
        let until = self.clock.now() + gap;
        self.settle().await;
        while let Some(next) = self
            .clock
            .next_wake()
            .filter(|next| self.clock.now() + *next <= until)
        {
            self.clock.advance(next);
            self.settle().await;
        }
        self.clock.advance(until.since(self.clock.now()));
        self.settle().await;
    }

    /// Moves the clock on in steps, with a turn of every loop by hand after each.
    pub async fn turns(&self, steps: u32, step: Duration) {
        for _ in 0..steps {
            self.pass(step).await;
            self.turn().await;
        }
    }

    /// Asks for a call, as a client does; the answer is there when the task has ended.
    pub fn ask(&self, given: Given, key: Option<Key>) -> JoinHandle<Taken> {
        let engine = self.engine.clone();
        tokio::spawn(async move {
            engine
                .request(given.request, key)
                .await
                .expect("the store answers")
        })
    }

    /// Asks for a call and waits for the answer, however long the engine takes.
    ///
    /// # Panics
    /// When it is not answered within the time that a client is promised.
    pub async fn call(&self, given: Given) -> Call {
        let answer = self.ask(given, None);
        self.answered(answer).await
    }

    /// Waits for an answer, for as long as a client is promised at most.
    ///
    /// # Panics
    /// When it does not come, or the key is another's.
    pub async fn answered(&self, answer: JoinHandle<Taken>) -> Call {
        self.settle().await;
        let until = self.clock.now() + Duration::from_secs(10);
        while !answer.is_finished() {
            let next = self
                .clock
                .next_wake()
                .expect("somebody who waits for the clock can still answer");
            assert!(
                self.clock.now() + next <= until,
                "not answered within ten seconds"
            );
            self.clock.advance(next);
            self.settle().await;
        }
        match answer.await.expect("a request does not panic") {
            Taken::Call(call) => Arc::unwrap_or_clone(call),
            Taken::KeyTaken => panic!("the key is another's"),
        }
    }

    /// Puts a call with a past into the store, accepted at `accepted_at`.
    pub async fn given(&self, given: Given, accepted_at: Timestamp) -> Call {
        let id = CallId::new(accepted_at, self.dice.id_bits());
        given.put(&self.store, id, accepted_at).await.0
    }

    /// The carrier calls back about an attempt, whose leg then stands so in its books too.
    ///
    /// # Panics
    /// When the callback is not taken.
    pub async fn hears(&self, call: CallId, attempt: u32, status: AttemptStatus) {
        let sid = self.carrier.leg_of(call, attempt).sid;
        self.carrier.leg_is(&sid, status);
        self.hears_of(Some((call, attempt)), &sid, status.word(), None)
            .await;
    }

    /// A callback about a leg, as it stands in its lines.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn hears_of(&self, named: Option<(CallId, u32)>, sid: &Sid, word: &str, sequence: Option<u32>) {
        let path = named.map_or_else(|| "/".to_owned(), |(call, attempt)| format!("/{call}/{attempt}"));
        let sequence = sequence.map_or_else(String::new, |number| number.to_string());
        let body = format!("truly yours\n{sid}\n{word}\n{sequence}");
        let webhook = Webhook {
            kind: WebhookKind::Status,
            path_and_query: &path,
            headers: &http::HeaderMap::new(),
            body: body.as_bytes(),
        };
        let heard = self.engine.callback(&webhook).await.expect("the store answers");
        assert!(matches!(heard, Heard::Taken(())), "taken: {heard:?}");
        self.settle().await;
    }

    /// The call as it stands.
    ///
    /// # Panics
    /// When there is none.
    pub async fn stands(&self, id: CallId) -> Call {
        self.store
            .call(id)
            .await
            .expect("the store answers")
            .expect("the call is there")
    }

    /// Everything that happened to the call.
    ///
    /// # Panics
    /// When there is none.
    pub async fn history(&self, id: CallId) -> Vec<Event> {
        let record = self.engine.record(&ann(), id).await.expect("the store answers");
        record.expect("the call is there").events
    }

    /// What held the call's dials back, by its history.
    pub async fn holds(&self, id: CallId) -> Vec<Hold> {
        let held = |event: Event| match event.kind {
            EventKind::Held(hold) => Some(hold),
            _ => None,
        };
        self.history(id).await.into_iter().filter_map(held).collect()
    }

    /// When requests for this call have left, in order.
    pub fn sent(&self, id: CallId) -> Vec<Timestamp> {
        self.journal
            .times(|entry| matches!(entry, Entry::Sent(call, _) if *call == id))
    }

    /// How many requests for calls have left.
    pub fn all_sent(&self) -> usize {
        self.journal.times(|entry| matches!(entry, Entry::Sent(..))).len()
    }
}

fn engine(
    store: &TroubledStore,
    carrier: &FakeCarrier,
    clock: &ManualClock,
    dice: &Arc<LoadedDice>,
    settings: &Settings,
) -> Engine {
    Engine::new(Parts {
        store: Arc::new(store.clone()),
        carrier: Arc::new(carrier.clone()),
        clock: Arc::new(clock.clone()),
        dice: Arc::<LoadedDice>::clone(dice),
        settings: settings.clone(),
    })
}
