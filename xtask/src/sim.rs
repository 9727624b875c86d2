//! The simulated world: builds the binary that runs it, optimised, because it lives through thousands of calls a second
//! then, and runs it with whatever was asked for.
//!
//! What it simulates and what it checks is in `crates/world`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::program::{self, finish};

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
    let built = program::target()?.join(PROFILE);
    let mut world = Command::new(built.join("redial-world"));
    world.current_dir(root).args(args);
    finish(&mut world)
}

/// A folder of its own: neither the slow linking of a release nor the slow code of a test.
const PROFILE: &str = "world";
