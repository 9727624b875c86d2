//! `docs` as a book: HTML with a table of contents and a search, made by mdBook at a fixed version.
//!
//! A command of its own: building the tool takes minutes. That every page is in the table of contents and that no link
//! is dead is tidy's business.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::program::{self, finish};

/// The version that the book was last looked at with.
const VERSION: &str = "0.5.4";

/// Installs the tool unless that was done before, and makes the book.
///
/// # Errors
/// The installation or the tool.
pub fn run(root: &Path) -> Result<()> {
    let target = program::target()?;
    let tools = target.join("tools/mdbook");
    let mdbook = tools.join("bin/mdbook");
    if !is_wanted(&mdbook) {
        eprintln!("xtask: book: building mdBook {VERSION} into {}", tools.display());
        let mut install = Command::new("cargo");
        install
            .args(["install", "mdbook", "--version", VERSION, "--locked", "--root"])
            .arg(&tools)
            .args(["--no-default-features", "--features", "search"])
            .env("CARGO_TARGET_DIR", target.join("tools/build"));
        finish(&mut install)?;
    }
    let book = target.join("book");
    finish(
        Command::new(&mdbook)
            .arg("build")
            .arg(root.join("docs"))
            .arg("--dest-dir")
            .arg(&book),
    )?;
    eprintln!("xtask: book: {}", book.join("index.html").display());
    Ok(())
}

fn is_wanted(mdbook: &Path) -> bool {
    let said = Command::new(mdbook).arg("--version").output();
    said.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).trim().ends_with(VERSION))
}
