//! What the plan does to a world, and how it is undone.

use std::sync::Arc;
use std::time::Duration;

use super::World;
use crate::clients::{self, Heard};
use crate::hub::Event;
use crate::plan::Deed;

impl World {
    pub(super) fn does(&mut self, deed: Deed) {
        if deed.node().is_some_and(|node| node >= self.nodes.len()) {
            return;
        }
        {
            let mut state = self.hub.lock();
            state.tell(|| deed.words());
            state.goals.reach(deed.kind());
        }
        let long = match deed {
            Deed::Kill(node, down) => return self.kill(node, down),
            Deed::Stop(node, down) => return self.stop(node, down),
            Deed::Change(node, down) => {
                self.nodes[node].later = self.plan.later.is_some();
                return self.stop(node, down);
            }
            Deed::Freeze(node, long) => {
                self.freezes(node, true);
                long
            }
            Deed::Clock(node, by, long) => {
                self.sets_clock(node, by);
                long
            }
            Deed::Copy => {
                self.copy = Some(self.disk.copy(self.hub.clock.now()));
                return;
            }
            Deed::PutBack(down) => return self.puts_back(down),
            Deed::Failover(lag) => {
                self.standby = Some(self.disk.copy(self.hub.clock.now()));
                lag
            }
            Deed::Pause(long) => {
                clients::switch(&mut self.hub.lock(), true);
                long
            }
            Deed::Refuse(long) => {
                self.suspends(true);
                long
            }
            Deed::Outage(long) => {
                self.hub.lock().outage = true;
                long
            }
        };
        self.hub.lock().after(long, Event::Ends(deed));
    }

    pub(super) fn undoes(&mut self, deed: Deed) {
        match deed {
            Deed::Kill(..) | Deed::Stop(..) | Deed::Change(..) | Deed::Copy | Deed::PutBack(_) => {}
            Deed::Failover(_) => self.fails_over(),
            Deed::Freeze(node, _) => self.freezes(node, false),
            Deed::Clock(node, ..) => self.sets_clock(node, 0),
            Deed::Pause(_) => clients::switch(&mut self.hub.lock(), false),
            Deed::Refuse(_) => self.suspends(false),
            Deed::Outage(_) => self.hub.lock().outage = false,
        }
    }

    fn suspends(&self, suspended: bool) {
        let mut state = self.hub.lock();
        let faults = sim::Faults {
            suspended,
            ..state.exchange.faults()
        };
        state.exchange.set_faults(faults);
    }

    /// Tells a process to stop, if it is there; it starts again after `down`.
    fn stop(&mut self, node: usize, down: Duration) {
        let node = &mut self.nodes[node];
        node.stop_for = down;
        if let Some(process) = node.process.as_ref().filter(|process| process.up) {
            let (engine, hub) = (process.engine.clone(), Arc::clone(&self.hub));
            let life = process.life.who.life;
            process.spawn(async move {
                engine.stop().await;
                hub.lock().heard.push_back(Heard::Ended(life));
            });
        }
    }

    fn freezes(&mut self, node: usize, frozen: bool) {
        if let Some(process) = &mut self.nodes[node].process {
            process.frozen = frozen;
            self.hub.lock().checks.sleeps();
        }
    }

    /// The clock that a node reads, or that all read, is wrong by so much.
    fn sets_clock(&self, node: Option<usize>, by: i64) {
        let mut state = self.hub.lock();
        let before = state.wrong_by.clone();
        for (number, wrong_by) in state.wrong_by.iter_mut().enumerate() {
            if node.is_none_or(|node| node == number) {
                *wrong_by = by;
            }
        }
        if state.wrong_by != before {
            let now_ms = state.now_ms();
            state.checks.clock_moves(now_ms, by);
        }
    }

    /// From here on nothing goes wrong.
    pub(super) fn calm(&mut self) {
        self.suspends(false);
        self.sets_clock(None, 0);
        for node in 0..self.nodes.len() {
            self.freezes(node, false);
        }
        {
            let mut state = self.hub.lock();
            state.tell(|| "all faults stop".to_owned());
            state.faults.over = true;
            state.outage = false;
            clients::switch(&mut state, false);
            self.calm_ms = Some(state.now_ms());
        }
        for node in 0..self.nodes.len() {
            self.start(node);
        }
    }
}
