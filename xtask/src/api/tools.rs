//! The tools that are not Rust: installed once into `target/tools`, at the versions that `xtask/api` fixes to the last
//! of their parts, and used again for as long as those stay the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::program::{self, finish, is_there};

/// Written when an installation is complete: the checksum of what was asked for.
const STAMP: &str = "installed";

/// Where the tools lie.
pub struct Tools {
    node: PathBuf,
    python: PathBuf,
}

impl Tools {
    /// Installs what is not there yet; nothing where Node or Python is missing, which is said loudly.
    ///
    /// # Errors
    /// An installation that fails.
    pub fn install(wanted: &Path) -> Result<Option<Self>> {
        for (program, remedy) in [
            ("npm", "Node.js 20 or later"),
            ("python3", "Python 3.11 or later, with venv"),
        ] {
            if !is_there(program) {
                eprintln!("xtask: api: SKIPPED, `{program}` is not installed here. To have it: {remedy}");
                return Ok(None);
            }
        }
        let target = program::target()?;
        let folder = target.join("tools");
        let tools = Self {
            node: folder.join("node"),
            python: folder.join("python"),
        };
        tools.install_node(wanted)?;
        tools.install_python(wanted)?;
        Ok(Some(tools))
    }

    /// The linter.
    pub fn spectral(&self) -> Command {
        self.node("spectral")
    }

    /// What runs a Postman collection.
    pub fn newman(&self) -> Command {
        self.node("newman")
    }

    /// A program of the Node installation.
    fn node(&self, program: &str) -> Command {
        Command::new(self.node.join("node_modules/.bin").join(program))
    }

    /// A program of the Python installation.
    pub fn python(&self, program: &str) -> Command {
        let bin = self.python.join("bin");
        let mut command = Command::new(bin.join(program));
        // The client's generator calls a formatter that lies beside it.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(bin).chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(all) {
            command.env("PATH", path);
        }
        command
    }

    fn install_node(&self, wanted: &Path) -> Result<()> {
        once(
            &self.node,
            &[wanted.join("package.json"), wanted.join("package-lock.json")],
            || {
                let mut npm = Command::new("npm");
                // Nothing that is installed here needs to run anything for that.
                npm.current_dir(&self.node).args([
                    "ci",
                    "--ignore-scripts",
                    "--no-audit",
                    "--no-fund",
                    "--silent",
                ]);
                finish(&mut npm)
            },
        )
    }

    fn install_python(&self, wanted: &Path) -> Result<()> {
        once(&self.python, &[wanted.join("requirements.txt")], || {
            let mut venv = Command::new("python3");
            finish(venv.args(["-m", "venv"]).arg(&self.python))?;
            let mut pip = Command::new(self.python.join("bin/pip"));
            pip.args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--requirement",
            ]);
            finish(pip.arg(self.python.join("requirements.txt")))
        })
    }
}

/// Installs into an empty folder that has copies of `wanted`, unless that was done before.
fn once(folder: &Path, wanted: &[PathBuf], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut sum = Sha256::new();
    for file in wanted {
        sum.update(std::fs::read(file).with_context(|| file.display().to_string())?);
    }
    let sum = format!("{:x?}", sum.finalize());
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == sum) {
        return Ok(());
    }
    eprintln!("xtask: api: installing into {}", folder.display());
    // What is left of an installation that was cut short is in the way.
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for file in wanted {
        let name = file.file_name().context("a file has a name")?;
        std::fs::copy(file, folder.join(name)).with_context(|| file.display().to_string())?;
    }
    install()?;
    std::fs::write(&stamp, sum).with_context(|| stamp.display().to_string())
}
