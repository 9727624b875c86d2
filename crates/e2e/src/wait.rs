//! Waiting for a state, with a bound: the one place of the tests that lets time pass.

use std::thread;
use std::time::{Duration, Instant};

/// How often a state is looked at: short beside every delay under test, long enough to leave the cores to the
/// processes that are to reach it.
const GAP: Duration = Duration::from_millis(20);

/// Longest that any test waits for a state. What a killed node held is free for others after half a minute, and its
/// permits are in doubt after 45 seconds; nothing else takes a tenth of that.
pub const BOUND: Duration = Duration::from_secs(90);

/// Looks again and again until `look` finds what it wants, and gives it back.
///
/// # Panics
/// When it was not found within the bound; `what` names it, and what `look` saw last is shown.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + BOUND;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(
                Instant::now() < end,
                "waited {BOUND:?} for {what}; last seen: {seen}"
            ),
        }
        thread::sleep(GAP);
    }
}
