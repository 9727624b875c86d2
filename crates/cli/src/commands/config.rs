//! `redial config`: every setting, its value, its source.

use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::{Map, Value, json};

use super::{Usage, configured};
use crate::database::masked;
use crate::output;
use crate::settings::{SETTINGS, Settings};

/// Prints every setting; fails when they make no sense, after printing them.
pub fn run(flags: &ArgMatches) -> anyhow::Result<ExitCode> {
    let settings =
        Settings::read(flags, |name| std::env::var(name).ok()).map_err(|error| error.context(Usage))?;
    if flags.get_flag("json") {
        let all: Map<String, Value> = SETTINGS
            .iter()
            .map(|setting| {
                let value = json!({
                    "name": setting.key,
                    "about": setting.help,
                    "value": shown(&settings, setting.key, setting.secret),
                    "source": settings.source(setting.key).to_string(),
                });
                (setting.environment.to_owned(), value)
            })
            .collect();
        output::json(&Value::Object(all));
    } else {
        let mut table = output::table(&["setting", "value", "from"]);
        for setting in SETTINGS {
            let value = shown(&settings, setting.key, setting.secret).unwrap_or_else(|| "-".to_owned());
            table.add_row([
                setting.environment.to_owned(),
                value,
                settings.source(setting.key).to_string(),
            ]);
        }
        output::data(table);
    }
    configured(flags)?;
    Ok(ExitCode::SUCCESS)
}

fn shown(settings: &Settings, key: &str, secret: bool) -> Option<String> {
    match settings.get(key) {
        Some(_) if secret => Some("***".to_owned()),
        Some(url) if key == "database_url" => Some(masked(url)),
        Some(value) => Some(value.to_owned()),
        None if key == "base_url" => settings.get("listen").map(|listen| format!("http://{listen}")),
        None => None,
    }
}
