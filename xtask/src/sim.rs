//! The simulated world: builds the binary that runs it, optimised, because it lives through thousands of calls a second
//! then, and runs it with whatever was asked for.
//!
//! What it simulates and what it checks is in `crates/world`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::program::finish;

/// Builds and runs it.
///
/// # Errors
/// A build that fails, or a world in which something is wrong.
pub fn run(root: &Path, args: &[String]) -> Result<()> {
    let mut build = Command::new("cargo");
    build
        .current_dir(root)
        .args(["build", "--quiet", "--profile", PROFILE, "--package", "world"]);
    finish(&mut build)?;
    // This program lies in `debug` of the folder in which cargo has just made a neighbour of it.
    let here = std::env::current_exe().context("the path of this program")?;
    let built = here
        .parent()
        .context("this program lies in no folder")?
        .with_file_name(PROFILE);
    let mut world = Command::new(built.join("redial-world"));
    world.current_dir(root).args(args);
    finish(&mut world)
}

/// A folder of its own: neither the slow linking of a release nor the slow code of a test.
const PROFILE: &str = "world";
