//! The checks as a list of steps, stopped at the first that fails.
//!
//! Quick steps come first, the tests last, so that the last lines on the screen are the test runner's summary.
//! Everything is built in the dev profile with one choice of features: nothing is compiled twice for tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::program::has_subcommand;
use crate::{api, docs, packaging, pg, sim, slow, tidy};

/// The feature of the binary that lets a test stop it at a named point; built in for tests where it exists.
const CRASH_POINTS: &str = "crash-points";

/// Runs what a developer wants before every commit: house rules, format, lints and unit tests.
///
/// # Errors
/// The first step that fails.
pub fn fast(root: &Path) -> Result<()> {
    tidy::run(root, false)?;
    format(root)?;
    lint(root)?;
    let mut unit = test_runner(root)?;
    unit.args(["--workspace", "--lib", "--bins"]);
    let database = pg::for_tests(&mut unit);
    if let Err(error) = &database {
        eprintln!("xtask: tests on PostgreSQL: SKIPPED: {error:#}");
        unit.args(["--exclude", "store-postgres"]);
    }
    step("unit tests", &mut unit)
}

/// Runs everything that a change must pass, the real binary included.
///
/// # Errors
/// The first step that fails.
pub fn ci(root: &Path) -> Result<()> {
    tidy::run(root, false)?;
    format(root)?;
    lint(root)?;
    let mut doc = cargo(root, &["doc", "--workspace", "--no-deps", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    step("documentation", &mut doc)?;

    // Binaries and tests in one command: the tests' features hold for both, so each dependency is built once.
    let features = test_features(root)?;
    let mut build = cargo(root, &["build", "--workspace", "--bins", "--tests", "--quiet"]);
    step("build", build.args(&features))?;

    let mut tests = test_runner(root)?;
    tests
        .args(["--workspace", "--lib", "--bins", "--tests"])
        .args(&features);
    // This program lies where cargo puts every binary of the workspace.
    let here = std::env::current_exe().context("the path of this program")?;
    let redial = here.with_file_name("redial");
    tests.env("REDIAL_BIN", &redial);
    let database = pg::for_tests(&mut tests)?;
    docs::run(root, &redial, true)?;
    packaging::run(root, &redial)?;
    api::run(root, &redial)?;
    slow::run(&redial, SLOW_PEERS.0, SLOW_PEERS.1)?;
    for args in WORLDS {
        eprintln!("xtask: simulated world");
        sim::run(root, &args.map(str::to_owned))?;
    }
    let mut pooled = test_runner(root)?;
    // It links nothing of ours, so no feature of ours concerns it.
    pooled
        .args(["--package", "e2e", "--test", "it", "--"])
        .args(POOLED);
    pooled
        .env("REDIAL_BIN", &redial)
        .env("REDIAL_E2E_STORE", "pooled");
    pooled.env(pg::SERVER, database.url("postgres"));
    step("tests through a pooler", &mut pooled)?;
    step("tests", &mut tests)
}

/// What of the real binary's tests runs once more on PostgreSQL behind a pooler, where every statement takes another way
/// to the server: whole lives of calls, and everything that the carrier can do to them.
const POOLED: [&str; 6] = [
    "callbacks::",
    "cancel::",
    "create::",
    "endings::",
    "faults::",
    "idempotency::",
];

/// The simulated worlds that every change must pass, in two minutes on a small machine: sound ones on both stores, and
/// each planted bug noticed.
const WORLDS: [[&str; 4]; 3] = [
    ["--seeds", "10000", "--store", "model"],
    ["--seeds", "60", "--store", "sqlite"],
    ["--seeds", "1000", "--bug", "all"],
];

/// Slow peers in every change's checks, and the seconds of each way of being slow. `cargo xtask slow` takes more.
const SLOW_PEERS: (u32, u32) = (1_000, 8);

/// Builds the binary and holds slow peers against it.
///
/// # Errors
/// A build that fails, or what a check found.
pub fn slow(root: &Path, connections: u32, seconds: u32) -> Result<()> {
    slow::run(&binary(root)?, connections, seconds)
}

/// Builds the binary and holds the published document against it.
///
/// # Errors
/// A build that fails, or what a check found.
pub fn api(root: &Path) -> Result<()> {
    api::run(root, &binary(root)?)
}

/// Builds the binary and writes the pages that it knows best, or says which are not as it would write them.
///
/// # Errors
/// A build that fails, or a page that differs where only a check is wanted.
pub fn docs(root: &Path, only_check: bool) -> Result<()> {
    docs::run(root, &binary(root)?, only_check)
}

/// Builds the binary and has what is shipped beside it judged.
///
/// # Errors
/// A build that fails, or what a check found.
pub fn packaging(root: &Path) -> Result<()> {
    packaging::run(root, &binary(root)?)
}

/// Builds the binary; gives back where it lies.
fn binary(root: &Path) -> Result<PathBuf> {
    let mut build = cargo(root, &["build", "--package", "cli", "--quiet"]);
    step("build", build.args(test_features(root)?))?;
    let here = std::env::current_exe().context("the path of this program")?;
    Ok(here.with_file_name("redial"))
}

/// Compares the tree with what rustfmt would write.
fn format(root: &Path) -> Result<()> {
    if !has_subcommand("fmt") {
        return skipped("format", "rustup component add rustfmt");
    }
    step("format", &mut cargo(root, &["fmt", "--all", "--check"]))
}

/// Asks clippy about every target; a warning is an error.
fn lint(root: &Path) -> Result<()> {
    if !has_subcommand("clippy") {
        return skipped("lints", "rustup component add clippy");
    }
    let mut clippy = cargo(root, &["clippy", "--workspace", "--all-targets", "--quiet"]);
    step(
        "lints",
        clippy.args(test_features(root)?).args(["--", "-D", "warnings"]),
    )
}

/// `cargo nextest run` where it is installed, else `cargo test`, which needs nothing but Rust.
fn test_runner(root: &Path) -> Result<Command> {
    if has_subcommand("nextest") {
        return Ok(cargo(root, &["nextest", "run"]));
    }
    eprintln!("xtask: cargo-nextest is not installed, so `cargo test` runs the tests (slower, same verdict)");
    eprintln!("xtask: to have it: cargo install cargo-nextest --locked");
    Ok(cargo(root, &["test", "--no-fail-fast"]))
}

/// The `--features` that tests are built with, read from the binary's manifest.
fn test_features(root: &Path) -> Result<Vec<String>> {
    let path = root.join("crates/cli/Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let manifest: toml::Table = text.parse().with_context(|| path.display().to_string())?;
    let has = manifest
        .get("features")
        .and_then(|it| it.get(CRASH_POINTS))
        .is_some();
    Ok(if has {
        vec!["--features".to_owned(), format!("cli/{CRASH_POINTS}")]
    } else {
        Vec::new()
    })
}

/// Says loudly that a step cannot run here. A machine without the component still gets the verdict of the rest.
fn skipped(name: &str, remedy: &str) -> Result<()> {
    eprintln!("xtask: {name}: SKIPPED, not installed here. To have it: {remedy}");
    Ok(())
}

/// A cargo command in the workspace's folder.
fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(args);
    command
}

/// Runs one step to its end, its output going to the screen as it comes.
fn step(name: &str, command: &mut Command) -> Result<()> {
    eprintln!("xtask: {name}");
    let begun = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("{name}: cannot start {command:?}"))?;
    if !status.success() {
        bail!("{name} failed ({status}); to repeat it alone: {command:?}");
    }
    if name != "tests" {
        eprintln!("xtask: {name}: passed in {:.1} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}
