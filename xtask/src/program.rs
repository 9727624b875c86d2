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

/// Whether `cargo <name>` exists on this machine.
pub(crate) fn has_subcommand(name: &str) -> bool {
    let mut command = Command::new("cargo");
    command
        .args([name, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|it| it.success())
}

/// Has Debian's packages installed that are missing. They are looked for in the package system's own list.
///
/// # Errors
///
/// Something is missing and cannot be installed: not Debian, or not root.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let is_missing = |package: &&&str| {
        let mut ask = Command::new("dpkg-query");
        ask.args(["--show", "--showformat=${db:Status-Status}", package])
            .stderr(Stdio::null());
        !ask.output().is_ok_and(|it| it.stdout == b"installed")
    };
    let missing: Vec<&&str> = packages.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: installing {missing:?}");
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(missing);
    finish(install.env("DEBIAN_FRONTEND", "noninteractive"))
}
