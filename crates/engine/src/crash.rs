//! Places where a test may kill the process: one at every boundary between something written down
//! and something done. Without the feature `crash-points` they are nothing.

/// Every place, in the order of a call's life.
pub const POINTS: &[&str] = &[
    "request.taken",
    "accept.committed",
    "dial.connected",
    "permit.committed",
    "dial.sent",
    "outcome.committed",
    "callback.verified",
    "callback.committed",
    "answer.committed",
    "look-up.answered",
    "look-up.committed",
    "hang-up.sent",
    "hang-up.committed",
    "cancel.committed",
];

/// Kills this process, as `kill -9` does, when `REDIAL_CRASH_AT` names this place: `name` at the
/// first passing, `name:n` at the n-th.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);

    debug_assert!(POINTS.contains(&name), "{name} is missing in the list");
    let Ok(wanted) = std::env::var("REDIAL_CRASH_AT") else {
        return;
    };
    let (wanted, nth) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == nth.parse().unwrap_or(1) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Nothing.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub fn point(_name: &str) {}
