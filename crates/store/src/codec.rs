//! The written form of a call and of its history: JSON, the same in every store. Its shapes are
//! private and kept apart from the domain's types, so that either may change without the other.
//! New optional fields may be added; what was once written is read for ever.

mod attempt;
mod call;
mod event;
mod words;

use domain::{Call, CallId, Event, Fact, Phone, Timestamp, UserId};

use crate::error::StoreError;

pub use words::{permit_from_code, permit_to_code, status_from_code, status_to_code};

/// What a store keeps of a call in columns of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallColumns {
    /// Its name.
    pub id: CallId,
    /// Whose it is.
    pub user_id: UserId,
    /// Who is called.
    pub to: Phone,
    /// The number that the called person sees.
    pub from: Phone,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// Writes what a call holds beside [`CallColumns`].
pub fn write_call(call: &Call) -> String {
    // Room for the usual call with two attempts, so that the text is not moved while it grows.
    let mut text = Vec::with_capacity(1024);
    serde_json::to_writer(&mut text, &call::Body::from(call))
        .expect("plain values always have a written form");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// Reads a call back.
///
/// # Errors
/// [`StoreError::Broken`] when the text was not written by [`write_call`].
pub fn read_call(columns: CallColumns, body: &str) -> Result<Call, StoreError> {
    let id = columns.id;
    let body: call::Body<'_> = read(body, "call", id)?;
    body.into_call(columns)
        .ok_or_else(|| StoreError::broken(format!("call {id} is written in an unknown way")))
}

/// Writes one entry of a call's history, beside its time.
pub fn write_event(event: &Event) -> String {
    serde_json::to_string(&event::Body::from(&event.kind)).expect("plain values always have a written form")
}

/// Reads one entry back.
///
/// # Errors
/// [`StoreError::Broken`] when the text was not written by [`write_event`].
pub fn read_event(id: CallId, at: Timestamp, body: &str) -> Result<Event, StoreError> {
    let body: event::Body<'_> = read(body, "history of call", id)?;
    let kind = body
        .into_kind()
        .ok_or_else(|| StoreError::broken(format!("history of call {id} is written in an unknown way")))?;
    Ok(Event { at, kind })
}

/// Writes a fact whose leg no call has yet.
pub fn write_fact(fact: &Fact) -> String {
    serde_json::to_string(&event::FactBody::from(fact)).expect("plain values always have a written form")
}

/// Reads such a fact back.
///
/// # Errors
/// [`StoreError::Broken`] when the text was not written by [`write_fact`].
pub fn read_fact(body: &str) -> Result<Fact, StoreError> {
    let body: event::FactBody<'_> = read(body, "orphan", "")?;
    body.into_fact()
        .ok_or_else(|| StoreError::broken("an orphan is written in an unknown way"))
}

fn read<'a, T: serde::Deserialize<'a>>(
    body: &'a str,
    what: &str,
    id: impl std::fmt::Display,
) -> Result<T, StoreError> {
    serde_json::from_str(body)
        .map_err(|source| StoreError::Broken(format!("{what} {id} cannot be read"), Some(Box::new(source))))
}

#[cfg(test)]
mod tests;
