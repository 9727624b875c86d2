//! What the settings mean: read once, checked once, every fault named with its setting and where its
//! value came from.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use domain::Rate;
use domain::retry::RetryOn;
use domain::time::parse_duration;
use domain::{MachineDetection, Policy, Rules, Script, limits};
use secrecy::SecretString;
use store_postgres::Durability;

use crate::database::{Database, masked};
use crate::settings::{SETTINGS, Settings};

/// Everything that an operator can decide.
#[derive(Debug)]
pub struct Config {
    /// Where calls are remembered.
    pub database: Database,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The public address; `None`: the one listened on.
    pub base_url: Option<String>,
    /// The carrier's account.
    pub account: Account,
    /// Keys that programs must show.
    pub api_keys: Vec<SecretString>,
    /// What is said when a call does not say.
    pub script: Script,
    /// Nobody has decided what is said.
    pub script_is_default: bool,
    /// The language of spoken messages.
    pub say_language: Option<String>,
    /// The voice of spoken messages.
    pub say_voice: Option<String>,
    /// Verbs allowed in a call's own TwiML.
    pub twiml_verbs: Vec<String>,
    /// How often, how soon and for how long.
    pub policy: Policy,
    /// The rules of a step; whether to poll is decided by the carrier.
    pub rules: Rules,
    /// Dials a second.
    pub rate: Rate,
    /// Most calls live at once.
    pub max_live: Option<u32>,
    /// What must be known of a permit before its dial is sent.
    pub durability: Durability,
}

/// The carrier's account, as far as it is set.
#[derive(Debug)]
pub struct Account {
    /// Its SID.
    pub sid: Option<String>,
    /// Its tokens.
    pub tokens: Vec<SecretString>,
    /// An API key and its secret.
    pub api_key: Option<(String, SecretString)>,
    /// Where the API is.
    pub api_base: String,
}

impl Config {
    /// Reads what the settings mean.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn read(settings: &Settings) -> anyhow::Result<Config> {
        let text = |key| settings.get(key).map(str::to_owned);
        let script = match (text("voice_url"), text("message")) {
            (Some(url), _) => Script::Url(url),
            (None, message) => Script::Say {
                message: message.unwrap_or_default(),
                language: text("say_language"),
                voice: text("say_voice"),
            },
        };
        let is_default = |key: &str| *settings.source(key) == crate::settings::Source::Default;
        Ok(Config {
            database: read(settings, "database_url", Database::read)?,
            listen: read(settings, "listen", |text| {
                SocketAddr::from_str(text)
                    .map_err(|_| anyhow!("must be an address and a port, such as 127.0.0.1:8080"))
            })?,
            base_url: text("base_url").map(|url| url.trim_end_matches('/').to_owned()),
            account: account(settings)?,
            api_keys: list(settings, "api_keys")
                .into_iter()
                .map(SecretString::from)
                .collect(),
            script,
            script_is_default: is_default("voice_url") && is_default("message"),
            say_language: text("say_language"),
            say_voice: text("say_voice"),
            twiml_verbs: list(settings, "twiml_verbs"),
            policy: policy(settings)?,
            rules: Rules {
                settle_after: duration(settings, "settle_after")?,
                silence_after: duration(settings, "silence_after")?,
                stop_on_unconfirmed: read(settings, "on_unconfirmed", |text| match text {
                    "hold" => Ok(false),
                    "stop" => Ok(true),
                    _ => bail!("must be hold or stop"),
                })?,
                poll: false,
            },
            rate: Rate {
                per_second: read(settings, "cps", |text| match text.parse::<f64>() {
                    Ok(cps) if cps > 0.0 && cps <= 100_000.0 => Ok(cps),
                    _ => bail!("must be a number above 0, such as 1 or 0.5"),
                })?,
                burst: number(settings, "burst", 1, 1_000_000)?,
            },
            max_live: match settings.get("max_live") {
                Some(_) => Some(number(settings, "max_live", 1, u32::MAX)?),
                None => None,
            },
            durability: read(settings, "durability", |text| match text {
                "local" => Ok(Durability::Local),
                "required" => Ok(Durability::Required),
                _ => bail!("must be local or required"),
            })?,
        })
    }
}

