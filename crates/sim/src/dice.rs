//! Chance, made from a seed. Every draw of a call comes from the seed, the number and how often that number
//! was called before, never from what other calls are doing, so that the order in which strangers' requests
//! happen to arrive changes nobody's story. Called by the callee and by whoever names a call.

/// A small generator (SplitMix64): good enough to vary a story, never for secrets.
pub struct Dice(u64);

impl Dice {
    /// Dice for the `nth` call to `number` under `seed`.
    pub fn new(seed: u64, number: &str, nth: u64) -> Self {
        // FNV-1a over the number: stable across processes, unlike the standard library's hasher.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in number.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(mixed(seed) ^ mixed(hash) ^ mixed(nth.wrapping_add(0x5151)))
    }

    /// The next 64 bits.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        // The remainder is at most `high - low`, so the sum fits.
        low + u32::try_from(self.next() % span).unwrap_or(0)
    }

    /// A share from 0 up to, not including, 1.
    pub fn share(&mut self) -> f64 {
        // 53 bits are what a double holds exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// SplitMix64's finisher: a bijection of 64 bits, which is what keeps names made from a counter apart.
pub fn mixed(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
