//! The engine as a whole, in a world of its own: model store, fake carrier, a clock moved by hand.
//! Every test tells a scenario of a call's life, and what must not happen in it.

mod account;
mod clocks;
mod doubt;
mod leader;
mod order;
mod outage;
mod pace;
mod permits;
mod requests;
mod restart;
mod restored;
mod retries;
mod stops;
mod trouble;

use std::time::Duration;

/// One second.
const SECOND: Duration = Duration::from_secs(1);
/// One minute.
const MINUTE: Duration = Duration::from_secs(60);
/// One hour.
const HOUR: Duration = Duration::from_secs(3_600);

/// So many milliseconds.
fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
