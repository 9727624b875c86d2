//! `redial doctor`: says what is missing or wrong and what to do, a line for each thing it looked at.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::ArgMatches;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::runtime;
use crate::config::Config;
use crate::database::{Database, masked};
use crate::doctor::{
    Finding, Level, account, address, clock, database, disk, files, numbers, postgres, signatures,
};
use crate::settings::Settings;
use crate::{output, wiring};

/// Looks at everything and tells what it found; exit code 1 when something is a problem.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let found = look(flags, flags.get_flag("deep"))?;
    let worst = found
        .iter()
        .map(|finding| finding.level)
        .max()
        .unwrap_or(Level::Ok);
    if flags.get_flag("json") {
        let checks: Vec<Value> = found.iter().map(Finding::json).collect();
        output::json(&json!({ "ok": worst < Level::Problem, "checks": checks }));
    } else {
        for finding in &found {
            output::data(finding.lines());
        }
    }
    Ok(if worst < Level::Problem {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn look(flags: &ArgMatches, deep: bool) -> anyhow::Result<Vec<Finding>> {
    let read = Settings::read(flags, |name| std::env::var(name).ok())
        .and_then(|settings| Config::read(&settings).map(|config| (settings, config)));
    let (settings, config) = match read {
        Ok(read) => read,
        Err(error) => return Ok(vec![files::unreadable(&error)]),
    };
    let base_url = wiring::base_url(&config);
    let mut found = files::sources(&settings);
    found.push(files::keys(&config, &base_url));
    found.extend(carrier(&config)?);
    found.extend(server(&config, &base_url));
    match &config.database {
        Database::File(path) => {
            found.push(database::check(path, deep));
            let folder = disk::folder(path);
            found.push(disk::judge_sync(&folder, &disk::sync_time(&folder)));
            found.push(disk::judge_room(&folder, &disk::room(&folder)));
        }
        // Its disk is the server's own matter.
        Database::Server(url) => {
            let url = url.expose_secret();
            let examined = runtime()?.block_on(store_postgres::examine(url));
            let server = examined.as_ref().ok().map(|it| it.server.clone());
            found.push(database::judge_server(&masked(url), examined));
            found.extend(server.iter().flat_map(postgres::judge));
        }
    }
    Ok(found)
}

/// What the carrier says about the account, its numbers and the time.
fn carrier(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let account = &config.account;
    if let Some(missing) = account::missing(account.sid.as_deref(), !account.tokens.is_empty()) {
        return Ok(vec![missing]);
    }
    let asking = match wiring::asking(config, false) {
        Ok(asking) => asking,
        Err(fault) => {
            let remedy = "`redial config` shows each setting and where it comes from.";
            return Ok(vec![Finding::problem("account", fault.to_string(), remedy)]);
        }
    };
    let runtime = runtime().context("no threads can be started")?;
    let before_ms = clock::now_ms();
    let standing = account::ask(&runtime, &asking);
    let after_ms = clock::now_ms();
    let mut found = account::judge(&standing.outcome, &account.api_base);
    let is_usable = !found.iter().any(|finding| finding.level == Level::Problem);
    if is_usable && account.api_key.is_some() {
        let with_key = wiring::asking(config, true)?;
        found.push(account::judge_key(&runtime.block_on(with_key.sign_in()).outcome));
    }
    if is_usable {
        found.push(numbers::judge(&runtime.block_on(asking.numbers())));
        found.push(account::permissions());
    }
    found.extend(clock::judge(standing.date, before_ms, after_ms));
    Ok(found)
}

/// The address that the carrier calls, what answers there, and whether signatures survive the way.
fn server(config: &Config, base_url: &str) -> Vec<Finding> {
    let local = address::local(config.listen);
    let here = address::reach(&local);
    let form = match carrier_twilio::can_call_back(&config.account.api_base, base_url) {
        Ok(calls_back) => address::judge_form(base_url, calls_back),
        Err(fault) => Finding::problem(
            "address",
            fault.to_string(),
            "BASE_URL=https://calls.example.com, for example.",
        ),
    };
    let makes_sense = form.level < Level::Problem;
    let mut found = vec![form, address::judge_server(&local, &here)];
    if !makes_sense {
        return found;
    }
    let there = if base_url == local {
        here
    } else {
        let there = address::reach(base_url);
        found.push(address::judge_reached(
            base_url,
            &there,
            here == address::Reached::Ours,
        ));
        there
    };
    if let (address::Reached::Ours, Some(token)) = (there, config.account.tokens.first()) {
        let others = signatures::others(base_url, &local);
        let verdict = signatures::try_out(base_url, token, &others);
        found.push(signatures::judge(base_url, &verdict));
    }
    found
}
