//! Measures redial: every figure as a ratio to a bare `GET /hello` of the same framework, taken in the same run on
//! the same machine, so that a slow or noisy machine moves both.
//!
//! One executable plays all the parts, each in a process of its own: the bare server, the carrier that answers at
//! once, and the load. It drives the real release binary from outside; only the databases that a row starts from
//! are written through the store. Called by `cargo xtask bench`.

mod amounts;
mod args;
mod child;
mod clock;
mod database;
mod failure;
mod figures;
mod forms;
mod head;
mod hello;
mod instant;
mod load;
mod pair;
mod rows;
mod seed;
mod table;
mod world;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Part};
use failure::Failure;

// The same allocator as the measured binary, so that the bare server differs in what it does and in nothing else.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.part {
        Some(Part::Hello(part)) => hello::run(&part),
        Some(Part::Load(part)) => load::client::run(&part),
        Some(Part::Carrier(part)) => instant::run(&part),
        None => measure(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("redial-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(args: &Args) -> Result<(), Failure> {
    let world = world::World::new(args)?;
    let lines = rows::run(&world, &args.only)?;
    if args.json {
        table::json(&world, &lines);
    } else {
        table::text(&world, &lines);
    }
    Ok(())
}
