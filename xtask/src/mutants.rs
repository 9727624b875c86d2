//! Who tests the tests, by the hundred: cargo-mutants changes one expression after the other in the code that decides
//! whether a phone rings, and the tests must notice. Takes an hour, so it is a command of its own and no part of CI;
//! [`crate::plant`] is the same by hand, for mistakes that are known.
//!
//! Knows which files those are, and whose tests must notice.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::program::{self, finish, has_subcommand};

/// The tool's release whose findings are written down in `docs/reliability.md`.
const RELEASE: &str = "27.1.0";
/// A change that is not noticed within this, in seconds, makes a test hang, which is noticing. Far beyond what the tests
/// take beside other work.
const TIMEOUT: &str = "90";
/// So many of a hundred must be caught: the rest are those that change nothing that can be seen.
const CAUGHT: u64 = 95;

/// A part of the code that decides.
struct Part {
    name: &'static str,
    package: &'static str,
    files: &'static [&'static str],
    /// Whose tests must notice.
    tests: &'static [&'static str],
}

/// The parts, in the order in which a dial meets them.
const PARTS: &[Part] = &[
    Part {
        name: "step",
        package: "domain",
        files: &[
            "crates/domain/src/step.rs",
            "crates/domain/src/step/*.rs",
            "crates/domain/src/attempt.rs",
            "crates/domain/src/forgotten.rs",
            "crates/domain/src/outcome.rs",
            "crates/domain/src/rate.rs",
            "crates/domain/src/retry.rs",
        ],
        tests: &["domain"],
    },
    Part {
        name: "permit",
        package: "store",
        files: &["crates/store/src/work.rs", "crates/store/src/work/*.rs"],
        tests: &["store", "store-sqlite"],
    },
    Part {
        name: "classify",
        package: "carrier-twilio",
        files: &[
            "crates/carrier-twilio/src/verdict.rs",
            "crates/carrier-twilio/src/list.rs",
            "crates/carrier-twilio/src/signature.rs",
        ],
        tests: &["carrier-twilio"],
    },
    Part {
        name: "gate",
        package: "engine",
        files: &["crates/engine/src/gate.rs", "crates/engine/src/gate/*.rs"],
        tests: &["engine"],
    },
];

/// Runs the parts whose name contains `only`, or all, and says how many of how many were caught.
///
/// # Errors
/// A part of which too few were caught; a tool that cannot be had.
pub fn run(root: &Path, only: Option<&str>) -> Result<()> {
    let wanted: Vec<&Part> = PARTS
        .iter()
        .filter(|part| only.is_none_or(|only| part.name.contains(only)))
        .collect();
    ensure!(
        !wanted.is_empty(),
        "the parts are step, permit, classify and gate"
    );
    let tool = tool()?;
    let mut weak = Vec::new();
    for part in wanted {
        let counts = changed(root, &tool, part)?;
        println!(
            "{:<10} {} of {} caught; {} more do not compile",
            part.name,
            counts.caught,
            counts.all(),
            counts.unviable
        );
        counts.missed.iter().for_each(|it| println!("  missed   {it}"));
        if counts.caught * 100 < counts.all() * CAUGHT {
            weak.push(part.name);
        }
    }
    if weak.is_empty() {
        Ok(())
    } else {
        bail!("fewer than {CAUGHT} of 100 caught: {}", weak.join(", "))
    }
}

/// What became of the changes of a part.
struct Counts {
    caught: u64,
    unviable: u64,
    missed: Vec<String>,
}

impl Counts {
    fn all(&self) -> u64 {
        self.caught + self.missed.len() as u64
    }
}

fn changed(root: &Path, tool: &Path, part: &Part) -> Result<Counts> {
    let findings = root.join("target/mutants").join(part.name);
    std::fs::create_dir_all(&findings).with_context(|| findings.display().to_string())?;
    let mut command = Command::new(tool);
    command
        .current_dir(root)
        .args(["mutants", "--package", part.package])
        .args(["--timeout", TIMEOUT, "--colors", "never", "--output"])
        .arg(&findings);
    for file in part.files {
        command.args(["--file", file]);
    }
    command.args(["--test-package", &part.tests.join(",")]);
    if has_subcommand("nextest") {
        command.args(["--test-tool", "nextest"]);
    }
    // The tool builds copies of the tree, each with a folder of its own for what is built.
    command.env_remove("CARGO_TARGET_DIR");
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    // 2: some were missed; 3: some ran into the time-out.
    ensure!(
        matches!(status.code(), Some(0 | 2 | 3)),
        "{command:?} failed ({status})"
    );
    read(&findings.join("mutants.out/outcomes.json"))
}

fn read(path: &Path) -> Result<Counts> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let outcomes: Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    let count = |name: &str| {
        outcomes[name]
            .as_u64()
            .with_context(|| format!("`{name}` in {}", path.display()))
    };
    let all = outcomes["outcomes"].as_array().context("a list of outcomes")?;
    let missed = all.iter().filter(|it| it["summary"] == "MissedMutant");
    let missed = missed.map(|it| {
        it["scenario"]["Mutant"]["name"]
            .as_str()
            .unwrap_or("?")
            .to_owned()
    });
    Ok(Counts {
        caught: count("caught")? + count("timeout")?,
        unviable: count("unviable")?,
        missed: missed.collect(),
    })
}

/// The installed tool, or one built beside everything else.
fn tool() -> Result<PathBuf> {
    if has_subcommand("mutants") {
        return Ok("cargo-mutants".into());
    }
    let folder = program::target()?.join("tools/cargo-mutants");
    let tool = folder.join("bin/cargo-mutants");
    if !tool.is_file() {
        eprintln!("xtask: building cargo-mutants {RELEASE}");
        let mut install = Command::new("cargo");
        install.args(["install", "--quiet", "--locked", "--version", RELEASE]);
        finish(install.args(["cargo-mutants", "--root"]).arg(&folder))?;
    }
    Ok(tool)
}
