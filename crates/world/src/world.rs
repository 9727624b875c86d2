//! One world from its beginning to its end: lets time pass from one thing to the next, starts and kills the process,
//! plays the plan, and in the end, when all faults have stopped, waits until every call is over.

mod backing;
mod deeds;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::{Engine, Parts, Settings};
use testkit::clock::START;
use testkit::given;
use tokio::runtime::Runtime;

use backing::Backing;

use crate::bug::Bug;
use crate::callbacks;
use crate::check::{Violation, invariant};
use crate::clients::{self, Heard};
use crate::dice::EngineDice;
use crate::disk::{Disk, look};
use crate::fault::COUNT;
use crate::goal::Goals;
use crate::hub::{Event, Hub};
use crate::line::Watched;
use crate::panics;
use crate::plan::Plan;
use crate::process::Process;

/// Every call must be over this long after the last fault: retries of minutes, silence of at most an hour between two
/// questions, and a clock that was an hour wrong, all within it.
const ENDS_WITHIN: Duration = Duration::from_secs(5 * 3_600);
/// How long the carrier is asked about an attempt without proof, and a little more.
const A_DAY: Duration = Duration::from_secs(25 * 3_600);
/// The longest that a process needs to do what is due once it moves again.
const A_MOMENT: Duration = Duration::from_secs(20);

/// How a world is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A folder for a database of its own; without one the model store is used.
    pub folder: Option<PathBuf>,
    /// The planted bug.
    pub bug: Option<Bug>,
    /// Whether the tale is told.
    pub story: bool,
}

/// What came of a world.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was wrong.
    pub violation: Option<Violation>,
    /// What happened, with its time since the beginning in milliseconds.
    pub story: Vec<(u64, String)>,
    /// Calls whose life was lived.
    pub calls: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// How often each fault struck.
    pub struck: [u64; COUNT],
    /// How often the process died or was stopped.
    pub restarts: u64,
    /// What was reached.
    pub goals: Goals,
    /// How long after the last fault the last call ended, in milliseconds.
    pub slowest_ms: u64,
}

/// Runs one world.
///
/// # Panics
/// When the machine gives no room for a database.
pub fn run(plan: &Arc<Plan>, options: &Options) -> Outcome {
    let hub = Arc::new(Hub::new(plan, options.story));
    let mut world = World {
        dice: Arc::new(EngineDice::new(plan.seed)),
        disk: Backing::new(options.folder.clone()),
        hub,
        plan: Arc::clone(plan),
        bug: options.bug,
        process: None,
        leaving: Vec::new(),
        stop_for: Duration::ZERO,
        restarts: 0,
        calm_ms: None,
    };
    world.go();
    world.outcome()
}

struct World {
    hub: Arc<Hub>,
    plan: Arc<Plan>,
    dice: Arc<EngineDice>,
    disk: Backing,
    bug: Option<Bug>,
    process: Option<Process>,
    /// Clients that will lose their patience.
    leaving: Vec<(u64, tokio::task::AbortHandle)>,
    stop_for: Duration,
    restarts: u64,
    calm_ms: Option<u64>,
}

impl World {
    fn go(&mut self) {
        {
            let mut state = self.hub.lock();
            state.after(Duration::ZERO, Event::Starts);
            clients::enter(&mut state);
            for (at, deed) in &self.plan.deeds {
                state.after(*at, Event::Deed(*deed));
            }
            state.after(self.plan.span, Event::Calms);
        }
        while self.is_sound() && !self.is_over() {
            self.turn();
        }
        if self.is_sound() {
            self.a_day();
        }
        if self.is_sound() {
            let mut state = self.hub.lock();
            let state = &mut *state;
            state.checks.ends(&state.exchange);
        }
    }

    fn is_sound(&self) -> bool {
        self.hub.lock().checks.broken.is_none()
    }

    /// Whether faults have stopped and nothing is left to do; or should be long since.
    fn is_over(&mut self) -> bool {
        let Some(calm_ms) = self.calm_ms else {
            return false;
        };
        let mut state = self.hub.lock();
        let left = state.checks.left();
        if left > 0 && state.now_ms() > calm_ms + crate::hub::whole(ENDS_WITHIN) {
            state.checks.hangs();
        }
        left == 0 && state.is_done()
    }

    /// Runs what can run now; then lets the next thing happen, or time pass.
    fn turn(&mut self) {
        self.settle();
        let due = self.hub.lock().take_due();
        if let Some(event) = due {
            return self.happens(event);
        }
        let mut state = self.hub.lock();
        let now_ms = state.now_ms();
        if state.exchange.next_due().is_some_and(|at| at <= now_ms) {
            for action in state.exchange.advance(now_ms) {
                match action {
                    sim::Action::Callbacks(requests) => {
                        for request in requests {
                            callbacks::send(&mut state, request);
                        }
                    }
                    sim::Action::Document(request) => callbacks::send(&mut state, request),
                }
            }
            return;
        }
        let ahead = |at: u64| Duration::from_millis(at.saturating_sub(now_ms));
        let others = [state.next_at().map(ahead), state.exchange.next_due().map(ahead)];
        drop(state);
        let moves = self.process.as_ref().is_some_and(|process| !process.frozen);
        let own = moves.then(|| self.hub.clock.next_wake()).flatten();
        let next = others.into_iter().chain([own]).flatten().min();
        // Nothing at all is to happen: a process that does nothing any more shows in calls that do not end.
        self.hub.clock.advance(next.unwrap_or(Duration::from_secs(60)));
    }

