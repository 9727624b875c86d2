//! `redial copy`: moves everything from one database into another.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret as _;
use serde_json::json;
use store::transfer::{Kind, Outcome, Side, Sum, transfer};
use store_postgres::PostgresSide;
use store_sqlite::SqliteSide;

use super::{Misuse, runtime};
use crate::database::{Database, masked};
use crate::output;

/// Digits of a checksum that a person compares.
const DIGITS: usize = 16;

/// Moves it, and says what was moved.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let given = |flag: &str| -> anyhow::Result<(String, Database)> {
        let url = flags.get_one::<String>(flag).expect("clap requires it");
        let database = Database::read(url);
        let database = database.map_err(|error| Misuse(format!("--{flag} {}: {error}", masked(url))))?;
        Ok((masked(url), database))
    };
    let ((from, source), (to, target)) = (given("from")?, given("to")?);
    let begun = Instant::now();
    let outcome = runtime()?.block_on(copy(&source, &target))?;
    let took = begun.elapsed();
    match outcome {
        Outcome::Copied(sums) if flags.get_flag("json") => {
            let kinds = sums
                .iter()
                .map(|sum| json!({ "kind": sum.kind.name(), "rows": sum.rows, "sha256": sum.digest }));
            output::json(&json!({
                "from": from,
                "to": to,
                "kinds": kinds.collect::<Vec<_>>(),
                "duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            }));
        }
        Outcome::Copied(sums) => {
            output::data(table(&sums));
            output::say(format_args!(
                "every row was read back from {to} and is the same, in {:.1} s",
                took.as_secs_f64()
            ));
        }
        Outcome::Finished => output::say(format_args!("{to} has had everything already")),
    }
    output::say(format_args!(
        "{from} is closed: nothing is dialled from it any more. Set DATABASE_URL to {to}."
    ));
    Ok(ExitCode::SUCCESS)
}

async fn copy(source: &Database, target: &Database) -> anyhow::Result<Outcome> {
    let mut source: Box<dyn Side> = match source {
        Database::File(path) => Box::new(SqliteSide::source(path).context("--from")?),
        Database::Server(url) => Box::new(
            PostgresSide::source(url.expose_secret())
                .await
                .context("--from")?,
        ),
    };
    let mut target: Box<dyn Side> = match target {
        Database::File(path) => Box::new(SqliteSide::target(path).context("--to")?),
        Database::Server(url) => Box::new(PostgresSide::target(url.expose_secret()).await.context("--to")?),
    };
    let bar = bar();
    let mut tell = |kind: Kind, rows| {
        bar.set_message(kind.name());
        bar.set_position(rows);
    };
    let outcome = transfer(source.as_mut(), target.as_mut(), &mut tell).await;
    bar.finish_and_clear();
    outcome.context("nothing was moved")
}

/// How many rows of each kind, and the beginning of their checksum.
fn table(sums: &[Sum]) -> String {
    let lines = sums.iter().map(|sum| {
        let digest = &sum.digest[..DIGITS];
        format!("{:<8} {:>10}  {digest}", sum.kind.name(), sum.rows)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Shows how far the copy is, to a person.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{pos} {msg}").expect("the template is sound");
    ProgressBar::no_length().with_style(style)
}
