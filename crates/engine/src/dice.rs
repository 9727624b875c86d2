//! The only place where chance is drawn.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the engine needs of chance.
pub trait Dice: Send + Sync {
    /// An even throw, for spreading things out; need not be hard to guess.
    fn throw(&self) -> u64;

    /// Bits that nobody can guess, for ids.
    fn id_bits(&self) -> [u8; 10];
}

/// The machine's own chance.
#[derive(Debug)]
pub struct SystemDice {
    state: AtomicU64,
}

impl SystemDice {
    /// Dice that fall differently in every process.
    pub fn new() -> SystemDice {
        let mut seed = [0; 8];
        fill(&mut seed);
        SystemDice {
            state: AtomicU64::new(u64::from_le_bytes(seed)),
        }
    }

    /// Bytes that nobody can guess, for secrets.
    pub fn unguessable<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        fill(&mut bytes);
        bytes
    }
}

impl Default for SystemDice {
    fn default() -> SystemDice {
        SystemDice::new()
    }
}

impl Dice for SystemDice {
    fn throw(&self) -> u64 {
        // SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
        let mut z = self.state.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn id_bits(&self) -> [u8; 10] {
        let mut bits = [0; 10];
        fill(&mut bits);
        bits
    }
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the kernel gives random bytes to everybody");
}
