//! Other programs, run by the steps.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs a program to its end.
///
/// # Errors
///
/// It could not be started, or did not succeed.
pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}

/// The folder that everything is built into, as this program was.
///
/// # Errors
///
/// This program lies somewhere else.
pub(crate) fn target() -> Result<PathBuf> {
    // This program lies in target/debug.
    let here = std::env::current_exe().context("the path of this program")?;
    let target = here.ancestors().nth(2);
    Ok(target
        .context("this program lies in no target folder")?
        .to_owned())
}

/// Whether this machine has a program.
pub(crate) fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|it| it.success())
}
