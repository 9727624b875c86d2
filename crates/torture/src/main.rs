//! The program. Called by `cargo xtask torture`.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser as _;
use torture::args::{Args, Other};
use torture::run::run;
use torture::{Failure, Store, patroni, report};

fn main() -> ExitCode {
    let args = Args::parse();
    let sound = match args.other {
        Some(Other::Patroni { minutes, seed, nodes }) => lose_primaries(minutes, seed, nodes),
        None => {
            let stores = args
                .store
                .map_or(vec![Store::Sqlite, Store::Postgres], |it| vec![it]);
            let mut runs = stores.into_iter().map(|store| torture(&args, store));
            runs.try_fold(true, |sound, run| Ok(sound && run?))
        }
    };
    match sound {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("redial-torture: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The seed that was given, or the time.
fn chosen(seed: Option<u64>) -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = seed.unwrap_or(since.as_secs());
    eprintln!("seed {seed}");
    seed
}

fn lose_primaries(minutes: f64, seed: Option<u64>, nodes: usize) -> Result<bool, Failure> {
    let lasts = Duration::try_from_secs_f64(60.0 * minutes)?;
    let plan = patroni::Plan {
        nodes: nodes.max(1),
        seed: chosen(seed),
        lasts,
    };
    let outcome = patroni::run(&plan)?;
    report::failovers(&plan, &outcome);
    Ok(outcome.ending.verdict.is_ok())
}

fn torture(args: &Args, store: Store) -> Result<bool, Failure> {
    let plan = args.plan(store, chosen(args.seed))?;
    let outcome = run(&plan)?;
    report::print(&plan, &outcome);
    Ok(outcome.ending.verdict.is_ok())
}
