//! `redial sim`: a simulated carrier in a process of its own.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::ArgMatches;

use super::runtime;
use crate::commands::serve::shutdown;
use crate::{logging, output};

/// Serves until told to stop.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let text = |name: &str| flags.get_one::<String>(name).cloned();
    logging::start(&text("log").unwrap_or_default(), "text")?;
    let defaults = sim::Options::default();
    let options = sim::Options {
        account_sid: text("account-sid").unwrap_or(defaults.account_sid),
        auth_token: text("auth-token").unwrap_or(defaults.auth_token),
        speed: flags.get_one("speed").copied().unwrap_or(defaults.speed),
        seed: flags.get_one("seed").copied().unwrap_or(defaults.seed),
        answer_rate: flags
            .get_one("answer-rate")
            .copied()
            .unwrap_or(defaults.answer_rate),
        cps: flags.get_one("cps").copied(),
    };
    runtime()?.block_on(async {
        let address = text("listen").unwrap_or_default();
        let listener = tokio::net::TcpListener::bind(&address)
            .await
            .with_context(|| format!("{address} cannot be listened on"))?;
        output::say(format_args!("listening on http://{}", listener.local_addr()?));
        output::say(format_args!(
            "account {}; its ledger is at /_sim/calls",
            options.account_sid
        ));
        sim::serve(listener, options, shutdown()).await;
        Ok(ExitCode::SUCCESS)
    })
}
