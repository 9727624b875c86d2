//! Where calls are remembered: a file of ours, or a database on a server.

use std::path::{Path, PathBuf};

use anyhow::bail;
use secrecy::{ExposeSecret as _, SecretString};

use crate::commands::Misuse;

/// What `DATABASE_URL` means.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file, by SQLite.
    File(PathBuf),
    /// The address of a database on a PostgreSQL server, with its password.
    Server(SecretString),
}

impl Database {
    /// Reads the setting.
    ///
    /// # Errors
    /// It is neither, or a file that would not last.
    pub fn read(url: &str) -> anyhow::Result<Database> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Database::Server(url.to_owned().into()));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            bail!("must be sqlite:FILE, such as sqlite:redial.db, or postgres://USER:PASSWORD@HOST/NAME");
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" || path.contains('?') {
            bail!(
                "must be sqlite: and a file, such as sqlite:redial.db: a call that is not on a disk is not kept"
            );
        }
        Ok(Database::File(path.into()))
    }

    /// The file, for a command that works on nothing else. `instead` says what to do with a server.
    ///
    /// # Errors
    /// It is on a server.
    pub fn file(&self, instead: &str) -> anyhow::Result<&Path> {
        match self {
            Database::File(path) => Ok(path),
            Database::Server(url) => {
                let url = masked(url.expose_secret());
                Err(Misuse(format!(
                    "this command works on a file, and DATABASE_URL is {url}: {instead}"
                ))
                .into())
            }
        }
    }
}

/// An address as it may be shown: without its password.
pub fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (place, query) = rest
        .split_once('?')
        .map_or((rest, None), |(place, query)| (place, Some(query)));
    let place = match place.rsplit_once('@') {
        Some((who, place)) => match who.split_once(':') {
            Some((user, _)) => format!("{user}:***@{place}"),
            None => format!("{who}@{place}"),
        },
        None => place.to_owned(),
    };
    let shown = |part: &str| match part.split_once('=') {
        Some(("password", _)) => "password=***".to_owned(),
        _ => part.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(shown).collect::<Vec<_>>().join("&"));
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!("{scheme}://{place}{query}")
}

#[cfg(test)]
mod tests;
