//! The command line: what to do to how many nodes, for how long; and the command that asks for the same again. Read by
//! the program, written by its report.

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::load::Pressure;
use crate::patroni;
use crate::place::Store;
use crate::run::Plan;

/// The longest that a run of so many kills may take, for each kill.
const LONGEST_FOR_A_KILL: Duration = Duration::from_secs(3);

/// Hurts running nodes in every way that can be thought of, and holds their records against the carrier's ledger.
#[derive(Parser)]
#[command(name = "redial-torture", args_conflicts_with_subcommands = true)]
pub struct Args {
    /// How long faults go on
    #[arg(long, default_value_t = 1.0)]
    pub minutes: f64,
    /// Goes on until so many processes were killed, and does little else
    #[arg(long, conflicts_with = "minutes")]
    pub kills: Option<u64>,
    /// What decides; the same choices are made again with the same one [default: the time]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where calls are remembered; both, one after the other, when it is not said
    #[arg(long, value_enum)]
    pub store: Option<Store>,
    /// Nodes on one PostgreSQL; a file has one
    #[arg(long, default_value_t = 3)]
    pub nodes: usize,
    /// The longest that a node is frozen, in seconds: a claim lasts 30
    #[arg(long, default_value_t = 8.0)]
    pub freeze: f64,
    /// Something else instead
    #[command(subcommand)]
    pub other: Option<Other>,
}

/// What else is tried.
#[derive(Subcommand)]
pub enum Other {
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

impl Args {
    /// What is to be done on this store.
    ///
    /// # Errors
    /// A number that is no time.
    pub fn plan(&self, store: Store, seed: u64) -> Result<Plan, Failure> {
        let lasts = match self.kills {
            Some(kills) => LONGEST_FOR_A_KILL * u32::try_from(kills)?,
            None => Duration::try_from_secs_f64(60.0 * self.minutes)?,
        };
        Ok(Plan {
            store,
            nodes: self.nodes.max(1),
            seed,
            lasts,
            kills: self.kills,
            most_frozen: Duration::try_from_secs_f64(self.freeze)?,
            most_gap: Duration::from_millis(if self.kills.is_some() { 500 } else { 900 }),
            pressure: Pressure {
                clients: 8,
                most_gap: Duration::from_millis(400),
            },
        })
    }
}

/// The command that makes the same choices.
pub fn again(plan: &Plan) -> String {
    let store = match plan.store {
        Store::Sqlite => "sqlite",
        Store::Postgres => "postgres",
    };
    let length = match plan.kills {
        Some(kills) => format!("--kills {kills}"),
        None => format!("--minutes {}", minutes(plan.lasts)),
    };
    format!(
        "cargo xtask torture --store {store} --nodes {} {length} --freeze {} --seed {}",
        plan.nodes,
        plan.most_frozen.as_secs_f64(),
        plan.seed
    )
}

/// The command that loses the same primaries.
pub fn losses_again(plan: &patroni::Plan) -> String {
    format!(
        "cargo xtask patroni --minutes {} --nodes {} --seed {}",
        minutes(plan.lasts),
        plan.nodes,
        plan.seed
    )
}

fn minutes(lasts: Duration) -> f64 {
    lasts.as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests;
