//! The documentation hangs together: every page is in the table of contents, no link leads nowhere, and every test that a
//! page calls upon is there.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::{File, Tree};

/// The table of contents.
const CONTENTS: &str = "docs/SUMMARY.md";
/// Where the pages lie that are made into a book: their links must work inside it too.
const BOOK: &str = "docs/";

/// Every page that the table of contents leaves out. A tree without one has no book.
pub fn listed(tree: &Tree) -> Vec<Finding> {
    let Some(contents) = tree.all().find(|file| file.path == CONTENTS) else {
        return Vec::new();
    };
    let listed: BTreeSet<String> = links(contents)
        .map(|(_, link)| resolved(contents, link).0)
        .collect();
    let pages = tree
        .all()
        .filter(|file| file.path.starts_with(BOOK) && is_page(file) && file.path != CONTENTS);
    let left_out = pages.filter(|file| !listed.contains(&file.path));
    let advice = format!("is not in {CONTENTS}: give it a place there");
    left_out
        .map(|file| Finding::new("contents", &file.path, 0, advice.clone()))
        .collect()
}

/// Every link of a page to something of ours that is not there.
pub fn dead_links(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.all().filter(|file| is_page(file)) {
        for (line, link) in links(file) {
            if let Some(text) = fault(tree, file, link) {
                found.push(Finding::new(
                    "link",
                    &file.path,
                    line,
                    format!("`{link}`: {text}"),
                ));
            }
        }
    }
    found
}

/// Every test that a page names and no code has. Tests have sentences for names; nothing else that a page names has so
/// many words.
pub fn absent_tests(tree: &Tree) -> Vec<Finding> {
    let code: BTreeSet<&str> = tree
        .rust()
        .flat_map(|file| file.code.split(|it: char| !is_of_a_name(it)))
        .filter(|name| is_sentence(name))
        .collect();
    let mut found = Vec::new();
    for file in tree.all().filter(|file| is_page(file)) {
        for (line, text) in prose(file) {
            let quoted = text.split('`').skip(1).step_by(2);
            let absent = quoted.filter(|name| is_sentence(name) && !code.contains(name));
            found.extend(absent.map(|name| {
                let advice = format!("`{name}`: there is no such test (any more)");
                Finding::new("test named", &file.path, line, advice)
            }));
        }
    }
    found
}

/// Words of a sentence, joined as in the name of a test: five or more.
fn is_sentence(name: &str) -> bool {
    name.chars().all(is_of_a_name) && name.matches('_').count() >= 4
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
}

fn fault(tree: &Tree, file: &File, link: &str) -> Option<&'static str> {
    if link.contains("://") {
        return None;
    }
    let (path, heading) = resolved(file, link);
    if file.path.starts_with(BOOK) && !path.starts_with(BOOK) {
        return Some("lies outside the book, in which this link would lead nowhere");
    }
    let Some(target) = tree.all().find(|it| it.path == path) else {
        let folder = format!("{path}/");
        let is_folder = tree.all().any(|it| it.path.starts_with(&folder));
        return (!is_folder).then_some("there is no such file");
    };
    let is_there = heading.is_empty() || headings(target).any(|it| it == heading);
    (!is_there).then_some("the page has no such heading")
}

fn is_page(file: &File) -> bool {
    file.path.ends_with(".md")
}

/// Where a link leads: the path from the root, and the heading.
fn resolved(file: &File, link: &str) -> (String, String) {
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    if path.is_empty() {
        return (file.path.clone(), heading.to_owned());
    }
    let mut parts: Vec<&str> = file.path.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    (parts.join("/"), heading.to_owned())
}

/// The lines outside fences, numbered from 1.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let lines = file.text.lines().enumerate();
    lines.filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((at + 1, line))
    })
}

/// Every link and picture, with its line.
fn links(file: &File) -> impl Iterator<Item = (usize, &str)> {
    prose(file).flat_map(|(line, text)| {
        let targets = text.split("](").skip(1);
        targets.filter_map(move |rest| Some((line, rest.split_once(')')?.0)))
    })
}

/// The names by which a page's headings are linked to.
fn headings(file: &File) -> impl Iterator<Item = String> {
    prose(file)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
            kept.map(|it| if it == ' ' { '-' } else { it }).collect()
        })
}
