//! A clock that a test moves.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use engine::clock::Clock;
use tokio::sync::Notify;

/// Stands still until moved.
#[derive(Default)]
pub struct ManualClock {
    boot: Mutex<Duration>,
    moved: Notify,
}

impl ManualClock {
    pub fn advance(&self, gap: Duration) {
        *self.boot.lock().expect("nobody panics here") += gap;
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn boot(&self) -> Duration {
        *self.boot.lock().expect("nobody panics here")
    }

    async fn wait(&self, gap: Duration) {
        let until = self.boot() + gap;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if self.boot() >= until {
                return;
            }
            moved.await;
        }
    }
}
