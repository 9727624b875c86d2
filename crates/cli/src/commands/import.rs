//! `redial import`: takes over the calls of the prototype from an export of its database.

use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use domain::{Policy, Step, Timestamp};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use prototype::{Piece, Splitter};
use store::{At, Imported, Store, StoreError};
use tokio::task::JoinHandle;

use super::{configured, runtime};
use crate::config::Config;
use crate::{output, wiring};

mod report;

use report::{Report, Standing};

/// Bytes read at a time: some hundred documents.
const PORTION: usize = 256 * 1024;

/// Documents stored in one transaction. The indexes take their entries all over the place, so that
/// a transaction of few writes as many pages as one of many; this many are some tens of megabytes.
const BATCH: usize = 40_000;

/// Imports a file, or shows what an import of it would do.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (_, config) = configured(flags)?;
    let name = flags.get_one::<String>("file").map_or("-", String::as_str);
    let dry_run = flags.get_flag("dry-run");
    let (source, bar) = open(name)?;
    let runtime = runtime()?;
    let store = match dry_run {
        true => None,
        false => Some(runtime.block_on(open_store(&config))?),
    };
    let mut import = Import::new(&config, store, bar)?;
    let read = runtime.block_on(import.read(source));
    import.bar.finish_and_clear();
    let report = import.report;
    read.with_context(|| {
        let there = report.imported;
        format!("stopped after {there} imported calls; they stay, and another run takes only the others")
    })?;
    if flags.get_flag("json") {
        output::json(&report.json(dry_run));
    } else {
        output::data(report.words(dry_run));
    }
    Ok(if report.broken == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is read, and a bar that shows how far it has come, where somebody sees it.
fn open(name: &str) -> anyhow::Result<(Box<dyn Read>, ProgressBar)> {
    let shown = |length| ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    if name == "-" {
        if std::io::stdin().is_terminal() {
            bail!("`-` reads an export from another program: mongoexport ... | redial import -");
        }
        let style = ProgressStyle::with_template("{spinner} {bytes} read, {msg}")?;
        return Ok((Box::new(std::io::stdin()), shown(None).with_style(style)));
    }
    let file = File::open(name).with_context(|| format!("{name} cannot be read"))?;
    let facts = file
        .metadata()
        .with_context(|| format!("{name} cannot be read"))?;
    if facts.is_dir() {
        bail!("{name} is a folder; an import reads one file, as mongoexport writes it");
    }
    let style = ProgressStyle::with_template("{wide_bar} {percent}%, {msg}, {eta} left")?;
    Ok((Box::new(file), shown(Some(facts.len())).with_style(style)))
}

async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let opened = wiring::open_store_to_import(config).await;
    opened.map_err(|error| match error.downcast_ref() {
        Some(StoreError::Held(_)) => error.context(
            "an import writes into the database itself: stop the server first, and start it again afterwards",
        ),
        _ => error,
    })
}

/// An import under way.
struct Import {
    /// Nothing in a dry run.
    store: Option<Arc<dyn Store>>,
    policy: Policy,
    at: At,
    report: Report,
    bar: ProgressBar,
    /// Read, and not yet with the store.
    batch: Vec<Step>,
    /// Where each of them stood in the file, and what it is.
    origins: Vec<Origin>,
    /// With the store, while the next batch is read.
    stored: Option<(JoinHandle<Outcomes>, Vec<Origin>)>,
}

type Outcomes = Result<Vec<Imported>, StoreError>;

struct Origin {
    line: u64,
    standing: Standing,
}

impl Import {
    fn new(config: &Config, store: Option<Arc<dyn Store>>, bar: ProgressBar) -> anyhow::Result<Import> {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the clock of this machine shows a time before 1970")?;
        let now = Timestamp::from_millis(0) + since;
        Ok(Import {
            store,
            policy: config.policy.clone(),
            at: At {
                now,
                dice: 0,
                rules: Arc::new(config.rules.clone()),
            },
            report: Report::default(),
            bar,
            batch: Vec::new(),
            origins: Vec::new(),
            stored: None,
        })
    }

    /// Reads it to its end, storing batch after batch.
    async fn read(&mut self, mut source: Box<dyn Read>) -> anyhow::Result<()> {
        let mut splitter = Splitter::default();
        let mut portion = vec![0; PORTION];
        loop {
            let length = match source.read(&mut portion) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("the export cannot be read on"),
            };
            splitter.push(&portion[..length], &mut |piece| self.take(&piece));
            self.bar.inc(u64::try_from(length).unwrap_or(0));
            self.bar
                .set_message(format!("{} documents", self.report.documents));
            if self.batch.len() >= BATCH {
                self.send().await?;
            }
        }
        splitter.finish(&mut |piece| self.take(&piece));
        self.send().await?;
        self.settle().await
    }

    /// Takes one document of the file, or tells why not.
    fn take(&mut self, piece: &Piece<'_>) {
        self.report.documents += 1;
        match prototype::read(piece, &self.policy, self.at.now) {
            Err(broken) => self.broken(broken),
            Ok(converted) => {
                if !converted.remarks.is_empty() {
                    self.remark(piece.line, &converted.remarks);
                }
                let standing = Standing::of(&converted.step.call, self.at.now);
                let line = piece.line;
                self.origins.push(Origin { line, standing });
                self.batch.push(converted.step);
            }
        }
    }

    fn broken(&mut self, what: impl std::fmt::Display) {
        self.report.broken += 1;
        self.bar.suspend(|| output::say(what));
    }

    fn remark(&mut self, line: u64, remarks: &[String]) {
        self.report.remarks += 1;
        let told = self.report.remarks;
        self.bar.suspend(|| {
            if told <= report::REMARKS_TOLD {
                output::say(format_args!("line {line}: note: {}", remarks.join("; ")));
            } else if told == report::REMARKS_TOLD + 1 {
                output::say("further notes are only counted; each is in its call's history");
            }
        });
    }

    /// Gives what was read to the store, once that has the batch before.
    async fn send(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let origins = std::mem::take(&mut self.origins);
        let Some(store) = self.store.clone() else {
            for origin in origins {
                self.report.imported(origin.standing);
            }
            return Ok(());
        };
        self.settle().await?;
        let at = self.at.clone();
        let stored = tokio::spawn(async move { store.import(batch, at).await });
        self.stored = Some((stored, origins));
        Ok(())
    }

    /// Waits for the store, and counts what it says.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let Some((stored, origins)) = self.stored.take() else {
            return Ok(());
        };
        for (outcome, Origin { line, standing }) in stored.await??.into_iter().zip(origins) {
            match outcome {
                Imported::New => self.report.imported(standing),
                Imported::AlreadyThere => self.report.already_there += 1,
                Imported::LegTaken { sid, owner } => self.broken(format_args!(
                    "line {line}: twilio_sid: {sid} is an attempt of call {owner} already"
                )),
            }
        }
        Ok(())
    }
}
