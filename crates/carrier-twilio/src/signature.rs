//! The check of `X-Twilio-Signature`: base64 of HMAC-SHA1 over the address as Twilio was given it, followed
//! by the sorted form fields.
//!
//! The address is rebuilt from the configured public base and the raw path and query; what the request says
//! about itself (`Host`, forwarding headers) is never consulted, so nobody can choose what is verified. Knows
//! nothing of calls. Called before anything else in a callback is looked at.

pub(crate) mod autopsy;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::form::{self, Pair};

/// HMAC-SHA1 is 20 bytes: any other length is no signature.
const SIGNATURE_BYTES: usize = 20;

/// The query field in which Twilio puts the hash of a body that is no form.
const BODY_HASH_FIELD: &[u8] = b"bodySHA256";

/// What was sent with the address, in the shape in which it is covered by the signature.
pub(crate) enum Signed<'a> {
    /// Form fields, in the order in which [`sort`] leaves them; none for a GET or an empty body.
    Form(&'a [Pair<'a>]),
    /// A body that is no form: covered through its hash, which the address carries.
    Body(&'a [u8]),
}

/// Checks signatures made with one of several tokens over one public address.
///
/// Holds one keyed state per token and accepted spelling of the base, each already fed with that spelling, so
/// that a check hashes only what is new in the request.
pub(crate) struct Verifier {
    prefixes: Vec<Hmac<Sha1>>,
}

impl Verifier {
    /// `base` is the public address without a trailing slash; every token in `tokens` is accepted, so that
    /// one can be replaced without refusing callbacks.
    pub(crate) fn new(base: &str, tokens: &[SecretString]) -> Self {
        let spellings = spellings(base);
        let mut prefixes = Vec::with_capacity(spellings.len() * tokens.len());
        for token in tokens {
            let keyed = Hmac::<Sha1>::new_from_slice(token.expose_secret().as_bytes())
                .expect("HMAC accepts a key of any length");
            for spelling in &spellings {
                prefixes.push(keyed.clone().chain_update(spelling.as_bytes()));
            }
        }
        Self { prefixes }
    }

    /// Whether `signature` (the header's value) covers this request. Takes the same time for every wrong
    /// value of the right length.
    pub(crate) fn covers(&self, signature: &[u8], path_and_query: &str, signed: &Signed<'_>) -> bool {
        let mut given = [0_u8; SIGNATURE_BYTES + 1];
        let Ok(SIGNATURE_BYTES) = STANDARD.decode_slice(signature, &mut given) else {
            return false;
        };
        let given = &given[..SIGNATURE_BYTES];

        // A fragment never reaches a server; when an address with one is handed in, it is not signed either.
        let path_and_query = path_and_query.split('#').next().unwrap_or_default();
        if let Signed::Body(body) = signed
            && !hash_matches(path_and_query, body)
        {
            return false;
        }
        self.prefixes.iter().any(|prefix| {
            let mut mac = prefix.clone();
            mac.update(path_and_query.as_bytes());
            if let Signed::Form(pairs) = signed {
                feed(&mut mac, pairs);
            }
            bool::from(mac.finalize().into_bytes().as_slice().ct_eq(given))
        })
    }
}

/// Puts form fields into the order in which they are signed: by key, then by value, compared as bytes.
pub(crate) fn sort(pairs: &mut [Pair<'_>]) {
    pairs.sort_unstable();
}

/// Every key and value, once per distinct pair.
fn feed(mac: &mut Hmac<Sha1>, pairs: &[Pair<'_>]) {
    let mut previous: Option<&Pair<'_>> = None;
    for pair in pairs {
        if previous != Some(pair) {
            mac.update(&pair.0);
            mac.update(&pair.1);
        }
        previous = Some(pair);
    }
}

/// Whether the address carries the SHA-256 of `body`. Without the field the body is not covered: refused.
fn hash_matches(path_and_query: &str, body: &[u8]) -> bool {
    let Some((_, query)) = path_and_query.split_once('?') else {
        return false;
    };
    let mut claimed = form::parse(query.as_bytes()).filter(|(key, _)| key.as_ref() == BODY_HASH_FIELD);
    let (Some((_, value)), None) = (claimed.next(), claimed.next()) else {
        return false;
    };
    let actual = Sha256::digest(body);
    if value.len() != actual.len() * 2 {
        return false;
    }
    let same = value
        .chunks_exact(2)
        .zip(actual.iter())
        .fold(Choice::from(1), |same, (digits, byte)| {
            let claimed = match (form::hex(digits[0]), form::hex(digits[1])) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Choice::from(0),
            };
            same & claimed.ct_eq(byte)
        });
    bool::from(same)
}

/// The ways in which the carrier may have spelt the base, likeliest first.
///
/// Voice drops any port over https and keeps it over http, but not every part of Twilio does the same, so
/// each address is accepted with and without its port. Credentials in the address are dropped by Twilio and
/// kept by its libraries: both are accepted.
fn spellings(base: &str) -> Vec<String> {
    let Some((scheme, rest)) = base.split_once("://") else {
        return vec![base.to_owned()];
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (userinfo, host_and_port) = match authority.rfind('@') {
        Some(at) => (Some(&authority[..=at]), &authority[at + 1..]),
        None => (None, authority),
    };
    let is_https = scheme.eq_ignore_ascii_case("https");
    let (host, port) = split_port(host_and_port);
    let port = port.unwrap_or(if is_https { "443" } else { "80" });

    let bare = host.to_owned();
    let with_port = format!("{host}:{port}");
    let hosts = if is_https || host_and_port == host {
        [bare, with_port]
    } else {
        [with_port, bare]
    };
    let mut all = Vec::with_capacity(4);
    for prefix in [Some(""), userinfo].into_iter().flatten() {
        all.extend(
            hosts
                .iter()
                .map(|host| format!("{scheme}://{prefix}{host}{path}")),
        );
    }
    all
}

/// Splits `host:port`; an IPv6 address in brackets has colons of its own.
fn split_port(host_and_port: &str) -> (&str, Option<&str>) {
    match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (host_and_port, None),
    }
}

#[cfg(test)]
mod tests;
