//! The binary that runs many worlds, says how often what was reached, and tells the tale of one that failed. Called by
//! `cargo xtask sim` and by `cargo xtask ci`.

mod report;
mod runs;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use mimalloc::MiMalloc;
use world::BUGS;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What to run.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "cargo xtask sim",
    about = "Runs whole call lives in virtual time, by one to three nodes, with faults, and checks what must hold"
)]
pub struct Args {
    /// How many worlds
    #[arg(long, default_value_t = 500)]
    seeds: u64,
    /// Only the world of this seed
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// The seed of the first world
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Where calls are remembered
    #[arg(long, value_enum, default_value_t = StoreKind::Model)]
    store: StoreKind,
    /// Worlds at once; as many as the machine has cores when not given
    #[arg(long)]
    jobs: Option<usize>,
    /// Plants this bug; `all` plants each in turn and wants every one noticed
    #[arg(long)]
    bug: Option<String>,
    /// Tell the tale of a world in which nothing is wrong, too
    #[arg(long, requires = "seed")]
    tell: bool,
}

/// The stores that a world can stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// The simplest store, in memory, which several nodes may share
    Model,
    /// The embedded store, in a folder of its own; every world has one node then
    Sqlite,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let sound = match args.bug.as_deref() {
        None => report::run(&args),
        Some("all") => report::bugs(&args, &BUGS),
        Some(name) => match BUGS.iter().find(|(_, known, _)| *known == name) {
            Some(bug) => report::bugs(&args, std::slice::from_ref(bug)),
            None => {
                let names: Vec<&str> = BUGS.iter().map(|(_, name, _)| *name).collect();
                eprintln!("no such bug: {name}; there are {}", names.join(", "));
                false
            }
        },
    };
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
