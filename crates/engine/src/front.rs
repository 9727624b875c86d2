//! How far the queue of due calls is known to be empty, so that a call that comes in may be dialled at
//! once without overtaking one that has been due for longer. Knows no calls, only moments; kept up to
//! date by the scheduler and by whoever hears of a change.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;

/// What is known of the front of the queue. At first nothing: the queue may be full.
#[derive(Debug)]
pub struct Front {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// No call is left waiting that is due before this.
    clear_until: Timestamp,
    /// The soonest that was said since the scheduler began to look.
    said: Timestamp,
}

/// A call is left waiting, whatever its due time.
const BLOCKED: Timestamp = Timestamp::from_millis(i64::MIN);
const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

impl Default for Front {
    fn default() -> Front {
        Front {
            state: Mutex::new(State {
                clear_until: BLOCKED,
                said: NEVER,
            }),
        }
    }
}

impl Front {
    /// Whether a call that is due now has nobody before it.
    pub fn is_clear(&self, now: Timestamp) -> bool {
        now < self.lock().clear_until
    }

    /// A call will be due at `at`.
    pub fn due_at(&self, at: Timestamp) {
        let mut state = self.lock();
        state.said = state.said.min(at);
        state.clear_until = state.clear_until.min(at);
    }

    /// A call that is due could not go: whoever comes later goes after it.
    pub fn left_waiting(&self) {
        self.due_at(BLOCKED);
    }

    /// The scheduler begins to look at the queue.
    pub fn look(&self) {
        self.lock().said = NEVER;
    }

    /// The scheduler has started everything that was due; the next is due at `next`. What was said
    /// since it began to look may be news to it.
    pub fn cleared(&self, next: Option<Timestamp>) {
        let mut state = self.lock();
        state.clear_until = next.unwrap_or(NEVER).min(state.said);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
