//! Questions about the account itself: whether it may be used, and which numbers it may call from. They change
//! nothing at the carrier, and no dial waits for them. Called by whoever finds out what is wrong with a set-up.

use bytes::Bytes;
use carrier::{AskError, Reply};
use domain::Phone;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::Twilio;
use crate::wire::{Complaint, words};

/// The account as the carrier describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What its owner calls it.
    pub name: String,
    /// `active`, `suspended` or `closed`; open, because compatible carriers have words of their own.
    pub status: String,
    /// Whether it is one on trial, which reaches verified numbers alone.
    pub is_trial: bool,
}

/// Numbers that may be called from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Rented ones first.
    pub callers: Vec<Caller>,
    /// Whether there are more than were read.
    pub is_cut: bool,
}

/// One number of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Rented from the carrier, able to speak.
    Rented(Phone),
    /// Rented from the carrier, for messages alone: no call can come from it.
    Mute(Phone),
    /// Elsewhere, and proven to be the owner's.
    Verified(Phone),
}

impl Caller {
    /// The number, if calls may come from it.
    pub fn usable(&self) -> Option<&Phone> {
        match self {
            Caller::Rented(number) | Caller::Verified(number) => Some(number),
            Caller::Mute(_) => None,
        }
    }
}

/// Why a question about the account was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// Who asks is not known: HTTP 401.
    #[error("{0}")]
    Unknown(String),
    /// Who asks may not: HTTP 403.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such account: HTTP 404.
    #[error("{0}")]
    NoSuchAccount(String),
    /// No connection, no answer in time, or one that makes no sense.
    #[error("{0}")]
    Unanswered(String),
}

impl Twilio {
    /// Asks for the account. A key that is no main key may not; its token always may.
    pub async fn account_standing(&self) -> Reply<Result<Account, ProbeError>> {
        self.rest
            .account(None)
            .await
            .map(|outcome| read::<RawAccount>(outcome).map(Account::from))
    }

    /// Asks for as little as there is, to see whether the credentials that dial are taken.
    pub async fn sign_in(&self) -> Reply<Result<(), ProbeError>> {
        let reply = self.rest.page(&self.rest.shortest_page()).await;
        reply.map(|outcome| judged(outcome).map(drop))
    }

    /// Asks which numbers may be called from: the first two hundred of either kind.
    ///
    /// # Errors
    /// When either list cannot be had.
    pub async fn numbers(&self) -> Result<Numbers, ProbeError> {
        let rented: RawRented = read(self.rest.account(Some("IncomingPhoneNumbers")).await.outcome)?;
        let verified: RawVerified = read(self.rest.account(Some("OutgoingCallerIds")).await.outcome)?;
        let is_cut = rented.next_page_uri.is_some() || verified.next_page_uri.is_some();
        let rented = rented.incoming_phone_numbers.into_iter().filter_map(|raw| {
            let number = raw.phone_number?.parse().ok()?;
            let is_mute = raw.capabilities.get("voice") == Some(&Value::Bool(false));
            Some(if is_mute {
                Caller::Mute(number)
            } else {
                Caller::Rented(number)
            })
        });
        let verified = verified
            .outgoing_caller_ids
            .into_iter()
            .filter_map(|raw| Some(Caller::Verified(raw.phone_number?.parse().ok()?)));
        Ok(Numbers {
            callers: rented.chain(verified).collect(),
            is_cut,
        })
    }
}

#[derive(Deserialize)]
struct RawAccount {
    friendly_name: Option<String>,
    status: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl From<RawAccount> for Account {
    fn from(raw: RawAccount) -> Account {
        Account {
            name: words(&raw.friendly_name.unwrap_or_default()),
            status: words(&raw.status.unwrap_or_default()),
            is_trial: raw.kind.is_some_and(|kind| kind.eq_ignore_ascii_case("trial")),
        }
    }
}

#[derive(Deserialize)]
struct RawRented {
    incoming_phone_numbers: Vec<RawNumber>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct RawVerified {
    outgoing_caller_ids: Vec<RawNumber>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct RawNumber {
    phone_number: Option<String>,
    #[serde(default)]
    capabilities: Value,
}

fn read<T: for<'de> Deserialize<'de>>(outcome: Result<Response<Bytes>, AskError>) -> Result<T, ProbeError> {
    let answer = judged(outcome)?;
    serde_json::from_slice(answer.body())
        .map_err(|_| ProbeError::Unanswered("it answers, but not as the carrier's API does".to_owned()))
}

fn judged(outcome: Result<Response<Bytes>, AskError>) -> Result<Response<Bytes>, ProbeError> {
    let answer = outcome.map_err(|error| {
        ProbeError::Unanswered(match error {
            AskError::Unanswered(why) | AskError::Account(why) | AskError::Refused(why) => why,
        })
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let http = format!("HTTP {}", status.as_u16());
    let Some(Complaint { code, message }) = Complaint::read(status, answer.body()) else {
        // Whatever stands in front of the carrier proves nothing about the account.
        return Err(ProbeError::Unanswered(format!(
            "{http}, not in the carrier's words"
        )));
    };
    let said = format!("{http}, {code}: {message}");
    Err(match status {
        StatusCode::UNAUTHORIZED => ProbeError::Unknown(said),
        StatusCode::FORBIDDEN => ProbeError::Forbidden(said),
        StatusCode::NOT_FOUND => ProbeError::NoSuchAccount(said),
        _ => ProbeError::Unanswered(said),
    })
}
