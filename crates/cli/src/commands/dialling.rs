//! `redial pause` and `redial resume`.

use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::Value;

use crate::client::Client;
use crate::output;

/// Asks the running server to stop dialling, or to go on.
pub fn run(flags: &ArgMatches, what: &str) -> anyhow::Result<ExitCode> {
    let answer = Client::new(flags).post(&format!("/dialing/{what}"), &Value::Null)?;
    if flags.get_flag("json") {
        output::json(&answer);
    } else {
        output::data(match what {
            "pause" => "dialling is paused; what is live goes on",
            _ => "dialling goes on",
        });
    }
    Ok(ExitCode::SUCCESS)
}
