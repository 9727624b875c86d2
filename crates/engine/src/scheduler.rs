//! Wakes due calls, the longest due first, and hands them to the dispatcher one slot of the pace at a
//! time.

use std::sync::Arc;

use domain::{Hold, HoldReason, Timestamp};
use store::{Due, StoreError};

use crate::Inner;

/// Most dials under way at once: far more than a carrier's pace lets through, few enough for a
/// process's sockets.
pub(crate) const DIALS_AT_ONCE: usize = 256;
/// A dial that goes out within this of its due time was not held back.
const PUNCTUAL: std::time::Duration = std::time::Duration::from_secs(1);
/// Before every dial that there is.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_millis(i64::MIN);

impl Inner {
    /// One round: starts every due dial that may go now. Returns when to look again.
    pub(crate) async fn dial_pass(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let now = self.time.now();
        self.front.look();
        if self.obstacle(now).is_some() {
            return self.held_pass(now).await;
        }
        let in_hand = self.dialling.count();
        let room = DIALS_AT_ONCE.saturating_sub(in_hand);
        if room == 0 {
            // Each dial that ends rings the alarm.
            self.front.left_waiting();
            return Ok(None);
        }
        // Those in hand are due still, until they have their permit. Of the others no more are looked
        // up than the pace lets go in a second: another process may want them.
        let at_once = if self.gate.tries() { 1 } else { self.a_second() };
        let wanted = in_hand + room.min(at_once);
        let due = self.store.due(now, wanted).await?;
        let all = due.len() < wanted;
        let new = due.iter().filter(|due| !self.dialling.has(due.id)).count();
        self.stock_up(new, now).await?;
        for due in due {
            if let Some(later) = self.start_dial(due, now) {
                self.front.left_waiting();
                return Ok(Some(later));
            }
        }
        if self.dialling.count() >= DIALS_AT_ONCE {
            self.front.left_waiting();
            return Ok(None);
        }
        if !all {
            self.front.left_waiting();
            return Ok(Some(now));
        }
        let next = self.store.next_due(now).await?;
        self.front.cleared(next);
        Ok(next)
    }

    /// A round in which nothing may be dialled.
    async fn held_pass(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let next = self.store.next_due(BEGINNING).await?;
        if next.is_none_or(|at| at > now) {
            self.front.cleared(next);
            return Ok(next);
        }
        self.front.left_waiting();
        let Some(hold) = self.gate.hold_back(now) else {
            // It has just gone: there is work at once.
            return Ok(Some(now));
        };
        // One that stands beyond its time is being tried, here or by another process: whoever does so rings when it
        // has gone.
        Ok(hold.until.filter(|until| *until > now))
    }

    /// How many dials the pace lets go in a second, or at once.
    fn a_second(&self) -> usize {
        let rate = self.settings.rate;
        (rate.per_second.ceil() as usize).max(rate.burst as usize)
    }

    /// What stands in the way of every dial now.
    pub(crate) fn obstacle(&self, now: Timestamp) -> Option<Hold> {
        self.gate.set_store_broken(self.store.health().err(), now);
        self.gate.obstacle(now)
    }

    /// Starts one dial, unless something stands in the way of all: then returns when to try again.
    fn start_dial(self: &Arc<Self>, due: Due, now: Timestamp) -> Option<Timestamp> {
        let in_hand = (self.dialling.count() < DIALS_AT_ONCE)
            .then(|| self.dialling.take(due.id))
            .flatten()?;
        let slot = match self.slot(now) {
            Ok(slot) => slot,
            Err(until) => {
                self.gate.pace_reached(until, now);
                return Some(until);
            }
        };
        if let Err(hold) = self.gate.enter(now) {
            return Some(hold.until.unwrap_or(now + PUNCTUAL));
        }
        let held = (due.due_at + PUNCTUAL < now)
            .then(|| self.why_late(due.due_at, now))
            .flatten();
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            inner.dial(due, slot, held).await;
            drop(in_hand);
            inner.dial_alarm.ring();
        });
        None
    }

    /// What held back a dial that was due long ago: of all that did, what did so longest.
    pub(crate) fn why_late(&self, due_at: Timestamp, now: Timestamp) -> Option<Hold> {
        let down = self
            .started_at()
            .map(|started| started.min(now))
            .filter(|started| *started > due_at);
        let down = down.map(|started| Hold {
            reason: HoldReason::Paused,
            since: due_at,
            until: Some(started),
            message: format!(
                "nothing was dialling between {due_at} and {started}: the engine was not running"
            ),
        });
        let both = self.gate.held(due_at).into_iter().chain(down);
        both.max_by_key(|hold| hold.until.map(|until| until.since(hold.since)))
    }
}
