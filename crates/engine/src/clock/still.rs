//! A clock for the tests beside the code: it stands still until it is moved.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::Clock;

/// A machine that has been up for an hour, and stays so until [`StillClock::advance`].
pub(crate) struct StillClock {
    boot: watch::Sender<Duration>,
    /// Every rest that was asked for, in order.
    rests: Mutex<Vec<Duration>>,
}

impl StillClock {
    pub(crate) fn new() -> StillClock {
        StillClock {
            boot: watch::Sender::new(Duration::from_secs(3_600)),
            rests: Mutex::default(),
        }
    }

    pub(crate) fn advance(&self, gap: Duration) {
        self.boot.send_modify(|boot| *boot += gap);
    }

    pub(crate) fn rests(&self) -> Vec<Duration> {
        self.rests.lock().expect("nobody panics while holding it").clone()
    }
}

#[async_trait]
impl Clock for StillClock {
    fn boot(&self) -> Duration {
        *self.boot.borrow()
    }

    async fn wait(&self, gap: Duration) {
        self.rests
            .lock()
            .expect("nobody panics while holding it")
            .push(gap);
        let until = self.boot() + gap;
        let mut moved = self.boot.subscribe();
        let _ = moved.wait_for(|boot| *boot >= until).await;
    }
}
