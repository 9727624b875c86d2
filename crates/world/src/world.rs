//! One world from its beginning to its end: lets time pass from one thing to the next, starts and kills processes,
//! plays the plan, and in the end, when all faults have stopped, waits until every call is over.

mod backing;
mod copies;
mod deeds;
mod node;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::{CallId, Timestamp};
use testkit::clock::START;
use tokio::runtime::Runtime;

use backing::{Backing, Copied};
use node::Node;

use crate::bug::Bug;
use crate::callbacks;
use crate::check::{Violation, invariant};
use crate::clients::{self, Heard};
use crate::disk::look;
use crate::fault::COUNT;
use crate::goal::Goals;
use crate::hub::{Event, Hub};
use crate::panics;
use crate::plan::Plan;
use crate::process::Process;
use crate::step::Kind;

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
    /// The history, in the same time, of each call that the violation names.
    pub histories: Vec<(CallId, Vec<(u64, String)>)>,
    /// Calls whose life was lived.
    pub calls: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// How often each fault struck.
    pub struck: [u64; COUNT],
    /// How often a process died or was stopped.
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
    let plan = match options.folder {
        // One process has a file for itself.
        Some(_) => &Arc::new(plan.alone()),
        None => plan,
    };
    let hub = Arc::new(Hub::new(plan, options.story));
    let nodes = 0..plan.nodes;
    let mut world = World {
        nodes: nodes.map(|number| Node::new(plan, number)).collect(),
        disk: Backing::new(options.folder.clone(), plan.shared),
        hub,
        plan: Arc::clone(plan),
        bug: options.bug,
        leaving: Vec::new(),
        lives: 0,
        turns: 0,
        copy: None,
        standby: None,
        restarts: 0,
        calm_ms: None,
    };
    world.go();
    world.outcome()
}

struct World {
    hub: Arc<Hub>,
    plan: Arc<Plan>,
    nodes: Vec<Node>,
    disk: Backing,
    bug: Option<Bug>,
    /// Clients that will lose their patience.
    leaving: Vec<(u64, tokio::task::AbortHandle)>,
    /// Lives of processes so far.
    lives: u64,
    turns: usize,
    /// What an operator has copied, and what a standby knows that does not follow any more.
    copy: Option<Copied>,
    standby: Option<Copied>,
    restarts: u64,
    calm_ms: Option<u64>,
}

