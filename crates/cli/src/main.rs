//! The redial binary: reads the command line, runs one command, says how it went. Data goes to
//! stdout, everything else to stderr; exit code 0, 1 (failed) or 2 (wrong usage or settings).

mod args;
mod client;
mod commands;
mod config;
mod database;
mod doctor;
mod logging;
mod output;
mod settings;
mod supervisor;
mod wiring;

use std::process::ExitCode;

// Callbacks come in by the tens of thousands a second, each with a few small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = args::command().get_matches();
    match commands::run(&matches) {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error);
            let is_usage = error.is::<commands::Usage>() || error.is::<commands::Misuse>();
            if is_usage {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
