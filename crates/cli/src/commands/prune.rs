//! `redial prune`: deletes calls that ended long ago.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ArgMatches;
use domain::time::parse_duration;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Misuse, configured};
use crate::output;

/// Deletes them, or counts them, and says what that leaves.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (_, config) = configured(flags)?;
    let text = flags.get_one::<String>("older-than").expect("clap requires it");
    let age = parse_duration(text).map_err(|error| Misuse(format!("--older-than {text}: {error}")))?;
    let before = store_sqlite::ended_before(age);
    let dry_run = flags.get_flag("dry-run");
    let database = config.database.file("nothing is pruned there yet")?;
    let bar = bar();
    let pruned = store_sqlite::prune(database, before, dry_run, &mut |calls| {
        bar.set_position(calls);
    });
    bar.finish_and_clear();
    let pruned = pruned
        .context("not everything was pruned; what was deleted is deleted, run it again for the rest")?;
    if flags.get_flag("json") {
        output::json(&json!({
            "ended_before": before.to_string(),
            "dry_run": dry_run,
            "calls": pruned.calls,
            "calls_left": pruned.left,
            "free_bytes": pruned.free_bytes,
            "file_bytes": pruned.file_bytes,
        }));
        return Ok(ExitCode::SUCCESS);
    }
    if dry_run {
        output::data(format_args!(
            "{} of {} calls ended before {before}; nothing was deleted",
            pruned.calls, pruned.left
        ));
        return Ok(ExitCode::SUCCESS);
    }
    output::data(format_args!(
        "{} calls that ended before {before} are deleted, {} are left",
        pruned.calls, pruned.left
    ));
    output::say(format_args!(
        "{} of the file's {} are free for new calls; the file does not get smaller by this (docs/backup.md says what makes it)",
        output::size(pruned.free_bytes),
        output::size(pruned.file_bytes)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Shows how many calls are gone, to a person.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{pos} calls").expect("the template is sound");
    ProgressBar::no_length().with_style(style)
}