    /// Lets the process do what it can while the clock stands, and takes what it says.
    fn settle(&mut self) {
        let moving = self.process.as_ref().filter(|process| !process.frozen);
        if let Some(message) = moving.and_then(|process| panics::during(|| process.run())) {
            self.hub.lock().checks.breaks(invariant::PANIC, message);
        }
        loop {
            let heard = self.hub.lock().heard.pop_front();
            match heard {
                None => break,
                Some(Heard::Up) => {
                    if let Some(process) = &mut self.process {
                        process.up = true;
                    }
                }
                Some(Heard::Ended) => self.kill(self.stop_for),
                Some(Heard::Answered(question, answer)) => {
                    clients::answered(&mut self.hub.lock(), question, &answer);
                }
                Some(Heard::Delivered(delivered)) => callbacks::answered(&mut self.hub.lock(), *delivered),
            }
        }
        let dead = self.hub.lock().dead;
        if dead {
            let down = self.hub.lock().millis(10, 20_000);
            self.kill(down);
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Starts => self.start(),
            Event::Calms => self.calm(),
            Event::Deed(deed) => self.does(deed),
            Event::Ends(deed) => self.undoes(deed),
            Event::Asks(question) => {
                let handle = clients::ask(&self.hub, self.process.as_ref(), question);
                self.leaving.extend(handle.map(|handle| (question.id, handle)));
            }
            Event::Leaves(id) => {
                for (_, handle) in self.leaving.iter().filter(|(leaving, _)| *leaving == id) {
                    handle.abort();
                }
            }
            Event::Delivers(delivery) => callbacks::deliver(&self.hub, self.process.as_ref(), *delivery),
            Event::Arrives(arriving) => crate::wire::arrive(&mut self.hub.lock(), *arriving),
            Event::Returns(returning) => returning.arrive(),
        }
    }

    fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        self.hub.lock().tell(|| "the process starts".to_owned());
        self.stop_for = Duration::from_secs(1);
        let store = Arc::new(Disk::new(self.disk.open(), &self.hub, self.bug));
        let engine = Engine::new(Parts {
            store,
            carrier: Arc::new(Watched::new(&self.hub, self.bug)),
            clock: Arc::new(self.hub.clock.clone()),
            dice: Arc::<EngineDice>::clone(&self.dice),
            settings: Settings {
                policy: given::policy(),
                script: given::script(),
                rules: self.plan.rules.clone(),
                rate: self.plan.rate,
                max_live: self.plan.max_live,
            },
        });
        let process = Process::new(engine);
        let (engine, hub) = (process.engine.clone(), Arc::clone(&self.hub));
        process.spawn(async move {
            let heard = match engine.recover().await {
                Ok(()) => {
                    engine.start();
                    Heard::Up
                }
                Err(_) => Heard::Ended,
            };
            hub.lock().heard.push_back(heard);
        });
        self.process = Some(process);
    }

    /// Ends the process, whatever it was doing; it starts again after `down`.
    fn kill(&mut self, down: Duration) {
        let Some(process) = self.process.take() else {
            return;
        };
        self.leaving.clear();
        drop(process);
        self.disk.close();
        self.restarts += 1;
        let mut state = self.hub.lock();
        state.dead = false;
        state.checks.process_dies();
        state.tell(|| "the process is gone".to_owned());
        let down = if state.faults.over { Duration::ZERO } else { down };
        state.after(down, Event::Starts);
    }

    /// Where the carrier has a leg of an attempt without proof: lets the questions of a day be asked. The process
    /// stands still in between, so that the day is short.
    fn a_day(&mut self) {
        let until = self.hub.clock.now() + A_DAY;
        while self.is_sound() && self.hub.clock.now() < until && self.hub.lock().checks.unproven() > 0 {
            let now = self.hub.clock.now();
            let store = self.disk.open();
            let next = self.disk.ask(store.next_check(now)).ok().flatten();
            let Some(next) = next else { return };
            self.hub.clock.advance(next.since(now));
            let moment = self.hub.clock.now() + A_MOMENT;
            while self.is_sound() && self.hub.clock.now() < moment {
                self.turn();
            }
        }
    }

    fn outcome(mut self) -> Outcome {
        // Whatever is still under way ends with the process.
        self.process = None;
        let store = self.disk.open();
        let ids = self.hub.lock().checks.all();
        {
            let _outside = self.disk.runtime.as_ref().map(Runtime::enter);
            for id in &ids {
                look(&*store, &self.hub, *id);
            }
        }
        let mut state = self.hub.lock();
        let state = &mut *state;
        state.checks.read_goals(&mut state.goals);
        let start = u64::try_from(START.millis()).unwrap_or(0);
        let story = state
            .story()
            .into_iter()
            .map(|(at, what)| (at - start, what))
            .collect();
        Outcome {
            violation: state.checks.broken.clone(),
            story,
            calls: ids.len() as u64,
            simulated_ms: state.now_ms() - start,
            struck: state.faults.struck,
            restarts: self.restarts,
            goals: state.goals.clone(),
            slowest_ms: self.calm_ms.map_or(0, |calm_ms| state.checks.slowest(calm_ms)),
        }
    }
}
