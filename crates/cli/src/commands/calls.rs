//! `redial calls list` and `redial calls show`.

use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::Value;

use crate::client::{Client, encoded};
use crate::output::{self, text};

/// Shows calls of the running server.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    match flags.subcommand() {
        Some(("list", flags)) => list(flags),
        Some(("show", flags)) => show(flags),
        _ => unreachable!("clap lets no other command through"),
    }
}

fn list(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let word = |name: &str| flags.get_one::<String>(name);
    let mut path = format!(
        "/users/{}/calls?",
        word("user").map(|user| encoded(user)).unwrap_or_default()
    );
    for name in ["status", "limit", "cursor"] {
        if let Some(value) = word(name) {
            path.push_str(&format!("{name}={}&", encoded(value)));
        }
    }
    let page = Client::new(flags).get(path.trim_end_matches(['&', '?']))?;
    if flags.get_flag("json") {
        output::json(&page);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["call", "to", "status", "attempts", "retry", "created"]);
    let calls = page["calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    for call in calls {
        let fields = [
            "call_id",
            "to",
            "status",
            "attempt_count",
            "should_retry",
            "created_at",
        ];
        table.add_row(fields.map(|field| text(&call[field])));
    }
    output::data(table);
    output::say(format_args!("{} of {} calls", calls.len(), text(&page["total"])));
    if let Some(cursor) = page["next_cursor"].as_str() {
        output::say(format_args!("more: --cursor {cursor}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let word = |name: &str| {
        flags
            .get_one::<String>(name)
            .map(|text| encoded(text))
            .unwrap_or_default()
    };
    let call = Client::new(flags).get(&format!("/users/{}/calls/{}", word("user"), word("id")))?;
    if flags.get_flag("json") {
        output::json(&call);
    } else {
        print(&call);
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a call for a person.
pub fn print(call: &Value) {
    let mut head = output::table(&["call", "from", "to", "status", "attempts"]);
    let attempts = format!(
        "{} of {}",
        text(&call["attempt_count"]),
        text(&call["max_attempts"])
    );
    head.add_row([
        text(&call["call_id"]),
        text(&call["from"]),
        text(&call["to"]),
        text(&call["status"]),
        attempts,
    ]);
    output::data(head);
    if let Some(hold) = call["waiting_for"].as_object() {
        output::data(format_args!(
            "waiting for {}: {}",
            text(&hold["reason"]),
            text(&hold["message"])
        ));
    } else if let Some(why) = ended_because(call) {
        output::data(format_args!("ended: {why}"));
    }
    let mut table = output::table(&[
        "#",
        "dialled",
        "status",
        "ended",
        "seconds",
        "answered by",
        "why",
        "sid",
    ]);
    for attempt in call["attempts"].as_array().into_iter().flatten() {
        let fields = [
            "attempt_number",
            "timestamp",
            "status",
            "ended_at",
            "duration_seconds",
            "answered_by",
            "error_message",
            "twilio_sid",
        ];
        table.add_row(fields.map(|field| match field {
            "error_message" => why(attempt).unwrap_or_else(|| "-".to_owned()),
            field => text(&attempt[field]),
        }));
    }
    output::data(table);
}

/// Why nothing more happens to a call, in the words of its history.
fn ended_because(call: &Value) -> Option<&str> {
    let events = call["events"].as_array()?;
    let last = events.iter().rfind(|event| event["kind"] == "ended")?;
    last["message"].as_str()
}

/// What went wrong with an attempt: the carrier's code, by which it is looked up, and its words.
pub fn why(attempt: &Value) -> Option<String> {
    let words = attempt["error_message"].as_str()?;
    Some(match attempt["error_code"].as_u64() {
        Some(code) => format!("{code}: {words}"),
        None => words.to_owned(),
    })
}
