//! Numbers made of samples.

/// Several samples of one thing.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// The middle one; of an even number the mean of the two in the middle; 0 of none.
    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        match self.0.len() {
            0 => 0.0,
            count if count % 2 == 1 => self.0[middle],
            _ => (self.0[middle - 1] + self.0[middle]) / 2.0,
        }
    }

    /// The smallest and the largest.
    pub fn spread(&self) -> (f64, f64) {
        (
            self.0.first().copied().unwrap_or(0.0),
            self.0.last().copied().unwrap_or(0.0),
        )
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

/// The value below which `share` of sorted values lie; 0 of none.
pub fn percentile(sorted: &[u64], share: f64) -> u64 {
    let last = sorted.len().saturating_sub(1);
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(last)).copied().unwrap_or(0)
}

/// A number with about three digits that matter, thousands apart.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => grouped(value.round() as i64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    //! Medians, percentiles and how they are written.

    use super::*;

    #[test]
    fn the_median_is_the_middle_and_the_spread_the_ends() {
        let samples: Samples = [3.0, 1.0, 9.0].into_iter().collect();
        assert_eq!((samples.median(), samples.spread()), (3.0, (1.0, 9.0)));
        let samples: Samples = [4.0, 2.0].into_iter().collect();
        assert_eq!(samples.median(), 3.0);
        assert_eq!(Samples::default().median(), 0.0);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let sorted: Vec<u64> = (1..=100).collect();
        assert_eq!((percentile(&sorted, 0.5), percentile(&sorted, 0.99)), (51, 100));
        assert_eq!(percentile(&[7], 0.99), 7);
        assert_eq!(percentile(&[], 0.5), 0);
    }

    #[test]
    fn a_number_is_written_as_long_as_it_says_something() {
        let written = [0.314_15, 12.34, 123.4, 1_234.5, 1_234_567.0].map(short);
        assert_eq!(written, ["0.31", "12.3", "123", "1 235", "1 234 567"]);
    }
}
