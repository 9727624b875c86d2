//! Calls of the prototype, a program that kept them as documents of MongoDB: from the bytes of an
//! export (`mongoexport`, extended JSON version 2, canonical or relaxed) to calls of ours.
//!
//! No I/O, clock or database: bytes and the time come in, calls and complaints go out. Called by
//! `redial import`; nothing else knows that there was a prototype.

mod call;
mod document;
mod fields;
mod split;

use domain::{Policy, Step, Timestamp};

pub use split::{Piece, Splitter};

/// A call, and what was odd about its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The call with its first entry of history.
    pub step: Step,
    /// What the document says twice and differently, and which of it was believed; also told in the
    /// history.
    pub remarks: Vec<String>,
}

/// A piece of an export that holds no call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Broken {
    /// Its first line, from 1.
    pub line: u64,
    /// What is wrong; the field is named where it is about one.
    pub why: String,
}

/// Makes a call of a document. What the prototype fixed for all calls (delays, endings that are
/// tried again) and its default of attempts hold for it; `policy` gives what it did not know. `now`
/// is the time of the import.
///
/// # Errors
/// [`Broken`] when the piece is no JSON, or a field is missing or cannot be.
pub fn read(piece: &Piece<'_>, policy: &Policy, now: Timestamp) -> Result<Converted, Broken> {
    let text = piece.document()?;
    let value = serde_json::from_slice(text).map_err(|error| not_json(piece.line, &error))?;
    let document = document::read(&value).map_err(|fault| Broken {
        line: piece.line,
        why: fault.to_string(),
    })?;
    Ok(call::of(document, policy, now))
}

fn not_json(first_line: u64, error: &serde_json::Error) -> Broken {
    let words = error.to_string();
    // The parser counts lines from the document's first; the file's are wanted.
    let why = words.split(" at line ").next().unwrap_or(&words);
    let below = u64::try_from(error.line().saturating_sub(1)).unwrap_or(0);
    let column = error.column();
    let place = match below {
        0 => format!("column {column}"),
        _ => format!("line {}, column {column}", first_line + below),
    };
    Broken {
        line: first_line,
        why: format!("not a whole JSON document: {why} ({place})"),
    }
}

#[cfg(test)]
mod tests;
