//! The project's own commands, run as `cargo xtask <command>`: the same code on a developer's machine and in CI.
//!
//! It knows the workspace only from outside (files, cargo), depends on none of its crates, and is called by
//! people and by `.ci/run`.

mod api;
mod bench;
mod book;
mod ci;
mod docs;
mod mutants;
mod packaging;
mod pg;
mod plant;
mod program;
mod sim;
mod slow;
mod tidy;
mod torture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What stands behind `cargo xtask`.
#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks and chores of this repository")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

/// The chores, in the order of how often they are wanted.
#[derive(Subcommand)]
enum Command {
    /// Format check, lints, house rules and unit tests: before every commit
    Fast,
    /// Everything a change must pass: also the real binary against the simulated carrier
    Ci,
    /// The house rules that a compiler does not know (sizes, names, dependency edges, banned calls)
    Tidy {
        /// Write down the checksum of each new migration; from then on it may not be edited
        #[arg(long)]
        record: bool,
    },
    /// Lints the published document, makes a client of it that makes a call, runs the Postman collection, probes the server
    Api,
    /// Writes the pages that the code itself knows best: commands, settings, metrics
    Docs {
        /// Only say which page is not as it would be written
        #[arg(long)]
        check: bool,
    },
    /// Makes a book of `docs`, into target/book
    Book,
    /// Has the service, the alerts and the dashboard judged by the programs that will read them
    Packaging,
    /// Runs a throwaway PostgreSQL server for tests by hand, until Ctrl-C
    Pg,
    /// Plants known bugs, one at a time, in a copy of the tree: each must make its named tests fail
    Plant {
        /// Only the bugs whose name contains this
        only: Option<String>,
    },
    /// Changes one expression after the other in the code that decides (cargo-mutants): the tests must notice
    Mutants {
        /// Only the parts whose name contains this: step, permit, classify, gate
        only: Option<String>,
    },
    /// Runs whole call lives in virtual time, with seeded faults, and checks what must hold
    Sim {
        /// Goes to `redial-world`: --seeds N, --seed S, --store sqlite, --bug all; --help lists all
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Thousands of peers that drag their feet (slowhttptest): everybody else must be answered meanwhile
    Slow {
        /// How many
        #[arg(long, default_value_t = 5_000)]
        connections: u32,
        /// How long for each way of being slow
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Kills, freezes and cuts off running nodes, and holds their records against the carrier's ledger (docs/torture.md)
    Torture {
        /// Goes to `redial-torture`: --minutes N, --kills N, --seed S, --store postgres, --nodes K; --help lists all
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Loses the primary of three PostgreSQL servers under Patroni, again and again (docs/torture.md)
    Patroni {
        /// Goes to `redial-torture patroni`: --minutes N, --seed S, --nodes K
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Builds the release binary and measures it against a bare server (docs/bench.md)
    Bench {
        /// Goes to `redial-bench`: --quick, --full, --json, names of rows; --help lists all
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let root = workspace_root();
    let done = match Args::parse().command {
        Command::Fast => ci::fast(&root),
        Command::Ci => ci::ci(&root),
        Command::Tidy { record } => tidy::run(&root, record),
        Command::Api => ci::api(&root),
        Command::Docs { check } => ci::docs(&root, check),
        Command::Book => book::run(&root),
        Command::Packaging => ci::packaging(&root),
        Command::Pg => pg::run(),
        Command::Plant { only } => plant::run(&root, only.as_deref()),
        Command::Mutants { only } => mutants::run(&root, only.as_deref()),
        Command::Sim { args } => sim::run(&root, &args),
        Command::Slow { connections, seconds } => ci::slow(&root, connections, seconds),
        Command::Torture { args } => torture::run(&root, &args),
        Command::Patroni { args } => torture::patroni(&root, &args),
        Command::Bench { args } => bench::run(&root, &args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: of the checkout that cargo runs this for, else of the one it was built in.
fn workspace_root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&here).parent();
    root.expect("xtask lies one folder below the workspace")
        .to_path_buf()
}
