//! The log: lines on stderr, for people or for machines.

use std::io::IsTerminal as _;

use anyhow::{Context as _, bail};
use tracing_subscriber::EnvFilter;

/// Starts the log.
///
/// # Errors
/// When the level or the format is none.
pub fn start(level: &str, format: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)
        .with_context(|| format!("REDIAL_LOG is `{level}`: must be error, warn, info, debug or trace"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log that goes to a file is read by other programs.
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        "text" => log.with_target(false).init(),
        "json" => log.json().flatten_event(true).init(),
        other => bail!("REDIAL_LOG_FORMAT is `{other}`: must be text or json"),
    }
    Ok(())
}
