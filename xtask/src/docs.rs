//! The pages that the code itself knows best, written by asking it: the commands by their help, the settings by
//! `redial config` and the file of their defaults, the metrics by a server that has just started.
//!
//! Knows the binary from outside only. What is errors and routes has its own tests: docs/errors.md is written by hand
//! and compared with the code, the routes are in the published document.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::api::parties::Parties;

/// Stands at the head of every page that is written here.
const HEAD: &str =
    "<!-- Written by `cargo xtask docs`: change the code that it comes from, then run that. -->\n\n";

/// Where help begins to repeat the settings, which have their own page.
const SETTINGS_HEADING: &str = "\nSettings:\n";

/// Writes every page, or with `only_check` says which are not as they would be written.
///
/// # Errors
/// A page that differs where only a check is wanted, or a binary that does not answer.
pub fn run(root: &Path, redial: &Path, only_check: bool) -> Result<()> {
    let pages = [
        ("docs/commands.md", commands(redial)?),
        ("docs/settings.md", settings(root, redial)?),
        ("docs/metrics.md", metrics(redial)?),
    ];
    let mut stale = Vec::new();
    for (path, text) in pages {
        let file = root.join(path);
        let text = format!("{HEAD}{text}");
        if std::fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        if only_check {
            stale.push(path);
        } else {
            std::fs::write(&file, text).with_context(|| path.to_owned())?;
            eprintln!("xtask: docs: {path} written");
        }
    }
    if !stale.is_empty() {
        bail!(
            "not as the code has it: {}; `cargo xtask docs` writes them",
            stale.join(", ")
        );
    }
    eprintln!("xtask: docs: the pages are as the code has them");
    Ok(())
}

/// What the binary prints when it knows nothing of this machine: no environment, no settings file.
fn said(redial: &Path, args: &[&str]) -> Result<String> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let mut command = Command::new(redial);
    command.args(args).env_clear().current_dir(folder.path());
    let done = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr));
    }
    String::from_utf8(done.stdout).context("the binary speaks UTF-8")
}

/// Every command by its help.
fn commands(redial: &Path) -> Result<String> {
    let mut page = String::from(
        "# Commands\n\nData goes to stdout, everything else to stderr. Exit code 0, 1 (failed) or 2 (wrong usage or \
         settings).\n\nCommands that show `[SETTINGS]` take every setting as a flag too: [settings.md](settings.md) \
         lists them.\n",
    );
    let mut left: Vec<Vec<String>> = subcommands(&said(redial, &["--help"])?)
        .into_iter()
        .map(|name| vec![name])
        .collect();
    left.reverse();
    while let Some(words) = left.pop() {
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        args.push("--help");
        let help = said(redial, &args)?;
        let inner = subcommands(&help);
        if !inner.is_empty() {
            // Its parts say everything.
            left.extend(inner.into_iter().rev().map(|name| {
                let mut longer = words.clone();
                longer.push(name);
                longer
            }));
            continue;
        }
        let help = match help.split_once(SETTINGS_HEADING) {
            Some((own, _)) => own.replacen("[OPTIONS]", "[OPTIONS] [SETTINGS]", 1),
            None => help,
        };
        write!(
            page,
            "\n## `redial {}`\n\n```text\n{}\n```\n",
            words.join(" "),
            help.trim_end()
        )?;
    }
    Ok(page)
}

/// The names under `Commands:`; `help` is no command of ours.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.split_once("\nCommands:\n").map_or("", |it| it.1);
    listed
        .lines()
        .take_while(|line| !line.is_empty())
        // A deeper indent goes on with the line before.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// Every setting with its names and default, then the file of the defaults, which explains them.
fn settings(root: &Path, redial: &Path) -> Result<String> {
    let path = root.join("crates/cli/src/config.default.toml");
    let defaults = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let listed: Value =
        serde_json::from_str(&said(redial, &["config", "--json"])?).context("`redial config --json`")?;
    let mut rows = Vec::new();
    for (environment, setting) in listed
        .as_object()
        .context("`redial config --json` gives an object")?
    {
        let name = setting["name"].as_str().context("a setting has a name")?;
        let place = defaults.lines().position(|line| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ="))
        });
        let place = place.with_context(|| format!("{} does not explain {name}", path.display()))?;
        let default = match setting["value"].as_str() {
            Some(value) => format!("`{value}`"),
            None => "none".to_owned(),
        };
        let about = setting["about"].as_str().context("a setting is explained")?;
        let flag = name.replace('_', "-");
        rows.push((
            place,
            format!("| `{environment}` | `--{flag}` | {default} | {about} |\n"),
        ));
    }
    rows.sort();
    let mut page = String::from(
        "# Settings\n\nA setting is taken from its flag, else from its environment variable, else from `redial.toml` in \
         the working directory (`--config FILE` names another), else from its default. In the file it has the flag's \
         name with `_` for `-`. `redial config` prints every setting, its value, and where that comes from. A name that \
         is none is refused.\n\n| environment | flag | default | what |\n| --- | --- | --- | --- |\n",
    );
    page.extend(rows.into_iter().map(|row| row.1));
    write!(
        page,
        "\nThe same as a file, with more words:\n\n```toml\n{}\n```\n",
        defaults.trim_end()
    )?;
    Ok(page)
}

/// Every figure that a server gives from its start on.
fn metrics(redial: &Path) -> Result<String> {
    let parties = Parties::start(redial)?;
    let file = parties.save("/metrics", "metrics.txt")?;
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut page = String::from(
        "# Metrics\n\n`GET /metrics`, in the text form of OpenMetrics. The figures are of this process: counters begin \
         at 0 with it. Every row is there from the start. [monitoring.md](monitoring.md) says how they are scraped, and \
         what to be alerted of.\n\n| name | kind | what | `word` |\n| --- | --- | --- | --- |\n",
    );
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, about)) = line.strip_prefix("# HELP ").and_then(|it| it.split_once(' ')) else {
            continue;
        };
        let kind = lines
            .next()
            .and_then(|it| it.strip_prefix("# TYPE ")?.split(' ').nth(1))
            .context("a figure has a type")?;
        let mut words = Vec::new();
        while let Some(row) = lines.next_if(|it| !it.starts_with('#')) {
            words.extend(row.split_once("word=\"").and_then(|it| it.1.split('"').next()));
        }
        words.sort_unstable();
        let name = if kind == "counter" {
            format!("{name}_total")
        } else {
            name.to_owned()
        };
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let about = about.trim_end_matches('.');
        writeln!(page, "| `{name}` | {kind} | {about} | {} |", words.join(" "))?;
    }
    Ok(page)
}
