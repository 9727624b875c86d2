//! What an operator tells us about the account, checked once at start. Every fault names the setting and what
//! to do. Called by whoever puts the program together.

use std::net::IpAddr;

use http::Uri;
use secrecy::{ExposeSecret, SecretString};

/// The account, its secrets, and where the two sides reach each other.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AC` and 32 hex digits; compatible carriers use other forms.
    pub account_sid: String,
    /// The tokens that callbacks may be signed with, the current one first.
    pub auth_tokens: Vec<SecretString>,
    /// Used to sign in instead of the first token.
    pub api_key: Option<ApiKey>,
    /// Where Twilio's API is, such as `https://api.twilio.com`. A path is kept in front of every request's.
    pub api_address: String,
    /// Our own address as Twilio sees it, such as `https://calls.example.com`.
    pub public_address: String,
    /// Send every document along with its dial and ask for no callbacks, because nobody would answer them.
    pub inline_only: bool,
    /// The verbs that a caller's own document may use, spelt as Twilio spells them.
    pub verbs: Vec<String>,
}

/// A key that may use the API, but verifies nothing.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// `SK` and 32 hex digits.
    pub sid: String,
    /// Its secret.
    pub secret: SecretString,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingFault {
    /// The setting's name in the environment.
    pub setting: &'static str,
    /// What is wrong, and what to do.
    pub problem: &'static str,
}

/// Settings that are known to work together.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) settings: Settings,
    pub(crate) api: Uri,
    /// Whether the carrier can reach the public address.
    pub(crate) calls_back: bool,
}

/// Checks every setting, and takes trailing slashes off the addresses.
pub(crate) fn check(mut settings: Settings) -> Result<Checked, SettingFault> {
    let fault = |setting, problem| Err(SettingFault { setting, problem });
    let sid = &settings.account_sid;
    if sid.is_empty()
        || !sid
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return fault(
            "TWILIO_ACCOUNT_SID",
            "must be the account's SID, AC and 32 hex digits",
        );
    }
    let is_empty = |token: &SecretString| token.expose_secret().is_empty();
    if settings.auth_tokens.is_empty() || settings.auth_tokens.iter().any(is_empty) {
        return fault(
            "TWILIO_AUTH_TOKEN",
            "must be the account's token: callbacks are signed with it",
        );
    }
    if settings
        .api_key
        .as_ref()
        .is_some_and(|key| key.sid.is_empty() || key.sid.contains(':'))
    {
        return fault("TWILIO_API_KEY", "must be the key's SID, SK and 32 hex digits");
    }
    if settings.api_key.as_ref().is_some_and(|key| is_empty(&key.secret)) {
        return fault(
            "TWILIO_API_SECRET",
            "must be the secret that belongs to TWILIO_API_KEY",
        );
    }
    trim(&mut settings.api_address);
    trim(&mut settings.public_address);
    let (api, is_reachable) = addresses(&settings.api_address, &settings.public_address)?;
    Ok(Checked {
        calls_back: is_reachable && !settings.inline_only,
        settings,
        api,
    })
}

/// Whether a carrier at `api_address` could reach `public_address`, as far as the two tell.
///
/// # Errors
/// The one that is no address.
pub fn can_call_back(api_address: &str, public_address: &str) -> Result<bool, SettingFault> {
    addresses(api_address, public_address).map(|(_, is_reachable)| is_reachable)
}

/// The carrier's address, and whether ours can be reached from there.
fn addresses(api: &str, public: &str) -> Result<(Uri, bool), SettingFault> {
    let fault = |setting, problem| SettingFault { setting, problem };
    let api = address(api).ok_or_else(|| {
        fault(
            "TWILIO_API_BASE",
            "must be an address such as https://api.twilio.com",
        )
    })?;
    let public = address(public).ok_or_else(|| {
        fault(
            "BASE_URL",
            "must be an address such as https://calls.example.com, without a query",
        )
    })?;
    let is_reachable = !is_loopback(&public) || is_loopback(&api);
    Ok((api, is_reachable))
}

fn trim(address: &mut String) {
    address.truncate(address.trim_end_matches('/').len());
}

/// An absolute http or https address with a host and neither query nor fragment.
fn address(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_plain = uri.query().is_none() && !text.contains('#');
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    (is_http && is_plain && has_host).then_some(uri)
}

/// Whether only this machine can reach the address.
fn is_loopback(address: &Uri) -> bool {
    let host = address.host().unwrap_or_default();
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    match host.parse::<IpAddr>() {
        // The unspecified address is one to listen on; nobody can call it.
        Ok(ip) => ip.to_canonical().is_loopback() || ip.is_unspecified(),
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests;
