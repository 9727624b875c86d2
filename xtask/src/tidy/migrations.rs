//! A migration that has run somewhere may never change: `SHA256SUMS` beside the migrations remembers each.
//!
//! The file has the form that `sha256sum -c` reads. New lines are written by `cargo xtask tidy --record`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Finding;
use super::tree::Tree;

/// The name of the list of checksums in a folder of migrations.
const SUMS: &str = "SHA256SUMS";

/// Every migration that was edited, deleted or not yet recorded, and every one that another store lacks.
pub fn unedited(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let folders = folders(tree);
    for (folder, files) in &folders {
        let recorded = recorded(tree, folder);
        for (name, text) in files {
            let path = format!("{folder}/{name}");
            match recorded.get(*name) {
                None => found.push(finding(&path, "is not recorded: cargo xtask tidy --record")),
                Some(sum) if *sum != checksum(text) => {
                    found.push(finding(
                        &path,
                        "was edited after it was recorded: add a new migration instead",
                    ));
                }
                Some(_) => {}
            }
        }
        for name in recorded.keys().filter(|it| !files.contains_key(*it)) {
            found.push(finding(
                &format!("{folder}/{name}"),
                "is recorded and gone: migrations are kept for ever",
            ));
        }
    }
    found.extend(unpaired(&folders));
    found
}

/// Appends the checksum of each migration that has none; what is recorded stays as it is.
///
/// # Errors
/// A list that cannot be written.
pub fn record(root: &Path, tree: &Tree) -> Result<()> {
    for (folder, files) in folders(tree) {
        let path = format!("{folder}/{SUMS}");
        let known = recorded(tree, folder);
        let mut list = tree.text(&path).unwrap_or_default().to_owned();
        for (name, text) in files.iter().filter(|it| !known.contains_key(*it.0)) {
            list.push_str(&format!("{}  {name}\n", checksum(text)));
            eprintln!("xtask: recorded {folder}/{name}");
        }
        std::fs::write(root.join(&path), list).with_context(|| path.clone())?;
    }
    Ok(())
}

/// Each folder of migrations with its files' names and texts.
fn folders(tree: &Tree) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut folders: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for file in tree.all() {
        let Some((folder, name)) = file.path.rsplit_once('/') else {
            continue;
        };
        if folder.ends_with("/migrations") && name.ends_with(".sql") {
            folders.entry(folder).or_default().insert(name, &file.text);
        }
    }
    folders
}

/// The recorded checksum of each file name in a folder.
fn recorded<'a>(tree: &'a Tree, folder: &str) -> BTreeMap<&'a str, &'a str> {
    let list = tree.text(&format!("{folder}/{SUMS}")).unwrap_or_default();
    list.lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, name)| (name, sum))
        .collect()
}

/// Both stores carry the same migrations, number by number, so that a schema is one thing with two spellings.
fn unpaired(folders: &BTreeMap<&str, BTreeMap<&str, &str>>) -> Vec<Finding> {
    let every: BTreeSet<&str> = folders.values().flat_map(|it| it.keys().copied()).collect();
    let mut found = Vec::new();
    for (folder, files) in folders {
        for name in every.iter().filter(|it| !files.contains_key(*it)) {
            found.push(finding(
                &format!("{folder}/{name}"),
                "is missing: another store has this migration",
            ));
        }
    }
    found
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect()
}

fn finding(path: &str, text: &str) -> Finding {
    Finding::new("migration", path, 0, text.to_owned())
}
