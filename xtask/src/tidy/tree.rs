//! The repository's text files, each read once; every rule looks at the same copy.
//!
//! Knows what a test is and which crate a file belongs to, but no rule.

use std::path::Path;

use anyhow::{Context, Result};

use super::lex;

/// Folders that hold nothing of ours: build products, the version store, tools' leavings.
const FOREIGN: &[&str] = &["target", ".git", "node_modules"];

/// Crates whose every file is test code, because nothing of them reaches a user.
const DEV_ONLY: &[&str] = &["store-contract", "testkit", "e2e", "world"];

/// One text file.
pub struct File {
    /// From the workspace's root, with `/`.
    pub path: String,
    /// As it stands.
    pub text: String,
    /// Only code (of a Rust file; empty otherwise).
    pub code: String,
    /// Only the insides of string literals (of a Rust file; empty otherwise).
    pub strings: String,
}

/// All text files, ordered by path.
pub struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads every text file under `root`. Files that are not UTF-8 are not ours to judge and are left out.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        Ok(Self::new(files))
    }

    /// A tree from paths and texts.
    pub fn new(mut files: Vec<(String, String)>) -> Self {
        files.sort();
        let files = files
            .into_iter()
            .map(|(path, text)| File::new(path, text))
            .collect();
        Self { files }
    }

    /// Every file.
    pub fn all(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// Every Rust file.
    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|it| it.is_rust())
    }

    /// The text of the file at `path`, if there is one.
    pub fn text(&self, path: &str) -> Option<&str> {
        let found = self
            .files
            .binary_search_by(|it| it.path.as_str().cmp(path))
            .ok()?;
        Some(&self.files[found].text)
    }
}

impl File {
    fn new(path: String, text: String) -> Self {
        let (code, strings) = if path.ends_with(".rs") {
            let split = lex::split(&text);
            (split.code, split.strings)
        } else {
            (String::new(), String::new())
        };
        Self {
            path,
            text,
            code,
            strings,
        }
    }

    /// Whether this is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The folder name under `crates/`, or `xtask`; empty for anything else.
    pub fn krate(&self) -> &str {
        let inside = self.path.strip_prefix("crates/").unwrap_or_else(|| {
            if self.path.starts_with("xtask/") {
                &self.path
            } else {
                ""
            }
        });
        inside.split_once('/').map_or("", |it| it.0)
    }

    /// Whether the whole file runs only in tests.
    pub fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        DEV_ONLY.contains(&self.krate()) || parts.any(|it| matches!(it, "tests" | "benches" | "tests.rs"))
    }

    /// Whether the byte at `offset` lies in test code: a test file, or a module under `#[cfg(test)]`.
    pub fn in_test(&self, offset: usize) -> bool {
        self.is_test() || self.test_modules().any(|it| it.contains(&offset))
    }

    /// The line, from 1, of the byte at `offset`.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes()[..offset.min(self.text.len())]
            .iter()
            .filter(|it| **it == b'\n')
            .count()
    }

    /// How many lines the file has.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    fn test_modules(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.code.match_indices("#[cfg(test)]").filter_map(|(at, mark)| {
            let rest = self.code[at + mark.len()..].trim_start();
            if !rest.starts_with("mod ") {
                return None;
            }
            let open = self.code.len() - rest.len() + rest.find(['{', ';'])?;
            self.code[open..]
                .starts_with('{')
                .then(|| at..closing_brace(&self.code, open))
        })
    }
}

/// The offset behind the brace that closes the one at `open`; the end of the text when none does.
pub fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

fn collect(folder: &Path, path: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?;
        let kind = entry
            .file_type()
            .with_context(|| entry.path().display().to_string())?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let inner = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}/{name}")
        };
        if kind.is_dir() {
            if !FOREIGN.contains(&name.as_str()) {
                collect(&entry.path(), &inner, files)?;
            }
        } else if kind.is_file() && name != "Cargo.lock" {
            let bytes = std::fs::read(entry.path()).with_context(|| inner.clone())?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push((inner, text));
            }
        }
    }
    Ok(())
}