fn account(settings: &Settings) -> anyhow::Result<Account> {
    let secret = |key| settings.get(key).map(|text| SecretString::from(text.to_owned()));
    let api_key = match (settings.get("twilio_api_key"), secret("twilio_api_secret")) {
        (Some(key), Some(secret)) => Some((key.to_owned(), secret)),
        (None, None) => None,
        (Some(_), None) => {
            bail!("TWILIO_API_SECRET is missing: TWILIO_API_KEY is set, and a key needs its secret")
        }
        (None, Some(_)) => bail!("TWILIO_API_KEY is missing: TWILIO_API_SECRET is set, and belongs to a key"),
    };
    Ok(Account {
        sid: settings.get("twilio_account_sid").map(str::to_owned),
        tokens: list(settings, "twilio_auth_token")
            .into_iter()
            .map(SecretString::from)
            .collect(),
        api_key,
        api_base: settings.get("twilio_api_base").unwrap_or_default().to_owned(),
    })
}

fn policy(settings: &Settings) -> anyhow::Result<Policy> {
    let retry_delays = read(settings, "retry_delays", |text| {
        let delays = split(text)
            .map(|one| Ok(parse_duration(one)?))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let fits = (1..=limits::RETRY_DELAYS).contains(&delays.len());
        if !fits || delays.iter().any(|delay| *delay > limits::LONGEST_RETRY_DELAY) {
            bail!("must be 1 to {} durations of at most 30d", limits::RETRY_DELAYS);
        }
        Ok(delays)
    })?;
    let retry_on = read(settings, "retry_on", |text| {
        let mut on = RetryOn {
            busy: false,
            no_answer: false,
            failed: false,
        };
        for word in split(text) {
            match word {
                "busy" => on.busy = true,
                "no-answer" => on.no_answer = true,
                "failed" => on.failed = true,
                _ => bail!("`{word}` is not one of busy, no-answer, failed"),
            }
        }
        Ok(on)
    })?;
    Ok(Policy {
        max_attempts: number(settings, "max_attempts", 1, limits::MAX_ATTEMPTS)?,
        retry_delays,
        retry_on,
        ring_timeout: whole_seconds(settings, "ring_timeout", limits::RING_TIMEOUT_SECONDS)?,
        time_limit: whole_seconds(settings, "time_limit", limits::TIME_LIMIT_SECONDS)?,
        give_up_after: duration(settings, "give_up_after")?,
        machine_detection: MachineDetection::Off,
    })
}

fn read<T>(
    settings: &Settings,
    key: &str,
    parse: impl FnOnce(&str) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let text = settings.get(key).unwrap_or_default();
    parse(text.trim()).with_context(|| {
        let name = SETTINGS
            .iter()
            .find(|setting| setting.key == key)
            .map_or(key, |setting| setting.environment);
        let text = if key == "database_url" {
            masked(text)
        } else {
            text.to_owned()
        };
        format!("{name} is `{text}` (from {})", settings.source(key))
    })
}

fn duration(settings: &Settings, key: &str) -> anyhow::Result<Duration> {
    read(settings, key, |text| match parse_duration(text)? {
        Duration::ZERO => bail!("must be longer than nothing"),
        gap => Ok(gap),
    })
}

fn whole_seconds(
    settings: &Settings,
    key: &str,
    range: std::ops::RangeInclusive<u64>,
) -> anyhow::Result<Duration> {
    read(settings, key, |text| {
        let gap = parse_duration(text)?;
        if gap.subsec_millis() != 0 || !range.contains(&gap.as_secs()) {
            bail!(
                "must be {} to {} whole seconds, as the carrier takes them",
                range.start(),
                range.end()
            );
        }
        Ok(gap)
    })
}

fn number(settings: &Settings, key: &str, least: u32, most: u32) -> anyhow::Result<u32> {
    read(settings, key, |text| match text.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => bail!("must be a whole number from {least} to {most}"),
    })
}

fn list(settings: &Settings, key: &str) -> Vec<String> {
    split(settings.get(key).unwrap_or_default())
        .map(str::to_owned)
        .collect()
}

/// The parts of a list that is written with commas or spaces.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t', '\n']).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests;
