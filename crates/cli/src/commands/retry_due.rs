//! `redial retry-due`: one round of what a server does by itself, for those who prefer cron.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ArgMatches;
use domain::HoldReason;
use store::StoreError;

use super::{Usage, configured, runtime};
use crate::{logging, output, wiring};

/// Settles what is in doubt, asks about silent calls, dials what is due; then ends.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (settings, config) = configured(flags)?;
    logging::start(
        settings.get("log").unwrap_or_default(),
        settings.get("log_format").unwrap_or_default(),
    )
    .map_err(|error| error.context(Usage))?;
    let base_url = wiring::base_url(&config);
    wiring::check_account(&config)?;
    let carrier = wiring::carrier(&config, &base_url, true).map_err(|error| error.context(Usage))?;
    runtime()?.block_on(async {
        let store = match wiring::open_store(&config, Duration::ZERO).await {
            Ok(store) => store,
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(StoreError::Held(_)) => {
                    output::say(format_args!(
                        "nothing to do: {error}; it dials what is due by itself"
                    ));
                    return Ok(ExitCode::SUCCESS);
                }
                _ => return Err(error),
            },
        };
        let engine = wiring::engine(&config, store, carrier).map_err(|error| error.context(Usage))?;
        engine.recover().await.context("the database cannot be read")?;
        let round = engine.one_round().await.context("the round was broken off")?;
        output::data(format_args!(
            "asked about {}, dialled {}",
            round.asked, round.dialled
        ));
        engine.stop().await;
        let Some(hold) = round.held else {
            return Ok(ExitCode::SUCCESS);
        };
        output::say(format_args!(
            "calls that are due were not dialled: {}",
            hold.message
        ));
        Ok(match hold.reason {
            HoldReason::Carrier | HoldReason::Account | HoldReason::Settling => ExitCode::FAILURE,
            // Somebody wants it so.
            _ => ExitCode::SUCCESS,
        })
    })
}
