//! Names that say nothing: of files, folders and types.

use super::Finding;
use super::lex::is_word;
use super::tree::{File, Tree};

/// Words that fit anything, and so tell a reader nothing; each also in the plural.
const EMPTY_WORDS: &[&str] = &[
    "manager", "helper", "util", "common", "info", "data", "impl", "base",
];

/// What introduces the name of a type, trait or module.
const DECLARATIONS: &[&str] = &["struct ", "enum ", "trait ", "type ", "mod ", "union "];

/// Rust files and the folders they lie in that carry an empty word.
pub fn files(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        let path = file.path.strip_suffix(".rs").unwrap_or(&file.path);
        if let Some(word) = path.split(['/', '_', '-', '.']).find(|it| is_empty_word(it)) {
            found.push(Finding::new("name", &file.path, 0, advice(word)));
        }
    }
    found
}

/// Types, traits and modules that carry an empty word.
pub fn types(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        for declaration in DECLARATIONS {
            for (at, _) in file.code.match_indices(declaration) {
                let Some(word) = declared(file, at, declaration)
                    .into_iter()
                    .find(|it| is_empty_word(it))
                else {
                    continue;
                };
                found.push(Finding::new("name", &file.path, file.line(at), advice(&word)));
            }
        }
    }
    found
}

/// The words of the name declared at `at`, in small letters.
fn declared(file: &File, at: usize, declaration: &str) -> Vec<String> {
    let code = &file.code;
    if at > 0 && is_word(code.as_bytes()[at - 1]) {
        return Vec::new();
    }
    let rest = &code[at + declaration.len()..];
    let name: String = rest
        .chars()
        .take_while(|it| it.is_alphanumeric() || *it == '_')
        .collect();
    words(&name)
}

/// `CallData` and `call_data` both become `call`, `data`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_uppercase() {
            words.push(String::new());
        }
        if letter != '_' {
            let last = words.last_mut().expect("there is always a last word");
            last.extend(letter.to_lowercase());
        }
    }
    words
}

fn is_empty_word(word: &str) -> bool {
    EMPTY_WORDS.contains(&word) || word.strip_suffix('s').is_some_and(|it| EMPTY_WORDS.contains(&it))
}

fn advice(word: &str) -> String {
    format!("the word `{word}` tells nothing: name it after what it does or holds")
}
