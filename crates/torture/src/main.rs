//! The command line: what to do to how many nodes, for how long. Called by `cargo xtask torture`.

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use torture::run::{Plan, run};
use torture::{Failure, Pressure, Store, patroni, report};

/// The longest that a run of so many kills may take, for each kill.
const LONGEST_FOR_A_KILL: Duration = Duration::from_secs(3);

/// Hurts running nodes in every way that can be thought of, and holds their records against the carrier's ledger.
#[derive(Parser)]
#[command(name = "redial-torture", args_conflicts_with_subcommands = true)]
struct Args {
    /// How long faults go on
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Goes on until so many processes were killed, and does little else
    #[arg(long, conflicts_with = "minutes")]
    kills: Option<u64>,
    /// What decides; the same choices are made again with the same one [default: the time]
    #[arg(long)]
    seed: Option<u64>,
    /// Where calls are remembered; both, one after the other, when it is not said
    #[arg(long, value_enum)]
    store: Option<Store>,
    /// Nodes on one PostgreSQL; a file has one
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// The longest that a node is frozen, in seconds: a claim lasts 30
    #[arg(long, default_value_t = 8.0)]
    freeze: f64,
    #[command(subcommand)]
    other: Option<Other>,
}

/// What else is tried.
#[derive(Subcommand)]
enum Other {
    /// Loses the primary of three PostgreSQL servers under Patroni, again and again
    Patroni {
        /// No loss begins later than this
        #[arg(long, default_value_t = 5.0)]
        minutes: f64,
        /// What decides [default: the time]
        #[arg(long)]
        seed: Option<u64>,
        /// Nodes
        #[arg(long, default_value_t = 3)]
        nodes: usize,
    },
}

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
    let lasts = match args.kills {
        Some(kills) => LONGEST_FOR_A_KILL * u32::try_from(kills)?,
        None => Duration::try_from_secs_f64(60.0 * args.minutes)?,
    };
    let plan = Plan {
        store,
        nodes: args.nodes.max(1),
        seed: chosen(args.seed),
        lasts,
        kills: args.kills,
        most_frozen: Duration::try_from_secs_f64(args.freeze)?,
        most_gap: Duration::from_millis(if args.kills.is_some() { 500 } else { 900 }),
        pressure: Pressure {
            clients: 8,
            most_gap: Duration::from_millis(400),
        },
    };
    let outcome = run(&plan)?;
    report::print(&plan, &outcome);
    Ok(outcome.ending.verdict.is_ok())
}
