//! The settings: their names, where each value comes from, and the file that may hold them. What a
//! value means is in `config.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Arg, ArgMatches, Command};

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name in a file; with `-` for `_` its flag.
    pub key: &'static str,
    /// Its name in the environment.
    pub environment: &'static str,
    /// Its value is never shown.
    pub secret: bool,
    /// What it is, on one line.
    pub help: &'static str,
}

const fn setting(key: &'static str, environment: &'static str, help: &'static str) -> Setting {
    Setting {
        key,
        environment,
        secret: false,
        help,
    }
}

const fn secret(key: &'static str, environment: &'static str, help: &'static str) -> Setting {
    Setting {
        key,
        environment,
        secret: true,
        help,
    }
}

/// Every setting, in the order of `config.default.toml`, which holds the defaults.
pub const SETTINGS: &[Setting] = &[
    setting(
        "database_url",
        "DATABASE_URL",
        "where calls are remembered: sqlite:FILE, or postgres://USER:PASSWORD@HOST/NAME",
    ),
    setting("listen", "REDIAL_LISTEN", "address to listen on"),
    setting(
        "base_url",
        "BASE_URL",
        "public address that the carrier calls back",
    ),
    setting(
        "twilio_account_sid",
        "TWILIO_ACCOUNT_SID",
        "the account that dials",
    ),
    secret(
        "twilio_auth_token",
        "TWILIO_AUTH_TOKEN",
        "its token (several: comma-separated)",
    ),
    setting(
        "twilio_api_key",
        "TWILIO_API_KEY",
        "API key to sign in with instead",
    ),
    secret("twilio_api_secret", "TWILIO_API_SECRET", "the API key's secret"),
    setting("twilio_api_base", "TWILIO_API_BASE", "where the carrier's API is"),
    secret(
        "api_keys",
        "REDIAL_API_KEYS",
        "keys that programs must show, comma-separated",
    ),
    setting(
        "voice_url",
        "REDIAL_VOICE_URL",
        "document that says what calls say",
    ),
    setting(
        "message",
        "REDIAL_MESSAGE",
        "what calls say when nothing else does",
    ),
    setting(
        "say_language",
        "REDIAL_SAY_LANGUAGE",
        "language of spoken messages",
    ),
    setting("say_voice", "REDIAL_SAY_VOICE", "voice of spoken messages"),
    setting(
        "twiml_verbs",
        "REDIAL_TWIML_VERBS",
        "verbs allowed in a call's own TwiML",
    ),
    setting(
        "retry_delays",
        "REDIAL_RETRY_DELAYS",
        "gaps after attempt 1, 2, ...",
    ),
    setting("max_attempts", "REDIAL_MAX_ATTEMPTS", "most attempts of a call"),
    setting("retry_on", "REDIAL_RETRY_ON", "endings that are tried again"),
    setting("ring_timeout", "REDIAL_RING_TIMEOUT", "how long it may ring"),
    setting("time_limit", "REDIAL_TIME_LIMIT", "how long may be talked"),
    setting(
        "settle_after",
        "REDIAL_SETTLE_AFTER",
        "when a dial in doubt is decided",
    ),
    setting("on_unconfirmed", "REDIAL_ON_UNCONFIRMED", "hold or stop"),
    setting(
        "silence_after",
        "REDIAL_SILENCE_AFTER",
        "when a silent attempt is asked for",
    ),
    setting(
        "give_up_after",
        "REDIAL_GIVE_UP_AFTER",
        "how late a dial may be made",
    ),
    setting("cps", "REDIAL_CPS", "dials a second"),
    setting("burst", "REDIAL_BURST", "dials at once before the pace binds"),
    setting("max_live", "REDIAL_MAX_LIVE", "most calls live at once"),
    setting("durability", "REDIAL_DURABILITY", "local or required"),
    setting("log", "REDIAL_LOG", "how much is logged"),
    setting("log_format", "REDIAL_LOG_FORMAT", "text or json"),
];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag of this command.
    Flag,
    /// The environment.
    Environment,
    /// A file.
    File(PathBuf),
    /// The built-in default.
    Default,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Flag => f.write_str("flag"),
            Source::Environment => f.write_str("environment"),
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Default => f.write_str("default"),
        }
    }
}

