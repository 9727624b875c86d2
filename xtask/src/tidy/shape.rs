//! How long files and functions may be, and what every Rust file opens with.

use super::Finding;
use super::lex::is_word;
use super::tree::{File, Tree, closing_brace};

/// A file that a reader can hold in mind at once; beyond it there is a second idea that wants its own file.
const MOST_LINES: usize = 400;

/// Tests are read one at a time, so their files may be longer.
const MOST_TEST_LINES: usize = 600;

/// A function that fits a screen.
const MOST_FUNCTION_LINES: usize = 70;

/// What people read line by line; generated and tabular files have no such bound.
const READ_BY_PEOPLE: &[&str] = &[".rs", ".sql", ".js", ".css", ".html"];

/// Every file that is too long.
pub fn sizes(tree: &Tree) -> Vec<Finding> {
    let read = tree
        .all()
        .filter(|file| READ_BY_PEOPLE.iter().any(|end| file.path.ends_with(end)));
    let long = read.filter_map(|file| {
        let most = if file.is_test() {
            MOST_TEST_LINES
        } else {
            MOST_LINES
        };
        let lines = file.lines();
        let text = format!("{lines} lines, at most {most}: move its second idea to a file of its own");
        (lines > most).then(|| Finding::new("size", &file.path, 0, text))
    });
    long.collect()
}

/// Every function that is too long, signature and closing brace included.
pub fn functions(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        for (start, _) in file.code.match_indices("fn ") {
            let Some((name, end)) = function(file, start) else {
                continue;
            };
            let (first, last) = (file.line(start), file.line(end));
            let lines = last - first + 1;
            if lines > MOST_FUNCTION_LINES {
                let text =
                    format!("`{name}` has {lines} lines, at most {MOST_FUNCTION_LINES}: name its parts");
                found.push(Finding::new("function", &file.path, first, text));
            }
        }
    }
    found
}

/// Name of the function whose `fn` stands at `start`, and the offset of its last byte; nothing without a body.
fn function(file: &File, start: usize) -> Option<(&str, usize)> {
    let code = &file.code;
    if start > 0 && is_word(code.as_bytes()[start - 1]) {
        return None;
    }
    let rest = code[start + 3..].trim_start();
    let name = &rest[..rest.bytes().position(|it| !is_word(it))?];
    let mut depth = 0_i32;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return None,
            b'{' if depth == 0 => return Some((name, closing_brace(code, at) - 1)),
            _ => {}
        }
    }
    None
}

/// Every Rust file that does not say at its head what it holds.
pub fn heads(tree: &Tree) -> Vec<Finding> {
    let bare = tree.rust().filter(|file| !file.text.starts_with("//!"));
    let text = "opens without `//!`: say what it holds, what it must not know and who calls it";
    bare.map(|file| Finding::new("head", &file.path, 1, text.to_owned()))
        .collect()
}
