//! The measurements: builds what is measured and what measures it, optimised as a release is, and runs them.
//!
//! What is measured, and how, is in `crates/bench`. Never a part of the checks: a figure depends on the machine.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::program::{self, finish};

/// Builds both binaries in one go, so that they share every dependency, and measures.
///
/// # Errors
/// A build that fails, or a measurement that could not be made.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let mut build = Command::new("cargo");
    build
        .current_dir(root)
        .args(["build", "--release", "--package", "cli", "--package", "bench"]);
    finish(&mut build)?;
    let built = program::target()?.join("release");
    let mut measure = Command::new(built.join("redial-bench"));
    measure.current_dir(root).args(args);
    finish(&mut measure)
}
