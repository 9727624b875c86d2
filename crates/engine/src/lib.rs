//! Does what the domain decided. Takes requests, cancels and the carrier's facts in; wakes what is
//! due; dials; asks about what is silent. Knows the store and the carrier only by their traits, and
//! time and chance only by its own.
//!
//! Each kind of work is a *pass*: a plain method that does what there is to do now and says when to
//! come back. `runner.rs` is the only loop.

mod callbacks;
pub mod clock;
pub mod crash;
pub mod dice;
mod dispatcher;
mod error;
mod front;
mod gate;
mod intake;
mod lifecycle;
mod metrics;
mod outcomes;
pub mod pace;
mod reconciler;
mod restored;
mod round;
mod runner;
mod scheduler;
mod time;
mod together;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use callbacks::Autopsies;
use carrier::Carrier;
use clock::Clock;
use dice::Dice;
use domain::{Call, CallId, Policy, Rate, Rules, Script, Timestamp};
use front::Front;
use gate::Gate;
use metrics::Metrics;
use outcomes::Outcomes;
use pace::{Pace, Stock};
use restored::Restored;
use runner::Alarm;
use store::{At, Store};
use time::Time;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use callbacks::Heard;
pub use error::EngineError;
pub use intake::{Canceled, Readiness, Taken};
pub use round::Round;

/// Changes that a listener may be behind before it misses some.
const FEED: usize = 4_096;

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often, how soon and for how long, where a call does not say.
    pub policy: Policy,
    /// What is said, where a call does not say.
    pub script: Script,
    /// The rules of a step.
    pub rules: Rules,
    /// Dials a second, and how many at once before that binds.
    pub rate: Rate,
    /// Most calls live at once.
    pub max_live: Option<u32>,
}

/// The engine. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// What an engine is made of.
pub struct Parts {
    /// Where calls are remembered.
    pub store: Arc<dyn Store>,
    /// Who dials.
    pub carrier: Arc<dyn Carrier>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub dice: Arc<dyn Dice>,
    /// The operator's decisions.
    pub settings: Settings,
}

struct Inner {
    store: Arc<dyn Store>,
    carrier: Arc<dyn Carrier>,
    dice: Arc<dyn Dice>,
    settings: Settings,
    rules: Arc<Rules>,
    time: Time,
    pace: Pace,
    /// Slots of the pace that is kept together with other processes.
    stock: Stock,
    gate: Gate,
    front: Front,
    outcomes: Outcomes,
    metrics: Metrics,
    autopsies: Autopsies,
    /// Whether the store may be missing dials, and how far that is made good.
    restored: Restored,
    /// Wakes the scheduler.
    dial_alarm: Alarm,
    /// Wakes the reconciler.
    check_alarm: Alarm,
    /// Wakes the loop that watches, which nobody needs to.
    watch_alarm: Alarm,
    /// Wakes the loop that makes good what a copy does not know.
    restored_alarm: Alarm,
    /// Calls whose dial is being made, so that no pass takes one twice.
    dialling: InHand,
    /// Calls about which the carrier is being asked.
    checking: InHand,
    /// Tells whoever listens of every change.
    feed: broadcast::Sender<Arc<Call>>,
    /// When this engine began.
    started_at: Mutex<Option<Timestamp>>,
    /// Held while the store and the gate are brought to agree about a pause.
    switching: tokio::sync::Mutex<()>,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// Puts an engine together. Nothing moves before [`Engine::start`] or a pass.
    pub fn new(parts: Parts) -> Engine {
        let inner = Inner {
            store: parts.store,
            carrier: parts.carrier,
            dice: parts.dice,
            rules: Arc::new(parts.settings.rules.clone()),
            time: Time::new(parts.clock),
            pace: Pace::new(parts.settings.rate),
            stock: Stock::default(),
            settings: parts.settings,
            gate: Gate::default(),
            front: Front::default(),
            outcomes: Outcomes::default(),
            metrics: Metrics::default(),
            autopsies: Autopsies::default(),
            restored: Restored::default(),
            dial_alarm: Alarm::default(),
            check_alarm: Alarm::default(),
            watch_alarm: Alarm::default(),
            restored_alarm: Alarm::default(),
            dialling: InHand::default(),
            checking: InHand::default(),
            feed: broadcast::Sender::new(FEED),
            started_at: Mutex::new(None),
            switching: tokio::sync::Mutex::new(()),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Engine {
            inner: Arc::new(inner),
        }
    }

    /// The operator's decisions.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The carrier, for checking what it would be given.
    pub fn carrier(&self) -> &dyn Carrier {
        &*self.inner.carrier
    }

    /// Every call of this process that changes from now on, as it stands then. A listener that falls
    /// far behind misses some.
    pub fn feed(&self) -> broadcast::Receiver<Arc<Call>> {
        self.inner.feed.subscribe()
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.inner.time.now()
    }

    /// How many dials and questions to the carrier are under way.
    pub fn under_way(&self) -> usize {
        self.inner.dialling.count() + self.inner.checking.count()
    }
}

impl Inner {
    /// When this engine began; `None` before its first reading of the clock.
    fn started_at(&self) -> Option<Timestamp> {
        *self.started_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outside of the next step.
    fn at(&self) -> At {
        At {
            now: self.time.now(),
            dice: self.dice.throw(),
            rules: Arc::clone(&self.rules),
        }
    }

    /// A call has changed: whoever waits for it is told, and the loops wake if it needs them sooner
    /// than they meant to look.
    fn changed(&self, call: &Call) {
        self.metrics.follow(call);
        self.outcomes.tell(call);
        if self.feed.receiver_count() > 0 {
            // Nobody left to tell is no failure.
            let _ = self.feed.send(Arc::new(call.clone()));
        }
        if let Some(at) = call.due_at() {
            if at > self.time.now() {
                self.front.due_at(at);
            }
            self.dial_alarm.no_later_than(at);
        }
        if let Some(at) = call.check_at() {
            self.check_alarm.no_later_than(at);
        }
    }
}

/// Calls that some task of this process has in hand.
#[derive(Debug, Clone, Default)]
struct InHand(Arc<Mutex<HashSet<CallId>>>);

/// Keeps a call in hand until dropped.
struct Held(InHand, CallId);

impl InHand {
    /// `None` when another task has it.
    fn take(&self, id: CallId) -> Option<Held> {
        self.lock().insert(id).then(|| Held(self.clone(), id))
    }

    fn has(&self, id: CallId) -> bool {
        self.lock().contains(&id)
    }

    fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<CallId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

// What callers of the engine hand in and get back, so that they need not know the seams themselves.
pub use carrier::{ScriptFault, Webhook, WebhookError, WebhookKind};
pub use store::{Cursor, Dialling, Key, ListQuery, ListRow, Page, Record, StoreError, Total};
