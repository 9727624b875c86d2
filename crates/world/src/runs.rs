//! Many worlds on all cores, each on one thread; what came of them is the same whatever the number of threads.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use world::fault::COUNT;
use world::goal::Goals;
use world::plan::Plan;
use world::world::{Options, Outcome, run};
use world::{Bug, Violation};

use crate::{Args, StoreKind};

/// A long run says that it goes on after so many worlds.
const TOLD_EVERY: u64 = 10_000;

/// What came of all.
#[derive(Debug, Default)]
pub struct Sum {
    /// Worlds run.
    pub worlds: u64,
    /// Calls lived.
    pub calls: u64,
    /// Simulated milliseconds.
    pub simulated_ms: u64,
    /// Strikes of each fault.
    pub struck: [u64; COUNT],
    /// Deaths of the process.
    pub restarts: u64,
    /// What was reached.
    pub goals: Goals,
    /// The longest until all was over after the last fault, and in which world.
    pub slowest: (u64, u64),
    /// The first world that failed, by its seed.
    pub failed: Option<(u64, Violation)>,
    /// Real time.
    pub took: Duration,
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: &Outcome, is_wanted: impl Fn(&Violation) -> bool) {
        self.worlds += 1;
        self.calls += outcome.calls;
        self.simulated_ms += outcome.simulated_ms;
        for (sum, struck) in self.struck.iter_mut().zip(outcome.struck) {
            *sum += struck;
        }
        self.restarts += outcome.restarts;
        self.goals.add(&outcome.goals);
        self.slowest = self.slowest.max((outcome.slowest_ms, seed));
        if let Some(violation) = outcome.violation.as_ref().filter(|it| is_wanted(it))
            && self.failed.as_ref().is_none_or(|(failed, _)| seed < *failed)
        {
            self.failed = Some((seed, violation.clone()));
        }
    }
}

/// Runs the worlds that were asked for, up to the first that fails; with a planted bug, up to the first that fails by the
/// name of the invariant that the bug breaks: it may break another on its way.
pub fn all(args: &Args, planted: Option<(Bug, &str)>) -> Sum {
    let (first, count) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    let next = AtomicU64::new(first);
    let stop = AtomicBool::new(false);
    let sum = Mutex::new(Sum::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.unwrap_or(cores).max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count {
                        break;
                    }
                    let outcome = with_store(args, |folder| {
                        let options = Options {
                            folder,
                            bug: planted.map(|(bug, _)| bug),
                            story: false,
                        };
                        run(&Arc::new(Plan::draw(seed)), &options)
                    });
                    let is_wanted = |it: &Violation| planted.is_none_or(|(_, name)| it.invariant == name);
                    if outcome.violation.as_ref().is_some_and(is_wanted) {
                        stop.store(true, Ordering::SeqCst);
                    }
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.add(seed, &outcome, is_wanted);
                    if sum.worlds.is_multiple_of(TOLD_EVERY) {
                        let (lives, seconds) = (sum.calls, begun.elapsed().as_secs());
                        eprintln!(
                            "{} of {count} worlds, {lives} call lives, {seconds} s",
                            sum.worlds
                        );
                    }
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.took = begun.elapsed();
    sum
}

/// Gives a world a folder of its own where its store wants one.
///
/// # Panics
/// When there is no room for it.
pub fn with_store<T>(args: &Args, work: impl FnOnce(Option<PathBuf>) -> T) -> T {
    if args.store == StoreKind::Model {
        return work(None);
    }
    // In memory where the machine has such a folder: a sync costs nothing there.
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.expect("there is room for a folder");
    work(Some(folder.path().to_owned()))
}
