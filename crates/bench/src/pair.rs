//! Samples of two things in turn: the base, the row, the base, the row, the base. Each sample of the row is
//! compared with the mean of its two neighbours, so that whatever slows the machine for seconds slows both.

use std::time::Duration;

use crate::child::Server;
use crate::failure::Failure;
use crate::figures::Samples;
use crate::load::Outcome;
use crate::world::World;

/// A sample: how a load went, and what it cost the server.
pub struct Sample {
    /// How it went.
    pub outcome: Outcome,
    /// Processor time of the server for each answer, in microseconds.
    pub cpu_us: f64,
    /// What the server gave to the disk for each answer, in KiB.
    pub written_kib: f64,
}

/// Samples in turn.
pub struct Paired {
    /// Of the base, one more than of the row.
    pub base: Vec<Sample>,
    /// Of the row.
    pub row: Vec<Sample>,
}

/// Runs base and row in turn, the base first and last.
///
/// # Errors
/// The first that either meets.
pub fn in_turn(
    samples: usize,
    mut base: impl FnMut(usize) -> Result<Sample, Failure>,
    mut row: impl FnMut(usize) -> Result<Sample, Failure>,
) -> Result<Paired, Failure> {
    let mut paired = Paired {
        base: vec![base(0)?],
        row: Vec::new(),
    };
    for at in 0..samples {
        paired.row.push(row(at)?);
        paired.base.push(base(at + 1)?);
    }
    Ok(paired)
}

/// The row in turn with bare greetings.
///
/// # Errors
/// The first that either meets.
pub fn with_hello(
    world: &World,
    server: &Server,
    mut row: impl FnMut(usize) -> Result<Outcome, Failure>,
) -> Result<Paired, Failure> {
    let base = |_| sample(&world.hello, || world.greet());
    in_turn(world.amounts.samples, base, |at| sample(server, || row(at)))
}

/// One sample, with what `server` used while it was taken.
///
/// # Errors
/// What the load meets.
pub fn sample(server: &Server, load: impl FnOnce() -> Result<Outcome, Failure>) -> Result<Sample, Failure> {
    let (cpu, written) = (server.cpu()?, server.written()?);
    let outcome = load()?;
    let answers = outcome.answers.max(1) as f64;
    let used: Duration = server.cpu()?.saturating_sub(cpu);
    let cpu_us = used.as_secs_f64() * 1e6 / answers;
    let written_kib = (server.written()? - written) / 1_024.0 / answers;
    Ok(Sample {
        outcome,
        cpu_us,
        written_kib,
    })
}

impl Paired {
    /// Row over base, by a measure of each sample.
    fn ratios(&self, of: impl Fn(&Sample) -> f64) -> Samples {
        let neighbours = self.base.windows(2).map(|two| (of(&two[0]) + of(&two[1])) / 2.0);
        self.row
            .iter()
            .zip(neighbours)
            .map(|(row, base)| of(row) / base.max(1e-9))
            .collect()
    }

    /// How fast the row was, over the base.
    pub fn of_rate(&self) -> Samples {
        self.ratios(|sample| sample.outcome.rate())
    }

    /// What 99 of 100 answers of the row took at most, over the base.
    pub fn of_p99(&self) -> Samples {
        self.ratios(|sample| sample.outcome.p99_us as f64)
    }

    /// What an answer of the row cost in processor time, over the base.
    pub fn of_cpu(&self) -> Samples {
        self.ratios(|sample| sample.cpu_us)
    }
}

/// A measure of several samples.
pub fn all(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> Samples {
    samples.iter().map(of).collect()
}
