//! A call and what a step did to it, in one line that a person can read.

use std::fmt::Write;

use super::given::Life;
use crate::attempt::Attempt;
use crate::call::{Call, CallState};
use crate::effect::Effect;
use crate::event::{Event, EventKind};
use crate::refusal::Refusal;
use crate::time::{Timestamp, show_duration};

/// What became of an input: the call afterwards, the work that is due at once, the new history.
pub fn outcome(before: &Life, after: &Result<Life, Refusal>) -> String {
    let after = match after {
        Ok(after) => after,
        Err(refusal) => return format!("refused: {refusal}"),
    };
    let news = &after.events[before.events.len()..];
    if after.call == before.call && news.is_empty() {
        return "nothing changes".to_owned();
    }
    let mut line = call(&after.call, after.now);
    let now: Vec<String> = after.effects().iter().map(effect).collect();
    if !now.is_empty() {
        let _ = write!(line, " | now: {}", now.join(", "));
    }
    if !news.is_empty() {
        let news: Vec<String> = news.iter().map(event).collect();
        let _ = write!(line, " | history: {}", news.join("; "));
    }
    line
}

/// Where a call stands: what it shows, its state, its attempts, and when it is looked at again.
pub fn call(call: &Call, now: Timestamp) -> String {
    let state = match call.state {
        CallState::Waiting { .. } => format!("waiting, dial {}", distance(call.due_at(), now)),
        CallState::Dialling { attempt, .. } => format!("dialling {attempt}"),
        CallState::Live => "live".to_owned(),
        CallState::Ended { .. } => "over".to_owned(),
    };
    let mut line = format!("{} ({state})", call.status().word());
    for attempt in &call.attempts {
        let _ = write!(line, ", {}", record(attempt));
    }
    for extra in &call.extras {
        let fate = if extra.hang_up.is_some() {
            "to hang up"
        } else {
            "hung up"
        };
        let _ = write!(line, ", extra {} {fate}", extra.sid);
    }
    if call.check_at().is_some() {
        let _ = write!(line, ", check {}", distance(call.check_at(), now));
    }
    line
}

fn record(attempt: &Attempt) -> String {
    let status = match attempt {
        a if a.in_doubt() => "in doubt",
        a if a.refused => "refused",
        a => a.status.word(),
    };
    let unwanted = if attempt.unwanted { " unwanted" } else { "" };
    format!("#{} {status}{unwanted}", attempt.number)
}

fn distance(at: Option<Timestamp>, now: Timestamp) -> String {
    match at {
        None => "never".to_owned(),
        Some(at) if at > now => format!("in {}", show_duration(at.since(now))),
        Some(_) => "now".to_owned(),
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::HangUp { sid, .. } => format!("hang up {sid}"),
        Effect::LookUp { sid, .. } => format!("look up {sid}"),
        Effect::Find { attempt } => format!("find #{attempt}"),
        Effect::GiveUp => "give up".to_owned(),
    }
}

fn event(event: &Event) -> String {
    match &event.kind {
        EventKind::Imported { message } => format!("imported {message}"),
        EventKind::Accepted => "accepted".to_owned(),
        EventKind::Held(hold) => format!("held ({})", hold.reason.word()),
        EventKind::Sent { attempt, sid } => format!("sent #{attempt} as {sid}"),
        EventKind::InDoubt { attempt, .. } => format!("in doubt #{attempt}"),
        EventKind::Refused { attempt, .. } => format!("refused #{attempt}"),
        EventKind::GivenBack { attempt, .. } => format!("given back #{attempt}"),
        EventKind::Heard { attempt, fact } => format!("heard #{attempt} {}", fact.word.text()),
        EventKind::Unconfirmed { attempt } => format!("unconfirmed #{attempt}"),
        EventKind::Corrected { attempt, from, to } => {
            let what = attempt.map_or("the call".to_owned(), |number| format!("#{number}"));
            format!("corrected {what} {} to {}", from.word(), to.word())
        }
        EventKind::Incident { .. } => "incident".to_owned(),
        EventKind::CancelRequested => "cancel requested".to_owned(),
        EventKind::Ended { status, .. } => format!("ended {}", status.word()),
    }
}
