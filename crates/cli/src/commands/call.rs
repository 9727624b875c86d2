//! `redial call`: asks a running server for a call, and can watch it to its end.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::ArgMatches;
use serde_json::{Value, json};

use super::calls;
use crate::client::{Client, encoded};
use crate::output::{self, text};

/// How often a watched call is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Asks for the call, and with `--wait` tells its attempts as they happen. Exit code 1 when a watched
/// call does not end `completed`.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let word = |name: &str| flags.get_one::<String>(name);
    let mut body = json!({ "to": word("to"), "from": word("from"), "user_id": word("user") });
    if let Some(message) = word("message") {
        body["message"] = json!(message);
    }
    let client = Client::new(flags);
    let answer = client.post("/calls/outbound", &body)?;
    let id = text(&answer["call_id"]);
    let path = format!(
        "/users/{}/calls/{id}",
        word("user").map(|user| encoded(user)).unwrap_or_default()
    );
    if !flags.get_flag("wait") {
        if flags.get_flag("json") {
            output::json(&answer);
        } else {
            output::data(format_args!("{id} {}", status_line(&answer)));
        }
        return Ok(if answer["code"] == "carrier_refused" {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        });
    }
    output::say(format_args!("call {id} to {}", text(&body["to"])));
    let call = watch(&client, &path)?;
    if flags.get_flag("json") {
        output::json(&call);
    } else {
        calls::print(&call);
    }
    Ok(if call["status"] == "completed" {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn status_line(answer: &Value) -> String {
    match answer["waiting_for"].as_object() {
        Some(hold) => format!(
            "{}, waiting for {}: {}",
            text(&answer["status"]),
            text(&hold["reason"]),
            text(&hold["message"])
        ),
        None if answer["code"] == "carrier_refused" => format!(
            "refused: {}: {}",
            text(&answer["carrier_code"]),
            text(&answer["message"])
        ),
        None => text(&answer["status"]),
    }
}

/// Tells each change of a call until it is over, and returns it.
fn watch(client: &Client, path: &str) -> anyhow::Result<Value> {
    let mut told: HashMap<u64, String> = HashMap::new();
    let mut waiting = String::new();
    loop {
        let call = client.get(path)?;
        for attempt in call["attempts"].as_array().into_iter().flatten() {
            let number = attempt["attempt_number"].as_u64().unwrap_or(0);
            let line = attempt_line(attempt);
            if told.get(&number) != Some(&line) {
                output::say(format_args!("  {line}"));
                told.insert(number, line);
            }
        }
        let hold = match call["waiting_for"].as_object() {
            Some(hold) => match hold["until"].as_str() {
                Some(until) => format!("waiting for {} until {until}", text(&hold["reason"])),
                None => format!(
                    "waiting for {}: {}",
                    text(&hold["reason"]),
                    text(&hold["message"])
                ),
            },
            None => String::new(),
        };
        if hold != waiting && !hold.is_empty() {
            output::say(format_args!("  {hold}"));
        }
        waiting = hold;
        if is_over(&call) {
            return Ok(call);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn attempt_line(attempt: &Value) -> String {
    let mut line = format!(
        "attempt {} {}",
        text(&attempt["attempt_number"]),
        text(&attempt["status"])
    );
    if let Some(seconds) = attempt["duration_seconds"]
        .as_u64()
        .filter(|seconds| *seconds > 0)
    {
        line.push_str(&format!(" after {seconds} s"));
    }
    if let Some(who) = attempt["answered_by"].as_str() {
        line.push_str(&format!(", answered by {who}"));
    }
    if let Some(why) = calls::why(attempt) {
        line.push_str(&format!(": {why}"));
    }
    line
}

fn is_over(call: &Value) -> bool {
    let status = call["status"].as_str().unwrap_or_default();
    let open = matches!(status, "queued" | "initiated" | "ringing" | "in-progress");
    !open && call["should_retry"] != true
}
