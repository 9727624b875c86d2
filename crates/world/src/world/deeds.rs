//! What the plan does to a world, and how it is undone.

use std::sync::Arc;

use super::World;
use crate::clients::{self, Heard};
use crate::hub::Event;
use crate::plan::Deed;

impl World {
    pub(super) fn does(&mut self, deed: Deed) {
        self.hub.lock().tell(|| deed.words());
        let long = match deed {
            Deed::Kill(down) => return self.kill(down),
            Deed::Stop(down) => {
                self.stop_for = down;
                if let Some(process) = self.process.as_ref().filter(|process| process.up) {
                    let (engine, hub) = (process.engine.clone(), Arc::clone(&self.hub));
                    process.spawn(async move {
                        engine.stop().await;
                        hub.lock().heard.push_back(Heard::Ended);
                    });
                }
                return;
            }
            Deed::Freeze(long) => {
                if let Some(process) = &mut self.process {
                    process.frozen = true;
                }
                long
            }
            Deed::Clock(by, long) => {
                let mut state = self.hub.lock();
                state.wrong_by = by;
                let now_ms = state.now_ms();
                state.checks.clock_moves(now_ms, by);
                long
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
            Deed::Kill(_) | Deed::Stop(_) => {}
            Deed::Freeze(_) => {
                if let Some(process) = &mut self.process {
                    process.frozen = false;
                }
            }
            Deed::Clock(..) => self.clock_is_right(),
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

    fn clock_is_right(&self) {
        let mut state = self.hub.lock();
        if state.wrong_by != 0 {
            state.wrong_by = 0;
            let now_ms = state.now_ms();
            state.checks.clock_moves(now_ms, 0);
        }
    }

    /// From here on nothing goes wrong.
    pub(super) fn calm(&mut self) {
        self.suspends(false);
        self.clock_is_right();
        if let Some(process) = &mut self.process {
            process.frozen = false;
        }
        {
            let mut state = self.hub.lock();
            state.tell(|| "all faults stop".to_owned());
            state.faults.over = true;
            state.outage = false;
            clients::switch(&mut state, false);
            self.calm_ms = Some(state.now_ms());
        }
        self.start();
    }
}
