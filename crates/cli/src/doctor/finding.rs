//! What one check found: how bad it is, what it is, and what to do about it.

use serde_json::{Value, json};

/// Letters in a line, so that it fits most terminals and a page; what cannot be parted is longer.
const WIDTH: usize = 100;
/// Under the check's name.
const INDENT: &str = "         ";
/// Under what is to be done.
const INDENT_REMEDY: &str = "            ";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Not looked at, and nobody can tell from here.
    Skipped,
    /// Works, but not as well as it might, or not for long.
    Warning,
    /// Calls are not made, or not heard of, until it is mended.
    Problem,
}

impl Level {
    /// Its word, for people and machines.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Skipped => "skipped",
            Level::Warning => "warning",
            Level::Problem => "problem",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name, which stays the same.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub says: String,
    /// What to do, a line for each step; empty when there is nothing.
    pub remedy: String,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, says: impl Into<String>) -> Finding {
        Finding::new(check, Level::Ok, says, "")
    }

    /// Not looked at.
    pub fn skipped(check: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding::new(check, Level::Skipped, says, remedy)
    }

    /// Works, but.
    pub fn warning(check: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding::new(check, Level::Warning, says, remedy)
    }

    /// Does not work.
    pub fn problem(check: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding::new(check, Level::Problem, says, remedy)
    }

    fn new(check: &'static str, level: Level, says: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding {
            check,
            level,
            says: says.into(),
            remedy: remedy.into(),
        }
    }

    /// For people: what was found, and what to do indented below it.
    pub fn lines(&self) -> String {
        let head = format!("{:<8} {}: ", self.level.word(), self.check);
        let mut text = String::new();
        wrap(&mut text, &head, INDENT, &self.says);
        let mut mark = "         -> ";
        for line in self.remedy.lines() {
            text.push('\n');
            wrap(&mut text, mark, INDENT_REMEDY, line);
            mark = INDENT_REMEDY;
        }
        text
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let remedy = (!self.remedy.is_empty()).then_some(&self.remedy);
        json!({ "check": self.check, "level": self.level.word(), "says": self.says, "remedy": remedy })
    }
}

/// Appends `head` and the words of `says`, beginning a new line with `indent` wherever one is full.
fn wrap(text: &mut String, head: &str, indent: &str, says: &str) {
    text.push_str(head);
    let mut column = head.chars().count();
    let mut is_first = true;
    for word in says.split(' ') {
        let letters = word.chars().count();
        if !is_first && column + 1 + letters > WIDTH {
            text.push('\n');
            text.push_str(indent);
            column = indent.len();
        } else if !is_first {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += letters;
        is_first = false;
    }
}
