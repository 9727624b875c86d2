//! A clock that stands still until somebody moves it. Whoever waits for it waits for that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use engine::clock::Clock;
use tokio::sync::oneshot;

/// The time of day at which every clock begins: 2026-11-22T10:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// For how long the machine had been up by then; any time will do that is not zero.
const UP_FOR: Duration = Duration::from_secs(3_600);

/// The clock. Clones are one clock.
#[derive(Clone)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

struct State {
    boot: Duration,
    /// Whoever waits, by the moment at which they are to be woken, the first who came first.
    waiting: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
    waited: u64,
}

impl Default for ManualClock {
    fn default() -> ManualClock {
        ManualClock::new()
    }
}

impl ManualClock {
    /// A clock that shows [`START`].
    pub fn new() -> ManualClock {
        let state = State {
            boot: UP_FOR,
            waiting: BTreeMap::new(),
            waited: 0,
        };
        ManualClock {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Moves the clock, and wakes whose time has come. Nobody runs before the caller waits for
    /// something.
    pub fn advance(&self, gap: Duration) {
        let mut state = self.lock();
        state.boot += gap;
        let later = (state.boot, u64::MAX);
        let still_waiting = state.waiting.split_off(&later);
        for (_, waiter) in std::mem::replace(&mut state.waiting, still_waiting) {
            // Whoever gave up waiting needs no waking.
            let _ = waiter.send(());
        }
    }

    /// How long until somebody who waits is to be woken; `None` when nobody waits.
    pub fn next_wake(&self) -> Option<Duration> {
        let mut state = self.lock();
        state.waiting.retain(|_, waiter| !waiter.is_closed());
        let first = state.waiting.first_key_value().map(|((at, _), _)| *at)?;
        Some(first.saturating_sub(state.boot))
    }

    /// The time of day, by a machine whose wall clock is right.
    pub fn now(&self) -> Timestamp {
        START + (self.boot() - UP_FOR)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the clock")
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn boot(&self) -> Duration {
        self.lock().boot
    }

    async fn wait(&self, gap: Duration) {
        if gap.is_zero() {
            // Others have their turn, as with a real clock.
            return tokio::task::yield_now().await;
        }
        let (waker, woken) = oneshot::channel();
        {
            let mut state = self.lock();
            state.waited += 1;
            let place = (state.boot + gap, state.waited);
            state.waiting.insert(place, waker);
        }
        // A clock that is gone wakes nobody, and nobody is left to wake.
        let _ = woken.await;
    }
}