/// The value of every setting, as text, with its source.
#[derive(Debug)]
pub struct Settings {
    values: BTreeMap<&'static str, (Option<String>, Source)>,
}

const DEFAULTS: &str = include_str!("config.default.toml");
const FILE: &str = "redial.toml";

/// Adds a flag for each setting, and `--config`.
pub fn with_flags(command: Command) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .help(format!("settings file [default: {FILE}]"));
    SETTINGS.iter().fold(command.arg(file), |command, setting| {
        let flag = setting.key.replace('_', "-");
        let help = format!("{} [env: {}]", setting.help, setting.environment);
        let heading = "Settings";
        command.arg(
            Arg::new(setting.key)
                .long(flag)
                .value_name("VALUE")
                .help(help)
                .help_heading(heading),
        )
    })
}

impl Settings {
    /// Reads every setting: flag, else environment, else file, else default.
    ///
    /// # Errors
    /// When the file cannot be read or names a setting that does not exist.
    pub fn read(
        flags: &ArgMatches,
        environment: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Settings> {
        let named = flags.get_one::<String>("config").map(PathBuf::from);
        let path = named.clone().unwrap_or_else(|| FILE.into());
        let file = if named.is_some() || path.exists() {
            read_file(&path)?
        } else {
            BTreeMap::new()
        };
        let defaults = parse(DEFAULTS).expect("the built-in defaults are well-formed");
        let mut values = BTreeMap::new();
        for setting in SETTINGS {
            let key = setting.key;
            let from_flag = flags
                .get_one::<String>(key)
                .cloned()
                .map(|value| (value, Source::Flag));
            let from_environment = || {
                // An empty variable is how a shell takes one away.
                let value = environment(setting.environment).filter(|value| !value.is_empty())?;
                Some((value, Source::Environment))
            };
            let from_file = || Some((file.get(key)?.clone(), Source::File(path.clone())));
            let (value, source) = match from_flag.or_else(from_environment).or_else(from_file) {
                Some((value, source)) => (Some(value), source),
                None => (defaults.get(key).cloned(), Source::Default),
            };
            values.insert(key, (value, source));
        }
        Ok(Settings { values })
    }

    /// Every setting at its default.
    pub fn defaults() -> Settings {
        let defaults = parse(DEFAULTS).expect("the built-in defaults are well-formed");
        let values = SETTINGS
            .iter()
            .map(|s| (s.key, (defaults.get(s.key).cloned(), Source::Default)));
        Settings {
            values: values.collect(),
        }
    }

    /// The same with one value changed, as a flag would.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Settings {
        self.values.insert(key, (Some(value.into()), Source::Flag));
        self
    }

    /// The text of a setting.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(|(value, _)| value.as_deref())
    }

    /// Where its value comes from.
    pub fn source(&self, key: &str) -> &Source {
        self.values
            .get(key)
            .map_or(&Source::Default, |(_, source)| source)
    }
}

fn read_file(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    parse(&text).with_context(|| format!("{} is not a settings file", path.display()))
}

fn parse(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let table: toml::Table = text.parse()?;
    let is_known = |key: &&String| SETTINGS.iter().any(|setting| setting.key == **key);
    let unknown: Vec<String> = table
        .keys()
        .filter(|key| !is_known(key))
        .map(|key| format!("`{key}`"))
        .collect();
    if !unknown.is_empty() {
        bail!(
            "there is no setting {}; `redial config` lists all",
            unknown.join(", ")
        );
    }
    table
        .into_iter()
        .map(|(key, value)| {
            let text = as_text(&value)
                .with_context(|| format!("{key}: must be a text, a number or a list of them"))?;
            Ok((key, text))
        })
        .collect()
}

fn as_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Array(list) => Some(list.iter().map(as_text).collect::<Option<Vec<_>>>()?.join(",")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
