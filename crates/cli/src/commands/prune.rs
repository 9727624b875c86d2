//! `redial prune`: deletes calls that ended long ago.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ArgMatches;
use domain::Timestamp;
use domain::time::parse_duration;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{Misuse, configured, runtime};
use crate::database::Database;
use crate::output;

/// Deletes them, or counts them, and says what that leaves.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (_, config) = configured(flags)?;
    let text = flags.get_one::<String>("older-than").expect("clap requires it");
    let age = parse_duration(text).map_err(|error| Misuse(format!("--older-than {text}: {error}")))?;
    let dry_run = flags.get_flag("dry-run");
    let bar = bar();
    let mut progress = |calls| bar.set_position(calls);
    let pruned = match &config.database {
        Database::File(path) => prune_file(path, age, dry_run, &mut progress),
        Database::Server(url) => prune_server(url.expose_secret(), age, dry_run, &mut progress),
    };
    bar.finish_and_clear();
    let pruned = pruned
        .context("not everything was pruned; what was deleted is deleted, run it again for the rest")?;
    if flags.get_flag("json") {
        output::json(&json!({
            "ended_before": pruned.before.to_string(),
            "dry_run": dry_run,
            "calls": pruned.calls,
            "calls_left": pruned.left,
            "free_bytes": pruned.free_bytes,
            "file_bytes": pruned.bytes,
        }));
    } else if dry_run {
        output::data(format_args!(
            "{} of {} calls ended before {}; nothing was deleted",
            pruned.calls, pruned.left, pruned.before
        ));
    } else {
        output::data(format_args!(
            "{} calls that ended before {} are deleted, {} are left",
            pruned.calls, pruned.before, pruned.left
        ));
        output::say(room(&pruned));
    }
    Ok(ExitCode::SUCCESS)
}

/// What was deleted, or would be, whatever it was deleted from.
struct Pruned {
    before: Timestamp,
    calls: u64,
    left: u64,
    /// A server does not tell.
    free_bytes: Option<u64>,
    bytes: u64,
}

fn prune_file(
    path: &Path,
    age: Duration,
    dry_run: bool,
    progress: &mut dyn FnMut(u64),
) -> anyhow::Result<Pruned> {
    let before = store_sqlite::ended_before(age);
    let pruned = store_sqlite::prune(path, before, dry_run, progress)?;
    Ok(Pruned {
        before,
        calls: pruned.calls,
        left: pruned.left,
        free_bytes: Some(pruned.free_bytes),
        bytes: pruned.file_bytes,
    })
}

fn prune_server(
    url: &str,
    age: Duration,
    dry_run: bool,
    progress: &mut (dyn FnMut(u64) + Send),
) -> anyhow::Result<Pruned> {
    let pruned = runtime()?.block_on(store_postgres::prune(url, age, dry_run, progress))?;
    Ok(Pruned {
        before: pruned.before,
        calls: pruned.calls,
        left: pruned.left,
        free_bytes: None,
        bytes: pruned.bytes,
    })
}

/// What becomes of the room.
fn room(pruned: &Pruned) -> String {
    let bytes = output::size(pruned.bytes);
    match pruned.free_bytes {
        Some(free) => format!(
            "{} of the file's {bytes} are free for new calls; the file does not get smaller by this (docs/backup.md says what makes it)",
            output::size(free)
        ),
        None => format!(
            "the database has {bytes} and does not get smaller by this; what is free in it is used for new calls once autovacuum has been there"
        ),
    }
}

/// Shows how many calls are gone, to a person.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{pos} calls").expect("the template is sound");
    ProgressBar::no_length().with_style(style)
}
