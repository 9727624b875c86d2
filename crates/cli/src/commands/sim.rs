//! `redial sim`: a simulated carrier in a process of its own.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::ArgMatches;

use super::{Usage, runtime};
use crate::commands::serve::shutdown;
use crate::{logging, output};

/// Serves until told to stop.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let text = |name: &str| flags.get_one::<String>(name).cloned();
    logging::start(&text("log").unwrap_or_default(), "text")?;
    let defaults = sim::Options::default();
    let options = sim::Options {
        account_sid: text("account-sid").unwrap_or(defaults.account_sid),
        // While one token is being replaced, callers sign in with the first of several.
        auth_token: text("auth-token")
            .and_then(|tokens| tokens.split(',').next().map(str::to_owned))
            .unwrap_or(defaults.auth_token),
        speed: flags.get_one("speed").copied().unwrap_or(defaults.speed),
        seed: flags.get_one("seed").copied().unwrap_or(defaults.seed),
        answer_rate: flags
            .get_one("answer-rate")
            .copied()
            .unwrap_or(defaults.answer_rate),
        cps: flags.get_one("cps").copied(),
    };
    let sound = options.speed.is_finite()
        && options.speed > 0.0
        && (0.0..=1.0).contains(&options.answer_rate)
        && options.cps.is_none_or(|cps| cps.is_finite() && cps > 0.0);
    if !sound {
        let wrong = "--speed and --cps must be above 0, --answer-rate from 0 to 1";
        return Err(anyhow::anyhow!(wrong).context(Usage));
    }
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
