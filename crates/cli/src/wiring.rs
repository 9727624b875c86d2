//! Puts the parts together: the only place that knows which store and which carrier there are.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use carrier::Carrier as _;
use carrier_twilio::{ApiKey, SettingFault, Twilio};
use engine::clock::SystemClock;
use engine::dice::SystemDice;
use engine::{Engine, Parts};
use secrecy::ExposeSecret as _;
use store::Store;
use store_postgres::{Durability, PostgresStore};
use store_sqlite::{Purpose, SqliteStore};

use crate::config::Config;
use crate::database::Database;

/// A public address for questions that nothing comes back to.
const NOWHERE: &str = "http://127.0.0.1";

/// Opens the database for dialling: a file alone, waiting so long for a process that still holds the
/// right; a server's together with whoever else dials from it.
///
/// # Errors
/// In words for an operator; [`store::StoreError::Held`] when another process has the right.
pub async fn open_store(config: &Config, wait: Duration) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &config.database {
        Database::File(_) if config.durability == Durability::Required => bail!(
            "REDIAL_DURABILITY=required asks the standby of a PostgreSQL server, and DATABASE_URL is a file; use local, or a server"
        ),
        Database::File(path) => Arc::new(SqliteStore::open(path, Purpose::Dial { wait })?),
        Database::Server(url) => {
            let purpose = store_postgres::Purpose::Dial(config.durability);
            Arc::new(PostgresStore::open(url.expose_secret(), purpose).await?)
        }
    })
}

/// Opens the database to write into it without dialling: a file while nobody dials, a server's
/// beside whoever does.
///
/// # Errors
/// As [`open_store`].
pub async fn open_store_to_import(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &config.database {
        Database::File(path) => Arc::new(SqliteStore::open(path, Purpose::Alone)?),
        Database::Server(url) => {
            let purpose = store_postgres::Purpose::Beside;
            Arc::new(PostgresStore::open(url.expose_secret(), purpose).await?)
        }
    })
}

/// Whether the account is set that redial dials on.
///
/// # Errors
/// Names everything that is missing.
pub fn check_account(config: &Config) -> anyhow::Result<()> {
    let account = &config.account;
    let missing: Vec<&str> = [
        ("TWILIO_ACCOUNT_SID", account.sid.is_none()),
        ("TWILIO_AUTH_TOKEN", account.tokens.is_empty()),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "not set: {}. redial dials on this account and verifies callbacks with its token; `redial sim` takes any, and `redial demo` needs none",
        missing.join(", ")
    )
}

/// The carrier. With `inline_only` every document goes along with its dial, because nobody would
/// answer for it later.
///
/// # Errors
/// The setting that is missing or cannot work.
pub fn carrier(config: &Config, base_url: &str, inline_only: bool) -> anyhow::Result<Twilio> {
    check_account(config)?;
    let settings = carrier_settings(config, base_url);
    Ok(Twilio::new(carrier_twilio::Settings {
        inline_only,
        ..settings
    })?)
}

/// The carrier, for questions about the account alone: as the account itself, or with the API key that it has.
///
/// # Errors
/// The setting that cannot work.
pub fn asking(config: &Config, with_key: bool) -> Result<Twilio, SettingFault> {
    let settings = carrier_settings(config, NOWHERE);
    let api_key = settings.api_key.clone().filter(|_| with_key);
    Twilio::new(carrier_twilio::Settings { api_key, ..settings })
}

/// The server's public address: the one that is set, else what it listens on.
pub fn base_url(config: &Config) -> String {
    let listen = || format!("http://{}", config.listen);
    config.base_url.clone().unwrap_or_else(listen)
}

fn carrier_settings(config: &Config, base_url: &str) -> carrier_twilio::Settings {
    let account = &config.account;
    carrier_twilio::Settings {
        account_sid: account.sid.clone().unwrap_or_default(),
        auth_tokens: account.tokens.clone(),
        api_key: account
            .api_key
            .clone()
            .map(|(sid, secret)| ApiKey { sid, secret }),
        api_address: account.api_base.clone(),
        public_address: base_url.to_owned(),
        inline_only: false,
        verbs: config.twiml_verbs.clone(),
    }
}

/// The engine.
///
/// # Errors
/// When what is said by default is nothing that the carrier takes.
pub fn engine(config: &Config, store: Arc<dyn Store>, carrier: Twilio) -> anyhow::Result<Engine> {
    carrier
        .check(&config.script)
        .context("REDIAL_MESSAGE or REDIAL_VOICE_URL is nothing that the carrier takes")?;
    let rules = domain::Rules {
        poll: !carrier.calls_back(),
        ..config.rules.clone()
    };
    Ok(Engine::new(Parts {
        store,
        carrier: Arc::new(carrier),
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice::new()),
        settings: engine::Settings {
            policy: config.policy.clone(),
            script: config.script.clone(),
            rules,
            rate: config.rate,
            max_live: config.max_live,
        },
    }))
}
