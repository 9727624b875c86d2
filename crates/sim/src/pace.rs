//! How many calls a second leave the queue. It must not know what a call is. Called by the exchange when a
//! call is accepted.

use std::collections::VecDeque;

/// A pace of so many starts a second: within any second no more than that many start, the rest wait in
/// order. The pace is in real seconds whatever the speed of the simulation, because a customer paces by the
/// real clock.
#[derive(Debug)]
pub struct Pace {
    /// How many starts fit into how many milliseconds; `None` holds nobody back.
    window: Option<(usize, f64)>,
    /// The latest starts, as many as fit into one window.
    starts: VecDeque<f64>,
}

impl Pace {
    /// `cps` starts a second; `None`, or a number that is not positive, holds nobody back.
    pub fn new(cps: Option<f64>) -> Self {
        let window = cps.filter(|cps| cps.is_finite() && *cps > 0.0).map(|cps| {
            // A pace that is no whole number gets a window as long as its whole part needs.
            let starts = cps.floor().clamp(1.0, 100_000.0);
            (starts as usize, 1_000.0 * starts / cps)
        });
        Self {
            window,
            starts: VecDeque::new(),
        }
    }

    /// How many milliseconds a call accepted at `now_ms` would wait.
    pub fn wait_ms(&self, now_ms: u64) -> u64 {
        match (self.window, self.starts.front()) {
            (Some((fit, window_ms)), Some(first)) if self.starts.len() == fit => {
                (first + window_ms - now_ms as f64).max(0.0).ceil() as u64
            }
            _ => 0,
        }
    }

    /// Takes the next turn and says how many milliseconds it is away.
    pub fn take(&mut self, now_ms: u64) -> u64 {
        let wait = self.wait_ms(now_ms);
        if let Some((fit, _)) = self.window {
            if self.starts.len() == fit {
                self.starts.pop_front();
            }
            self.starts.push_back((now_ms + wait) as f64);
        }
        wait
    }
}

#[cfg(test)]
mod tests;
