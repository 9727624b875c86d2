//! Chance from a seed: every choice of a run comes from here, so that the same seed makes the same choices in the
//! same order. When they take effect is the machine's.

use std::time::Duration;

/// What splits one run's chance into independent parts, so that what one thread draws moves no other's.
const STREAM: u64 = 0x9E37_79B9_7F4A_7C15;

/// A sequence of draws.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The sequence of `part` of the run with this seed.
    pub fn new(seed: u64, part: u64) -> Self {
        let mut dice = Self(seed.wrapping_add(part.wrapping_mul(STREAM)));
        // The first draws of neighbouring seeds are alike.
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STREAM);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// Whether something of this likelihood happens.
    pub fn happens(&mut self, share: f64) -> bool {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64 <= share
    }

    /// One of several.
    ///
    /// # Panics
    /// When there are none.
    pub fn one_of<'a, T>(&mut self, several: &'a [T]) -> &'a T {
        let at = self.below(several.len() as u64);
        &several[usize::try_from(at).expect("a place among several")]
    }

    /// One of several, each as likely as its weight says.
    ///
    /// # Panics
    /// When there are none.
    pub fn weighted<T: Copy>(&mut self, several: &[(T, u64)]) -> T {
        let total = several.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for (thing, weight) in several {
            if at < *weight {
                return *thing;
            }
            at -= weight;
        }
        several.last().expect("one of at least one").0
    }

    /// A length of time between two others, every one as likely.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = most.saturating_sub(least).as_micros();
        least + Duration::from_micros(self.below(u64::try_from(span).unwrap_or(u64::MAX)))
    }

    /// A length of time between two others, every order of magnitude as likely: most are short, some are long.
    pub fn stretched(&mut self, least: Duration, most: Duration) -> Duration {
        let (least, most) = (least.as_secs_f64(), most.as_secs_f64());
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(least * (most / least).powf(share))
    }
}

#[cfg(test)]
mod tests {
    //! The same seed draws the same; what is drawn stays within its bounds.

    use super::*;

    #[test]
    fn a_seed_draws_the_same_and_another_part_of_it_something_else() {
        let draws = |seed, part| {
            let mut dice = Dice::new(seed, part);
            [dice.below(1_000), dice.below(1_000), dice.below(1_000)]
        };
        assert_eq!(draws(7, 1), draws(7, 1));
        assert_ne!(draws(7, 1), draws(7, 2));
        assert_ne!(draws(7, 1), draws(8, 1));
    }

    #[test]
    fn what_weighs_nothing_is_never_drawn_and_lengths_keep_their_bounds() {
        let mut dice = Dice::new(1, 1);
        let (least, most) = (Duration::from_millis(1), Duration::from_secs(60));
        for _ in 0..1_000 {
            assert_eq!(
                dice.weighted(&[("never", 0), ("always", 3), ("nor this", 0)]),
                "always"
            );
            assert!((least..=most).contains(&dice.stretched(least, most)));
            assert!((least..=most).contains(&dice.between(least, most)));
        }
    }
}
