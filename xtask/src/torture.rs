//! Torture of the real binary: builds it and what hurts it, and runs that with whatever was asked for.
//!
//! What is done and what is checked is in `crates/torture`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::program::finish;

/// Builds and runs it.
///
/// # Errors
/// A build that fails, or a rule that is broken.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
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
