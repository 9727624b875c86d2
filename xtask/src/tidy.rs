//! The house rules that a compiler does not know. Each rule is a function from the tree to what offends it.
//!
//! Rules know nothing of each other; files are read once. Called by `cargo xtask tidy`, `fast` and `ci`.

mod allow;
mod book;
mod edges;
mod lex;
mod migrations;
mod names;
mod shape;
mod tree;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

use tree::Tree;

/// One offence: which rule, where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    rule: &'static str,
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    text: String,
}

impl Finding {
    fn new(rule: &'static str, path: &str, line: usize, text: String) -> Self {
        Self {
            rule,
            path: path.to_owned(),
            line,
            text,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.path)?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
        }
        write!(out, ": [{}] {}", self.rule, self.text)
    }
}

/// Reads the tree and prints every offence; with `record`, first writes down new migrations.
///
/// # Errors
/// At least one offence, or a file that cannot be read.
pub fn run(root: &Path, record: bool) -> Result<()> {
    let mut tree = Tree::read(root)?;
    if record {
        migrations::record(root, &tree)?;
        tree = Tree::read(root)?;
    }
    let findings = allow::apply(
        check(&tree),
        tree.text(allow::FILE).unwrap_or_default(),
        allow::CEILING,
    );
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} offences", findings.len());
    }
    eprintln!("xtask: tidy: {} files in order", tree.all().count());
    Ok(())
}

/// Every offence in the tree, exceptions not yet considered.
fn check(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 12] = [
        shape::sizes,
        shape::functions,
        shape::heads,
        names::files,
        names::types,
        words::banned,
        words::vendor,
        edges::edges,
        migrations::unedited,
        book::listed,
        book::dead_links,
        book::absent_tests,
    ];
    rules.iter().flat_map(|rule| rule(tree)).collect()
}
