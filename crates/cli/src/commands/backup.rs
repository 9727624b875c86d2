//! `redial backup`: a copy of the database, made beside a running server.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Misuse, configured};
use crate::output;

/// Writes the copy and says what is in it.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (_, config) = configured(flags)?;
    let file = flags.get_one::<String>("file").expect("clap requires it");
    let to = Path::new(file);
    if to.is_dir() {
        return Err(Misuse(format!("{file} is a folder; name the file that is to be written")).into());
    }
    if to.exists() && !flags.get_flag("force") {
        return Err(Misuse(format!("{file} is there already; --force replaces it")).into());
    }
    let database = config.database.file("pg_dump copies that")?;
    let begun = Instant::now();
    let bar = bar();
    let copied = store_sqlite::back_up(database, to, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let copied = copied.context("no backup was made")?;
    let took = begun.elapsed();
    if flags.get_flag("json") {
        output::json(&json!({
            "file": file,
            "bytes": copied.bytes,
            "calls": copied.calls,
            "schema": copied.schema,
            "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        }));
    } else {
        output::data(format_args!(
            "{file}: {} calls, {}, checked, in {:.1} s",
            copied.calls,
            output::size(copied.bytes),
            took.as_secs_f64()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows how far the copy is, to a person.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("copying {bar:40} {percent}%").expect("the template is sound");
    ProgressBar::new(0).with_style(style)
}
