//! The only loop: runs a pass, waits until the moment that the pass named or until somebody cannot
//! wait that long, runs it again. A pass that panics is logged and run again; the loop ends with the
//! process alone.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::time::Time;

/// However far the next work is, a pass looks after this long: what nobody announced (another
/// process's work, a clock that was set) is found by it.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// A loop whose turn began longer ago than this has come to a stand. A pass starts work and awaits little of it: the
/// longest wait is one question to the carrier (5 s to connect, 30 s to answer), after the longest rest.
const LONGEST_TURN: Duration = Duration::from_secs(60);
/// After a panic or an error a pass rests this long, so that it does not spin.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);

/// Wakes a loop early.
#[derive(Debug)]
pub struct Alarm {
    notify: Notify,
    /// When the loop means to look next, in milliseconds; while a pass runs, the latest moment at
    /// which it will, so that whatever is needed sooner wakes it again.
    planned: AtomicI64,
    /// When the last turn began, in milliseconds of the boot-time clock; 0 before the first.
    turned: AtomicU64,
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm {
            notify: Notify::new(),
            planned: AtomicI64::new(i64::MAX),
            turned: AtomicU64::new(0),
        }
    }
}

impl Alarm {
    /// Makes the loop look at `at` or sooner.
    pub fn no_later_than(&self, at: Timestamp) {
        if at.millis() < self.planned.load(Ordering::SeqCst) {
            self.notify.notify_one();
        }
    }

    /// Makes the loop look now.
    pub fn ring(&self) {
        self.notify.notify_one();
    }

    /// Whether the loop goes round. One that has not begun yet is not looked at.
    pub fn is_turning(&self, boot: Duration) -> bool {
        let turned = Duration::from_millis(self.turned.load(Ordering::SeqCst));
        turned.is_zero() || boot.saturating_sub(turned) <= LONGEST_TURN
    }

    fn turn(&self, boot: Duration) {
        let millis = u64::try_from(boot.as_millis()).unwrap_or(u64::MAX);
        self.turned.store(millis, Ordering::SeqCst);
    }
}

/// Runs passes until told to stop. A pass returns when it wants to be run again; `None`: when there
/// is a reason.
pub async fn run<F, P>(name: &str, time: &Time, alarm: &Alarm, stop: &CancellationToken, mut pass: F)
where
    F: FnMut() -> P,
    P: Future<Output = Result<Option<Timestamp>, store::StoreError>>,
{
    while !stop.is_cancelled() {
        alarm.turn(time.boot());
        // Counted from before the pass: what was announced meanwhile, and is needed no sooner than
        // this, wakes nobody and is found all the same.
        let latest = time.now() + LONGEST_REST;
        alarm.planned.store(latest.millis(), Ordering::SeqCst);
        let next = match AssertUnwindSafe(pass()).catch_unwind().await {
            Ok(Ok(next)) => next,
            Ok(Err(error)) => {
                tracing::error!(
                    pass = name,
                    error = &error as &dyn std::error::Error,
                    "a pass failed"
                );
                Some(time.now() + AFTER_TROUBLE)
            }
            Err(_) => {
                tracing::error!(pass = name, "a pass panicked; it is run again");
                Some(time.now() + AFTER_TROUBLE)
            }
        };
        let next = next.map_or(latest, |at| at.min(latest));
        alarm.planned.store(next.millis(), Ordering::SeqCst);
        // The clock may have been put back meanwhile: no rest is longer than the longest.
        let rest = next.since(time.now()).min(LONGEST_REST);
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = alarm.notify.notified() => {}
            () = time.wait(rest) => {}
        }
    }
}

#[cfg(test)]
mod tests;
