//! Words and codes for the small closed sets. A code, once given, keeps its meaning.

use domain::{AttemptStatus, CallStatus, HoldReason, MachineDetection, Source, Word};

use crate::changes::PermitState;

/// The code of a call's status: its place in [`CallStatus::ALL`].
pub fn status_to_code(status: CallStatus) -> i64 {
    code(&CallStatus::ALL, status)
}

/// Reads [`status_to_code`].
pub fn status_from_code(code: i64) -> Option<CallStatus> {
    CallStatus::ALL.get(usize::try_from(code).ok()?).copied()
}

/// The code of a permit's state: its place in [`PermitState::ALL`].
pub fn permit_to_code(state: PermitState) -> i64 {
    code(&PermitState::ALL, state)
}

/// Reads [`permit_to_code`].
pub fn permit_from_code(code: i64) -> Option<PermitState> {
    PermitState::ALL.get(usize::try_from(code).ok()?).copied()
}

fn code<T: PartialEq>(all: &[T], one: T) -> i64 {
    let place = all
        .iter()
        .position(|other| *other == one)
        .expect("the list holds every variant");
    i64::try_from(place).expect("the list is short")
}

pub(super) fn attempt_status(word: &str) -> Option<AttemptStatus> {
    AttemptStatus::ALL
        .into_iter()
        .find(|status| status.word() == word)
}

pub(super) fn reason(word: &str) -> Option<HoldReason> {
    HoldReason::ALL.into_iter().find(|reason| reason.word() == word)
}

/// A carrier's word; `?` marks one that the record has no word for.
pub(super) fn word(text: &str) -> Option<Word> {
    if let Some(other) = text.strip_prefix('?') {
        return Some(Word::Other(other.into()));
    }
    if text == Word::Queued.text() {
        Some(Word::Queued)
    } else {
        attempt_status(text).map(Word::Known)
    }
}

pub(super) fn word_text(word: &Word) -> String {
    match word {
        Word::Other(text) => format!("?{text}"),
        known => known.text().to_owned(),
    }
}

const SOURCES: [(Source, &str); 3] = [
    (Source::Callback, "callback"),
    (Source::Answer, "answer"),
    (Source::LookUp, "look-up"),
];

pub(super) fn source(word: &str) -> Option<Source> {
    SOURCES
        .into_iter()
        .find(|(_, text)| *text == word)
        .map(|(source, _)| source)
}

pub(super) fn source_text(source: Source) -> &'static str {
    SOURCES
        .into_iter()
        .find(|(known, _)| *known == source)
        .map_or("", |(_, text)| text)
}

const DETECTIONS: [(MachineDetection, &str); 3] = [
    (MachineDetection::Off, "off"),
    (MachineDetection::Enable, "enable"),
    (MachineDetection::DetectMessageEnd, "detect_message_end"),
];

pub(super) fn detection(word: &str) -> Option<MachineDetection> {
    DETECTIONS
        .into_iter()
        .find(|(_, text)| *text == word)
        .map(|(detection, _)| detection)
}

pub(super) fn detection_text(detection: MachineDetection) -> &'static str {
    DETECTIONS
        .into_iter()
        .find(|(known, _)| *known == detection)
        .map_or("", |(_, text)| text)
}
