//! Waiting for a state, with a bound: the one place of the tests that lets time pass.

use std::thread;
use std::time::{Duration, Instant};

/// How often a state is looked at: short beside every delay under test, long enough to leave the cores to the
/// processes that are to reach it.
const GAP: Duration = Duration::from_millis(20);

/// Far beyond what any state takes, even when six tests share two cores: reached only by what never comes.
pub const BOUND: Duration = Duration::from_secs(30);

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
