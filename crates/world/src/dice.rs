//! Chance, made from a seed: one stream for each purpose, so that taking one purpose away leaves the others as they
//! were. Used by everything that draws here, and handed to the engine as its own chance.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A stream of draws (SplitMix64): good enough to vary a story, never for secrets.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The stream of one purpose of one seed.
    pub fn new(seed: u64, purpose: u64) -> Dice {
        Dice(mixed(seed) ^ mixed(purpose.wrapping_add(0x5eed)))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high.saturating_sub(low) + 1)
    }

    /// A gap of so many milliseconds, both ends included.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// A share from 0 up to, not including, 1.
    pub fn share(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let last = all.len().saturating_sub(1) as u64;
        all[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }
}

/// The engine's own chance, drawn from the world's seed.
#[derive(Debug)]
pub struct EngineDice(Mutex<Dice>);

impl EngineDice {
    /// Chance for every process of one node of a world.
    pub fn new(seed: u64, node: usize) -> EngineDice {
        EngineDice(Mutex::new(Dice::new(seed, 7_000 + node as u64)))
    }

    fn bits(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).bits()
    }
}

impl engine::dice::Dice for EngineDice {
    fn throw(&self) -> u64 {
        self.bits()
    }

    fn id_bits(&self) -> [u8; 10] {
        let mut bits = [0; 10];
        bits[..8].copy_from_slice(&self.bits().to_be_bytes());
        bits[8..].copy_from_slice(&self.bits().to_be_bytes()[..2]);
        bits
    }
}

/// SplitMix64's finisher, a bijection of 64 bits.
fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
