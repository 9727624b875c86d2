//! Torture of the real binary: builds it and what hurts it, and runs that with whatever was asked for.
//!
//! What is done and what is checked is in `crates/torture`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::program::{finish, install};

/// What a run with Patroni needs beside PostgreSQL, by the names of Debian's packages.
const PATRONI: &[&str] = &[
    "etcd-server",
    "iproute2",
    "nftables",
    "patroni",
    "postgresql",
    "python3-etcd",
];
/// What injects the faults that a process cannot do to another by itself.
const INJECTORS: &[&str] = &["libfaketime", "strace"];

/// Hurts nodes.
///
/// # Errors
/// A build that fails, or a rule that is broken.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    if let Err(error) = install(INJECTORS) {
        eprintln!("xtask: some faults will be skipped: {error:#}");
    }
    build_and_run(root, args)
}

/// Loses the primary of three servers.
///
/// # Errors
/// As [`run`]; and something is missing that cannot be installed.
pub fn patroni(root: &Path, args: &[String]) -> Result<()> {
    install(PATRONI)?;
    let args: Vec<String> = std::iter::once("patroni".to_owned())
        .chain(args.iter().cloned())
        .collect();
    build_and_run(root, &args)
}

fn build_and_run(root: &Path, args: &[String]) -> Result<()> {
    let mut build = Command::new("cargo");
    build
        .current_dir(root)
        .args(["build", "--quiet", "--package", "cli", "--package", "torture"]);
    finish(&mut build)?;
    // This program lies where cargo has just put its neighbours.
    let here = std::env::current_exe().context("the path of this program")?;
    let mut torture = Command::new(here.with_file_name("redial-torture"));
    torture.env("REDIAL_BIN", here.with_file_name("redial"));
    torture.current_dir(root).args(args);
    finish(&mut torture)
}
