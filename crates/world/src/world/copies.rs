//! Copies of the store, and putting one back: by an operator, after which every process is started anew, or by a standby
//! that takes over and has not heard of the last seconds, which processes notice by themselves.

use std::time::Duration;

use super::World;
use crate::clients;

impl World {
    /// An operator puts the last copy back.
    pub(super) fn puts_back(&mut self, down: Duration) {
        let Some(copy) = self.copy.take() else { return };
        for node in 0..self.nodes.len() {
            let more = self.hub.lock().millis(0, 5_000);
            self.kill(node, down + more);
        }
        self.disk.put_back(&copy);
        self.stands_as_before("the store is put back to an earlier copy");
    }

    /// The standby, which has not followed for a while, takes over.
    pub(super) fn fails_over(&mut self) {
        let Some(copy) = self.standby.take() else { return };
        self.disk.put_back(&copy);
        self.stands_as_before("the standby takes over");
    }

    fn stands_as_before(&mut self, what: &'static str) {
        let store = self.disk.outside();
        let ids = self.hub.lock().checks.all();
        let mut stands = Vec::new();
        for id in ids {
            let user = self.hub.lock().checks.user_of(id);
            let Some(user) = user else { continue };
            let record = self.disk.ask(store.record(&user, id)).ok().flatten();
            stands.push((id, record));
        }
        let paused = self
            .disk
            .ask(store.dialling())
            .is_ok_and(|it| it.paused_at.is_some());
        let mut state = self.hub.lock();
        let state = &mut *state;
        state.tell(|| what.to_owned());
        state.stirred += 1;
        state.goals.reach(match what {
            "the standby takes over" => "a standby took over",
            _ => "a copy was put back",
        });
        let now_ms = state.now_ms();
        state.checks.is_put_back(now_ms, stands, paused, &mut state.goals);
        if paused && self.calm_ms.is_some() {
            // The operator who had dialling go on sees that it does not.
            clients::switch(state, false);
        }
    }

    /// Whatever rang for a call that a copy had forgotten is somebody's, or kept for a person to see.
    pub(super) fn looks_for_lost_legs(&mut self) {
        let lost = self.hub.lock().checks.lost_legs();
        for sid in lost {
            let mut state = self.hub.lock();
            match self.disk.is_orphan(&sid) {
                Some(false) => state.checks.leg_is_lost(&sid),
                Some(true) => state
                    .goals
                    .reach("a leg of a forgotten call was kept as nobody's"),
                None => {}
            }
        }
    }
}
