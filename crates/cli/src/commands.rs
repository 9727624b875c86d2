//! The commands, one file each.

mod backup;
mod call;
mod calls;
mod config;
mod copy;
mod demo;
mod dialling;
mod doctor;
mod import;
mod init;
mod prune;
mod retry_due;
mod serve;
mod sim;

use std::process::ExitCode;

use clap::ArgMatches;

use crate::config::Config;
use crate::settings::Settings;

/// The command line or the settings make no sense: exit code 2.
#[derive(Debug)]
pub struct Usage;

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the settings make no sense (`redial config` shows each with its source)")
    }
}

/// The command itself was given wrongly, in words that say how: exit code 2.
#[derive(Debug)]
pub struct Misuse(pub String);

impl std::fmt::Display for Misuse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Runs the command that was asked for.
///
/// # Errors
/// What failed, in words.
pub fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("serve", flags)) => serve::run(flags),
        Some(("demo", flags)) => demo::run(flags),
        Some(("sim", flags)) => sim::run(flags),
        Some(("call", flags)) => call::run(flags),
        Some(("calls", flags)) => calls::run(flags),
        Some(("pause", flags)) => dialling::run(flags, "pause"),
        Some(("resume", flags)) => dialling::run(flags, "resume"),
        Some(("retry-due", flags)) => retry_due::run(flags),
        Some(("import", flags)) => import::run(flags),
        Some(("backup", flags)) => backup::run(flags),
        Some(("prune", flags)) => prune::run(flags),
        Some(("copy", flags)) => copy::run(flags),
        Some(("config", flags)) => config::run(flags),
        Some(("init", flags)) => init::run(flags),
        Some(("doctor", flags)) => doctor::run(flags),
        _ => unreachable!("clap lets no other command through"),
    }
}

/// The settings that this command runs with, and what they mean.
fn configured(flags: &ArgMatches) -> anyhow::Result<(Settings, Config)> {
    let settings =
        Settings::read(flags, |name| std::env::var(name).ok()).map_err(|error| error.context(Usage))?;
    let config = Config::read(&settings).map_err(|error| error.context(Usage))?;
    Ok((settings, config))
}

/// A runtime for the commands that talk to many at once.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
