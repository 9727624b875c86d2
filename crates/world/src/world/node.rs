//! A node: a machine with its clock, its dice and its settings, and the process that runs on it, or does not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Engine, Parts, Settings};
use testkit::given;

use super::World;
use crate::clients::Heard;
use crate::clock::MachineClock;
use crate::dice::EngineDice;
use crate::disk::Disk;
use crate::hub::{Event, Hub};
use crate::life::{Life, Who};
use crate::line::Watched;
use crate::plan::{Operator, Plan};
use crate::process::Process;
use crate::spoilt::Spoilt;

/// One node.
pub(super) struct Node {
    number: usize,
    drift: i64,
    dice: Arc<EngineDice>,
    pub(super) process: Option<Process>,
    /// How long it stays down when its process ends by itself.
    pub(super) stop_for: Duration,
    /// It runs with the settings that came later.
    pub(super) later: bool,
}

impl Node {
    pub(super) fn new(plan: &Plan, number: usize) -> Node {
        Node {
            number,
            drift: plan.drift.get(number).copied().unwrap_or(0),
            dice: Arc::new(EngineDice::new(plan.seed, number)),
            process: None,
            stop_for: Duration::ZERO,
            later: false,
        }
    }

    fn settings(&self, plan: &Plan) -> Settings {
        let Operator {
            rules,
            rate,
            max_live,
        } = plan
            .later
            .as_ref()
            .filter(|_| self.later)
            .unwrap_or(&plan.operator);
        Settings {
            policy: given::policy(),
            script: given::script(),
            rules: rules.clone(),
            rate: *rate,
            max_live: *max_live,
        }
    }

    fn life(&self, hub: &Hub, life: u64) -> Arc<Life> {
        let number = u32::try_from(self.number).unwrap_or(0);
        let clock = MachineClock::new(&hub.clock, number, self.drift);
        let node = self.number;
        Life::new(Who { node, life }, clock)
    }
}

impl World {
    pub(super) fn start(&mut self, number: usize) {
        if self.nodes[number].process.is_some() {
            return;
        }
        self.lives += 1;
        let node = &mut self.nodes[number];
        node.stop_for = Duration::from_secs(1);
        {
            let mut state = self.hub.lock();
            state.tell(|| format!("node {number} starts"));
            state.checks.begins_with(number, node.later);
            if state.checks.is_mixed() {
                state.goals.reach("nodes ran with different settings");
            }
        }
        let life = node.life(&self.hub, self.lives);
        let store = self.disk.open();
        let aside = self.disk.outside();
        let store = match self.bug {
            None => store,
            Some(bug) => Arc::new(Spoilt {
                inner: store,
                aside,
                hub: Arc::clone(&self.hub),
                life: Arc::clone(&life),
                bug,
                pace: Mutex::default(),
            }),
        };
        let node = &mut self.nodes[number];
        let engine = Engine::new(Parts {
            store: Arc::new(Disk::new(store, &self.hub, &life)),
            carrier: Arc::new(Watched::new(&self.hub, &life, self.bug)),
            clock: Arc::new(life.clock.clone()),
            dice: Arc::<EngineDice>::clone(&node.dice),
            settings: node.settings(&self.plan),
        });
        let process = Process::new(Arc::clone(&life), engine);
        let (engine, hub, life) = (process.engine.clone(), Arc::clone(&self.hub), life.who.life);
        process.spawn(async move {
            let heard = match engine.recover().await {
                Ok(()) => {
                    engine.start();
                    Heard::Up(life)
                }
                Err(_) => Heard::Ended(life),
            };
            hub.lock().heard.push_back(heard);
        });
        node.process = Some(process);
    }

    /// Ends the process of a node, whatever it was doing; it starts again after `down`.
    pub(super) fn kill(&mut self, number: usize, down: Duration) {
        let Some(process) = self.nodes[number].process.take() else {
            return;
        };
        let who = process.life.who;
        drop(process);
        self.lets_go();
        self.disk.close();
        self.restarts += 1;
        let mut state = self.hub.lock();
        state.checks.process_dies(who);
        state.tell(|| format!("node {number} is gone"));
        let down = if state.faults.over { Duration::ZERO } else { down };
        state.after(down, Event::Starts(number));
    }
}
