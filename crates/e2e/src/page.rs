//! A page of the documentation, read as what a reader would type and see.
//!
//! In a block fenced as `console` each line that begins with `$ ` is a command (a backslash at its end goes on with it),
//! and what follows, up to the next, is what it prints. There `...` stands for anything: alone on a line for any number
//! of lines, within one for any characters; several spaces are one. A command of which nothing is shown may print what it likes. Knows no
//! commands; called by the test that runs them.

use std::collections::BTreeMap;

/// What begins a command.
const PROMPT: &str = "$ ";
/// What stands for anything.
const ANYTHING: &str = "...";

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// Its commands, in order.
    pub steps: Vec<Step>,
    /// How many blocks it has of each other kind, by the word behind the fence.
    pub others: BTreeMap<String, usize>,
    /// Lines outside every fence that look like code.
    pub unfenced: Vec<String>,
}

/// A command and what it prints.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The line of the page, from 1.
    pub line: usize,
    /// The command, on one line or more.
    pub command: String,
    /// What it prints; empty when nothing is shown.
    pub output: Vec<String>,
}

impl Page {
    /// Reads a page.
    pub fn read(text: &str) -> Page {
        let mut page = Page::default();
        let mut lines = text.lines().enumerate();
        while let Some((_, line)) = lines.next() {
            let indent = line.len() - line.trim_start().len();
            let Some(tag) = line.trim_start().strip_prefix("```") else {
                if indent >= 4 {
                    page.unfenced.push(line.to_owned());
                }
                continue;
            };
            // A block within a list is indented as a whole.
            let inside = lines
                .by_ref()
                .map(|(at, line)| (at + 1, line.get(indent..).unwrap_or_default()));
            let inside = inside.take_while(|(_, line)| !line.starts_with("```"));
            if tag == "console" {
                page.console(inside);
            } else {
                inside.for_each(drop);
                *page.others.entry(tag.to_owned()).or_default() += 1;
            }
        }
        page
    }

    fn console<'a>(&mut self, lines: impl Iterator<Item = (usize, &'a str)>) {
        let mut goes_on = false;
        for (line, text) in lines {
            if let Some(command) = text.strip_prefix(PROMPT) {
                self.steps.push(Step {
                    line,
                    command: command.to_owned(),
                    output: Vec::new(),
                });
            } else if let Some(step) = self.steps.last_mut() {
                if goes_on {
                    step.command.push('\n');
                    step.command.push_str(text);
                } else {
                    step.output.push(text.to_owned());
                }
            }
            goes_on = text.ends_with('\\') && (goes_on || text.starts_with(PROMPT));
        }
    }
}

impl Step {
    /// Whether `said` is what the page shows.
    pub fn shows(&self, said: &str) -> bool {
        let shown: Vec<String> = self.output.iter().map(|line| squeezed(line)).collect();
        let said: Vec<String> = said.lines().map(squeezed).collect();
        shown.is_empty() || lines_match(&shown, &said)
    }
}

/// With one space wherever there are several: the columns of a table are as wide as what is in them.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn lines_match(shown: &[String], said: &[String]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first == ANYTHING => {
            (0..=said.len()).any(|skipped| lines_match(rest, &said[skipped..]))
        }
        Some((first, rest)) => said
            .split_first()
            .is_some_and(|(line, said)| line_matches(first, line) && lines_match(rest, said)),
    }
}

fn line_matches(shown: &str, said: &str) -> bool {
    match shown.split_once(ANYTHING) {
        None => shown == said,
        Some((before, after)) => said.strip_prefix(before).is_some_and(|rest| {
            let mut ends = rest.char_indices().map(|it| it.0).chain([rest.len()]);
            ends.any(|end| line_matches(after, &rest[end..]))
        }),
    }
}

#[cfg(test)]
mod tests;