impl World {
    fn go(&mut self) {
        {
            let mut state = self.hub.lock();
            for node in 0..self.plan.nodes {
                state.after(Duration::ZERO, Event::Starts(node));
            }
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
            self.looks_for_lost_legs();
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
        if (left > 0 || state.checks.is_held()) && state.now_ms() > calm_ms + crate::hub::whole(ENDS_WITHIN) {
            state.checks.hangs();
        }
        left == 0 && state.is_done() && !state.checks.is_held()
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
        let own = self.moving().filter_map(|process| process.life.clock.next_wake());
        let next = others.into_iter().flatten().chain(own).min();
        // Nothing at all is to happen: processes that do nothing any more show in calls that do not end.
        self.advance(next.unwrap_or(Duration::from_secs(60)));
    }

    /// The processes that do not stand still.
    fn moving(&self) -> impl Iterator<Item = &Process> {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        processes.filter(|process| !process.frozen)
    }

    /// Lets time pass, for all.
    fn advance(&self, gap: Duration) {
        self.hub.clock.advance(gap);
        for process in self.nodes.iter().filter_map(|node| node.process.as_ref()) {
            process.life.clock.wake();
        }
    }

    /// Lets every process do what it can while the clock stands, and takes what they say.
    fn settle(&mut self) {
        self.turns += 1;
        loop {
            let before = self.hub.lock().stirred;
            // Nobody is always the first.
            let (late, early) = self.nodes.split_at(self.turns % self.nodes.len());
            for node in early.iter().chain(late) {
                let moving = node.process.as_ref().filter(|process| !process.frozen);
                if let Some(message) = moving.and_then(|process| panics::during(|| process.run())) {
                    self.hub.lock().checks.breaks(invariant::PANIC, message);
                }
            }
            // One may have told another, which has had its turn.
            if self.nodes.len() == 1 || self.hub.lock().stirred == before {
                break;
            }
        }
        self.lets_go();
        self.hear();
        for number in 0..self.nodes.len() {
            let process = self.nodes[number].process.as_ref();
            if process.is_some_and(|process| process.life.is_dead()) {
                let down = self.hub.lock().millis(10, 20_000);
                self.kill(number, down);
            }
        }
    }

    /// What was under way and is not any more is begun again by whoever may.
    fn lets_go(&self) {
        let mut state = self.hub.lock();
        for (_, question) in std::mem::take(&mut state.dropped.questions) {
            clients::dropped(&mut state, question);
        }
        for (_, delivery) in std::mem::take(&mut state.dropped.deliveries) {
            callbacks::repeat(&mut state, *delivery);
        }
    }

    fn hear(&mut self) {
        loop {
            let heard = self.hub.lock().heard.pop_front();
            match heard {
                None => return,
                Some(Heard::Up(life)) => {
                    let processes = self.nodes.iter_mut().filter_map(|node| node.process.as_mut());
                    for process in processes.filter(|process| process.life.who.life == life) {
                        process.up = true;
                    }
                }
                Some(Heard::Ended(life)) => {
                    let is_it = |process: &Process| process.life.who.life == life;
                    let number = self
                        .nodes
                        .iter()
                        .position(|node| node.process.as_ref().is_some_and(is_it));
                    if let Some(number) = number {
                        self.kill(number, self.nodes[number].stop_for);
                    }
                }
                Some(Heard::Answered(question, answer)) => {
                    clients::answered(&mut self.hub.lock(), question, &answer);
                }
                Some(Heard::Delivered(delivered)) => callbacks::answered(&mut self.hub.lock(), *delivered),
            }
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Starts(node) => self.start(node),
            Event::Calms => self.calm(),
            Event::Deed(deed) => self.does(deed),
            Event::Ends(deed) => self.undoes(deed),
            Event::Asks(question) => {
                let handle = clients::ask(&self.hub, self.any(), question);
                self.leaving.extend(handle.map(|handle| (question.id, handle)));
            }
            Event::Leaves(id) => {
                for (_, handle) in self.leaving.iter().filter(|(leaving, _)| *leaving == id) {
                    handle.abort();
                }
            }
            Event::Delivers(delivery) => callbacks::deliver(&self.hub, self.any(), *delivery),
            Event::Arrives(arriving) => crate::wire::arrive(&mut self.hub.lock(), *arriving),
            Event::Returns(returning) => returning.arrive(),
        }
    }

    /// Any of the processes that serve, as a balancer chooses one that answers.
    fn any(&self) -> Option<&Process> {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        let serving: Vec<_> = processes.filter(|process| process.up).collect();
        let last = (serving.len() as u64).checked_sub(1)?;
        let place = match last {
            0 => 0,
            _ => self.hub.lock().dice.between(0, last),
        };
        serving.get(usize::try_from(place).unwrap_or(0)).copied()
    }

    /// Where the carrier has a leg of an attempt without proof: lets the questions of a day be asked. All
    /// stand still in between, so that the day is short.
    fn a_day(&mut self) {
        let until = self.hub.clock.now() + A_DAY;
        while self.is_sound() && self.hub.clock.now() < until && self.hub.lock().checks.unproven() > 0 {
            let now = self.hub.clock.now();
            let store = self.disk.outside();
            let next = self.disk.ask(store.next_check(now)).ok().flatten();
            let Some(next) = next else { return };
            self.advance(next.since(now));
            let moment = self.hub.clock.now() + A_MOMENT;
            // What was brought to light may live again.
            while self.is_sound() && (self.hub.clock.now() < moment || self.lives_on(until)) {
                self.turn();
            }
        }
    }

    /// Whether a call is not over yet, which must not be so after `until`.
    fn lives_on(&self, until: Timestamp) -> bool {
        let mut state = self.hub.lock();
        let lives = state.checks.left() > 0;
        if lives && self.hub.clock.now() >= until {
            state.checks.hangs();
        }
        lives
    }

    fn outcome(mut self) -> Outcome {
        // Whatever is still under way ends with the processes.
        self.nodes.clear();
        let store = self.disk.outside();
        let ids = self.hub.lock().checks.all();
        {
            let _outside = self.disk.runtime.as_ref().map(Runtime::enter);
            for id in &ids {
                look(&*store, &self.hub, *id, Kind::Other);
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
        let histories = state.checks.histories(start);
        Outcome {
            violation: state.checks.broken.clone(),
            story,
            histories,
            calls: ids.len() as u64,
            simulated_ms: state.now_ms() - start,
            struck: state.faults.struck,
            restarts: self.restarts,
            goals: state.goals.clone(),
            slowest_ms: self.calm_ms.map_or(0, |calm_ms| state.checks.slowest(calm_ms)),
        }
    }
}
