//! The true time of a world, and the clock of each of its machines: they run a little fast or slow, none of them knows
//! what time it is, and each wakes only those who wait for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use engine::clock::Clock;
use testkit::clock::START;
use tokio::sync::oneshot;

/// For how long the first machine had been up at the beginning; any time will do that is not zero.
const UP_FOR: Duration = Duration::from_secs(3_600);
const MILLION: i128 = 1_000_000;

/// The true time, in microseconds since the beginning.
#[derive(Debug, Default)]
pub struct Time(AtomicU64);

impl Time {
    /// The time of day.
    pub fn now(&self) -> Timestamp {
        START + Duration::from_millis(self.micros() / 1_000)
    }

    /// Lets time pass.
    pub fn advance(&self, gap: Duration) {
        self.0.fetch_add(micros(gap), Ordering::Relaxed);
    }

    fn micros(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Rounded up.
fn micros(gap: Duration) -> u64 {
    u64::try_from(gap.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX)
}

/// The clock of one machine. Clones are one clock.
#[derive(Debug, Clone)]
pub struct MachineClock(Arc<Machine>);

#[derive(Debug)]
struct Machine {
    time: Arc<Time>,
    up_for: Duration,
    /// By how many millionths it runs fast.
    drift: i64,
    waiting: Mutex<Waiting>,
}

/// Whoever waits, by the true moment at which they are to be woken, the first who came first.
#[derive(Debug, Default)]
struct Waiting {
    wakers: BTreeMap<(u64, u64), oneshot::Sender<()>>,
    waited: u64,
}

impl MachineClock {
    /// The clock of the machine of this number.
    pub fn new(time: &Arc<Time>, number: u32, drift: i64) -> MachineClock {
        MachineClock(Arc::new(Machine {
            time: Arc::clone(time),
            up_for: UP_FOR + number * Duration::from_secs(997),
            drift,
            waiting: Mutex::default(),
        }))
    }

    /// How long until somebody who waits is to be woken; `None` when nobody waits.
    pub fn next_wake(&self) -> Option<Duration> {
        let mut waiting = self.waiting();
        loop {
            let first = waiting.wakers.first_entry()?;
            if !first.get().is_closed() {
                let gap = first.key().0.saturating_sub(self.0.time.micros());
                return Some(Duration::from_micros(gap));
            }
            // Whoever gave up waiting needs no waking.
            first.remove();
        }
    }

    /// Wakes whose time has come. Nobody runs before its process does.
    pub fn wake(&self) {
        let now = self.0.time.micros();
        let mut waiting = self.waiting();
        while let Some(first) = waiting.wakers.first_entry().filter(|it| it.key().0 <= now) {
            let _ = first.remove().send(());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine {
    /// What this clock counts when the true time is so much, in microseconds.
    fn own(&self, micros: u64) -> u64 {
        let own = i128::from(micros) * (MILLION + i128::from(self.drift)) / MILLION;
        u64::try_from(own).unwrap_or(0)
    }

    /// The first true moment at which this clock counts so much.
    fn reaches(&self, own: u64) -> u64 {
        let about = i128::from(own) * MILLION / (MILLION + i128::from(self.drift));
        let mut at = u64::try_from(about).unwrap_or(0);
        while self.own(at) < own {
            at += 1;
        }
        at
    }
}

#[async_trait]
impl Clock for MachineClock {
    /// In whole milliseconds: what is waited for in part of one would be over at once, and again, for ever, because no
    /// time passes here while anybody moves.
    fn boot(&self) -> Duration {
        self.0.up_for + Duration::from_millis(self.0.own(self.0.time.micros()) / 1_000)
    }

    async fn wait(&self, gap: Duration) {
        if gap.is_zero() {
            // Others have their turn, as with a real clock.
            return tokio::task::yield_now().await;
        }
        let (waker, woken) = oneshot::channel();
        {
            let until = self.0.own(self.0.time.micros()) / 1_000 * 1_000 + micros(gap);
            let at = self.0.reaches(until);
            let mut waiting = self.waiting();
            waiting.waited += 1;
            let place = (at, waiting.waited);
            waiting.wakers.insert(place, waker);
        }
        // A clock that is gone wakes nobody, and nobody is left to wake.
        let _ = woken.await;
    }
}
