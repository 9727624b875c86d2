//! What all parts of one world share: the time, the carrier's exchange, what is still to happen, what has been told.
//! One lock, never held across a wait; everything runs on one thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::CallId;
use sim::{Exchange, Options};

use crate::callbacks::Delivery;
use crate::check::Checks;
use crate::clients::{Heard, Question};
use crate::clock::Time;
use crate::dice::Dice;
use crate::fault::{Fault, Faults, KINDS};
use crate::goal::Goals;
use crate::plan::{Deed, Plan};
use crate::wire::{Arriving, Returning};

/// The account that is dialled on.
pub const ACCOUNT: &str = "AC0000000000000000000000000000w0r1d";
/// Its token.
pub const TOKEN: &str = "an-invented-token";
/// Where the carrier calls back.
pub const PUBLIC: &str = "https://calls.example.com";

/// Something that happens at a moment that is known.
pub enum Event {
    /// A client asks for something.
    Asks(Question),
    /// The client of a question goes away.
    Leaves(u64),
    /// A deed of the plan.
    Deed(Deed),
    /// What a deed did ends.
    Ends(Deed),
    /// The process of a node is started.
    Starts(usize),
    /// All faults stop.
    Calms,
    /// A request reaches the carrier.
    Arrives(Box<Arriving>),
    /// An answer reaches whoever sent the request.
    Returns(Box<Returning>),
    /// A request of the carrier's reaches the server.
    Delivers(Box<Delivery>),
}

/// What all parts share.
pub struct Hub {
    /// The true time.
    pub clock: Arc<Time>,
    state: Mutex<State>,
}

/// Everything that changes.
pub struct State {
    /// What was drawn.
    pub plan: Arc<Plan>,
    /// What goes wrong.
    pub faults: Faults,
    /// Chance for everything that takes its time.
    pub dice: Dice,
    /// The carrier.
    pub exchange: Exchange,
    /// What is still to happen.
    agenda: BTreeMap<(u64, u64), Event>,
    entered: u64,
    /// The invariants.
    pub checks: Checks,
    /// What was reached.
    pub goals: Goals,
    /// The tale, where one is wanted.
    story: Option<Vec<(u64, String)>>,
    /// By how many milliseconds the store's clock is wrong, as each node reads it.
    pub wrong_by: Vec<i64>,
    /// The carrier cannot be reached.
    pub outage: bool,
    /// The dial whose request is about to be handed to the wire.
    pub dialling: Option<(CallId, u32)>,
    /// From when on a leg is on the carrier's list.
    pub hidden: BTreeMap<String, u64>,
    /// What the server has answered since somebody looked.
    pub heard: VecDeque<Heard>,
    /// Questions that are not answered yet.
    pub asked: u64,
    /// Of these, an operator's wishes that dialling goes on.
    pub resuming: u64,
    /// When the last of those was answered, or came to nothing.
    pub resumed_ms: u64,
    /// At which node each call of the plan is being asked for.
    pub asking: BTreeMap<usize, usize>,
    /// What was under way in processes that died.
    pub dropped: Dropped,
    /// Idempotency keys that a wrong store keeps too late.
    pub late_keys: BTreeMap<String, ([u8; 32], CallId)>,
    /// How often one node has done something that others are told of.
    pub stirred: u64,
    /// The last wish of an operator.
    pub switched: u64,
    now_ms: u64,
}

/// What nobody will answer any more, in the order in which it was begun: a process that dies lets go of it in no order,
/// and the world goes on the same every time.
#[derive(Default)]
pub struct Dropped {
    /// What clients have asked, by its number and how often it was asked before.
    pub questions: BTreeMap<(u64, u32), Question>,
    /// What the carrier has sent, by its number.
    pub deliveries: BTreeMap<u64, Box<Delivery>>,
    /// Deliveries so far.
    pub delivered: u64,
}

impl Hub {
    /// The beginning of a world.
    pub fn new(plan: &Arc<Plan>, with_story: bool) -> Hub {
        let clock = Arc::<Time>::default();
        let exchange = Exchange::new(Options {
            account_sid: ACCOUNT.to_owned(),
            auth_token: TOKEN.to_owned(),
            speed: 1.0,
            seed: plan.seed,
            answer_rate: plan.answer_rate,
            cps: plan.carrier_cps,
        });
        let state = State {
            faults: Faults::new(plan.seed, plan.faults, plan.most_faults),
            dice: Dice::new(plan.seed, 2),
            exchange,
            agenda: BTreeMap::new(),
            entered: 0,
            checks: Checks::new(plan),
            goals: Goals::default(),
            story: with_story.then(Vec::new),
            wrong_by: vec![0; plan.nodes],
            outage: false,
            dialling: None,
            hidden: BTreeMap::new(),
            heard: VecDeque::new(),
            asked: 0,
            resuming: 0,
            resumed_ms: 0,
            asking: BTreeMap::new(),
            dropped: Dropped::default(),
            late_keys: BTreeMap::new(),
            stirred: 0,
            // Told from the clients' questions by its size.
            switched: 1 << 32,
            now_ms: millis(&clock),
            plan: Arc::clone(plan),
        };
        Hub {
            clock,
            state: Mutex::new(state),
        }
    }

    /// Everything that changes, brought to the present.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now_ms = millis(&self.clock);
        state
    }
}

impl State {
    /// The true time, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Enters something to happen after `gap`.
    pub fn after(&mut self, gap: Duration, event: Event) {
        let at = self.now_ms + whole(gap);
        self.entered += 1;
        self.agenda.insert((at, self.entered), event);
    }

    /// Whether nothing is left to happen.
    pub fn is_done(&self) -> bool {
        self.agenda.is_empty() && self.asked == 0 && self.exchange.next_due().is_none()
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<u64> {
        self.agenda.first_key_value().map(|((at, _), _)| *at)
    }

    /// What happens now.
    pub fn take_due(&mut self) -> Option<Event> {
        let entry = self.agenda.first_entry()?;
        (entry.key().0 <= self.now_ms).then(|| entry.remove())
    }

    /// Adds to the tale, if one is told.
    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push((self.now_ms, what()));
        }
    }

    /// The tale so far.
    pub fn story(&mut self) -> Vec<(u64, String)> {
        self.story.take().unwrap_or_default()
    }

    /// Whether this goes wrong now; told if it does.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let strikes = self.faults.strikes(fault);
        if strikes {
            self.tell(|| format!("fault: {}", name(fault)));
        }
        strikes
    }

    /// The first of these that goes wrong now; told if one does.
    pub fn first(&mut self, faults: &[Fault]) -> Option<Fault> {
        faults.iter().copied().find(|fault| self.strikes(*fault))
    }

    /// A gap of so many milliseconds, both ends included.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        self.dice.millis(low, high)
    }
}

/// The name of a kind of fault.
pub fn name(fault: Fault) -> &'static str {
    KINDS[fault as usize].1
}

/// Whole milliseconds, rounded up.
pub fn whole(gap: Duration) -> u64 {
    u64::try_from(gap.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

fn millis(clock: &Time) -> u64 {
    u64::try_from(clock.now().millis()).unwrap_or(0)
}
