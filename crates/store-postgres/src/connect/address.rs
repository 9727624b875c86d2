//! A database's address, as it is written in the settings: what of it is the driver's, and what is
//! ours because the driver does not know it.
//!
//! The words are those of libpq (`sslmode`, `sslrootcert`), so that an address which works for `psql`
//! works here; one of them (`pgbouncer`) is known to libpq's other users too. It opens nothing but
//! the file of a certificate authority.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use store::StoreError;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::hosts::Last;
use super::tls::{self, Tls, Trust};

/// How long a new connection may take, and a caller wait for a free one.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long sent bytes may stay unacknowledged before the connection counts as lost.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(10);

/// A connection over which nothing has gone for so long is asked whether its other end is there, and then
/// again after every gap. Without it one that only listens would not notice that the server's host is
/// gone for the two hours which are the driver's default.
const ASKED_AFTER: Duration = Duration::from_secs(5);
const DRIVERS_DEFAULT: Duration = Duration::from_secs(2 * 60 * 60);

/// Where a database is and how it is spoken to.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) driver: tokio_postgres::Config,
    pub(crate) tls: Tls,
    checks_certificate: bool,
    pub(super) is_pooled: bool,
    pub(super) last: Arc<Last>,
}

impl Config {
    /// What the server shows of these connections to whoever looks who is connected.
    pub(crate) fn application_name(&mut self, name: impl Into<String>) -> &mut Config {
        self.driver.application_name(name);
        self
    }

    /// Which of several servers will do; at first, one that takes writes.
    pub(crate) fn target_session_attrs(&mut self, attrs: TargetSessionAttrs) {
        self.driver.target_session_attrs(attrs);
    }

    /// Where the server is, or the servers.
    pub(crate) fn hosts(&self) -> &[Host] {
        self.driver.get_hosts()
    }

    /// The server's certificate is looked at.
    pub(crate) fn checks_certificate(&self) -> bool {
        self.checks_certificate
    }

    /// A pooler between here and the server hands out another of the server's connections for each
    /// transaction: nothing that belongs to a connection lasts (settings, prepared statements,
    /// `LISTEN`, locks of a session).
    pub(crate) fn is_pooled(&self) -> bool {
        self.is_pooled
    }
}

/// What of an address is ours.
#[derive(Debug, Default, PartialEq, Eq)]
struct Own {
    sslmode: Option<String>,
    sslrootcert: Option<PathBuf>,
    pgbouncer: Option<String>,
}

/// Reads a database's address.
///
/// # Errors
/// `Broken`, in words for an operator.
pub(crate) fn config(url: &str) -> Result<Config, StoreError> {
    let (url, own) = part(url)?;
    let unreadable = |source: tokio_postgres::Error| {
        let words =
            "the database's address cannot be read; it looks like postgres://user:password@host:5432/name";
        StoreError::Broken(words.to_owned(), Some(Box::new(source)))
    };
    let mut driver: tokio_postgres::Config = url.parse().map_err(unreadable)?;
    let (mode, trust) = security(own.sslmode.as_deref(), own.sslrootcert)?;
    driver
        .ssl_mode(mode)
        .application_name("redial")
        .connect_timeout(CONNECT_WITHIN)
        .tcp_user_timeout(ACKNOWLEDGED_WITHIN)
        .target_session_attrs(TargetSessionAttrs::ReadWrite);
    if driver.get_keepalives_idle() == DRIVERS_DEFAULT {
        driver.keepalives_idle(ASKED_AFTER);
    }
    if driver.get_keepalives_interval().is_none() {
        driver.keepalives_interval(ASKED_AFTER);
    }
    let is_pooled = match own.pgbouncer.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(StoreError::broken(
                "pgbouncer in the database's address must be true or false",
            ));
        }
    };
    Ok(Config {
        driver,
        checks_certificate: trust != Trust::Anybody,
        tls: tls::connector(trust)?,
        is_pooled,
        last: Arc::default(),
    })
}

/// Takes out of an address what the driver does not know.
fn part(url: &str) -> Result<(String, Own), StoreError> {
    let mut own = Own::default();
    let Some((place, query)) = url.rsplit_once('?') else {
        return Ok((url.to_owned(), own));
    };
    let mut rest = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = || {
            let text = percent_decode_str(value).decode_utf8();
            let text = text.map_err(|_| StoreError::broken(format!("{name} in the database's address")));
            text.map(|text| text.into_owned())
        };
        match name {
            "sslmode" => own.sslmode = Some(value()?),
            "sslrootcert" => own.sslrootcert = Some(value()?.into()),
            "pgbouncer" => own.pgbouncer = Some(value()?),
            _ => rest.push(pair),
        }
    }
    let query = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{place}{query}{}", rest.join("&")), own))
}

/// Whether the connection is encrypted, and whose certificate is believed then.
fn security(mode: Option<&str>, authority: Option<PathBuf>) -> Result<(SslMode, Trust), StoreError> {
    Ok(match (mode.unwrap_or("prefer"), authority) {
        ("disable", None) => (SslMode::Disable, Trust::Anybody),
        ("prefer", None) => (SslMode::Prefer, Trust::Anybody),
        ("require", None) => (SslMode::Require, Trust::Anybody),
        ("require" | "verify-ca", Some(file)) => (SslMode::Require, Trust::Authority(file)),
        ("verify-full", authority) => (SslMode::Require, Trust::Name(authority)),
        ("verify-ca", None) => {
            return Err(StoreError::broken(
                "sslmode=verify-ca in the database's address needs sslrootcert=FILE: a public authority vouches \
                 for names, so that sslmode=verify-full is what works without one",
            ));
        }
        (mode @ ("disable" | "prefer"), Some(_)) => {
            return Err(StoreError::broken(format!(
                "sslrootcert in the database's address says whom to believe, and sslmode={mode} believes \
                 anybody: set sslmode=verify-full"
            )));
        }
        (other, _) => {
            return Err(StoreError::broken(format!(
                "sslmode={other} in the database's address must be disable, prefer, require, verify-ca or \
                 verify-full"
            )));
        }
    })
}

#[cfg(test)]
mod tests;
