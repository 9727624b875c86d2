//! What is shipped beside the binary, judged by the programs that will read it: the alerts and the dashboard's
//! questions by Prometheus's own tool, the service by systemd's.
//!
//! Knows the files under `packaging`, and what is at the root for containers. Where a program is not there and cannot be had without an installation, its
//! step is skipped, loudly.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program::{self, is_there};

mod compose;

/// What the service may be exposed to, in tenths of systemd's scale from 0 to 10: as it was when it was written, so
/// that it only gets less.
const MOST_EXPOSED: &str = "14";
/// Where the service expects the binary.
const INSTALLED: &str = "/usr/local/bin/redial";

/// Runs every check; the binary lies at `redial`.
///
/// # Errors
/// What a check found.
pub fn run(root: &Path, redial: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    prometheus(root, folder.path())?;
    compose::check(root, redial)?;
    service(root, folder.path(), redial)
}

/// The alerts, their tests, and every question of the dashboard.
fn prometheus(root: &Path, folder: &Path) -> Result<()> {
    let Some(promtool) = promtool()? else {
        eprintln!(
            "xtask: packaging: alerts: SKIPPED, `promtool` is not here. To have it: install Prometheus"
        );
        return Ok(());
    };
    let alerts = root.join("packaging/prometheus");
    check(
        "alerts",
        Command::new(&promtool)
            .args(["check", "rules"])
            .arg(alerts.join("redial.rules.yml")),
    )?;
    check(
        "alerts' tests",
        Command::new(&promtool)
            .current_dir(&alerts)
            .args(["test", "rules", "redial.rules.test.yml"]),
    )?;
    let questions = folder.join("questions.yml");
    std::fs::write(&questions, questions_as_rules(root)?).context("a temporary file")?;
    check(
        "the dashboard's questions",
        Command::new(&promtool).args(["check", "rules"]).arg(&questions),
    )
}

/// The dashboard's questions as rules, because those are what the tool reads.
fn questions_as_rules(root: &Path) -> Result<String> {
    let path = root.join("packaging/grafana/redial.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let dashboard: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
    let panels = dashboard["panels"].as_array().context("a dashboard has panels")?;
    let targets = panels
        .iter()
        .flat_map(|it| it["targets"].as_array().into_iter().flatten());
    for (number, target) in targets.enumerate() {
        let question = target["expr"].as_str().context("a target has an `expr`")?;
        // The dashboard puts a time in here.
        let question = Value::from(question.replace("$__rate_interval", "5m"));
        rules.push_str(&format!(
            "      - {{record: 'question_{number}', expr: {question}}}\n"
        ));
    }
    Ok(rules)
}

/// The service, with the binary where it is here.
fn service(root: &Path, folder: &Path, redial: &Path) -> Result<()> {
    if !is_there("systemd-analyze") {
        eprintln!(
            "xtask: packaging: service: SKIPPED, `systemd-analyze` is not here. To have it: install systemd"
        );
        return Ok(());
    }
    let path = root.join("packaging/redial.service");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    if !text.contains(INSTALLED) {
        bail!("{} does not start {INSTALLED}", path.display());
    }
    let unit = folder.join("redial.service");
    let here = text.replace(INSTALLED, &redial.display().to_string());
    std::fs::write(&unit, here).context("a temporary file")?;
    let systemd = || Command::new("systemd-analyze");
    check("service", systemd().args(["verify", "--man=no"]).arg(&unit))?;
    check(
        "service's exposure",
        systemd()
            .args(["security", "--offline=yes", "--no-pager"])
            .arg(format!("--threshold={MOST_EXPOSED}"))
            .arg(&unit),
    )
}

/// Prometheus's tool: the installed one, else the one of the distribution's package, which is unpacked beside the
/// other tools and not installed: it would bring a service along.
fn promtool() -> Result<Option<PathBuf>> {
    if is_there("promtool") {
        return Ok(Some("promtool".into()));
    }
    let target = program::target()?;
    let folder = target.join("tools/prometheus");
    let unpacked = folder.join("usr/bin/promtool");
    if unpacked.is_file() {
        return Ok(Some(unpacked));
    }
    if !is_there("apt-get") || !is_there("dpkg-deb") {
        return Ok(None);
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut download = Command::new("apt-get");
    download
        .current_dir(&folder)
        .args(["download", "--quiet", "prometheus"]);
    if check("unpacking Prometheus's tool", &mut download).is_err() {
        return Ok(None);
    }
    for entry in std::fs::read_dir(&folder)? {
        let package = entry?.path();
        if package.extension().is_some_and(|it| it == "deb") {
            check(
                "promtool",
                Command::new("dpkg-deb")
                    .arg("--extract")
                    .arg(&package)
                    .arg(&folder),
            )?;
            std::fs::remove_file(&package)?;
        }
    }
    Ok(unpacked.is_file().then_some(unpacked))
}

/// Runs a program; what it says is shown when it objects.
fn check(name: &str, command: &mut Command) -> Result<()> {
    let done = command
        .output()
        .with_context(|| format!("{name}: cannot start {command:?}"))?;
    if !done.status.success() {
        for said in [&done.stdout, &done.stderr] {
            eprint!("{}", String::from_utf8_lossy(said));
        }
        bail!("{name} ({}): {command:?}", done.status);
    }
    eprintln!("xtask: packaging: {name}: passed");
    Ok(())
}
