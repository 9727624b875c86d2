//! Who may ask: whoever shows one of the operator's keys, or, on a server without keys, whoever sits
//! at the same machine. The carrier shows a signature instead and does not come by here.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue, Uri, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::error::{ApiError, Code};

/// The operator's keys, kept as digests: all of one length, so that a comparison takes as long
/// whatever is shown, and a dump of the memory shows none.
pub(crate) struct Keys(Vec<[u8; 32]>);

/// What proxies and tunnels write into a request, in small letters.
const FORWARDING: &[&str] = &[
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-forwarded-for",
    "true-client-ip",
    "fastly-client-ip",
    "cdn-loop",
];

/// What the names of such headers begin with.
const FORWARDING_FAMILIES: &[&str] = &[
    "x-forwarded",
    "cf-",
    "ngrok-",
    "x-envoy-",
    "x-amzn-",
    "x-amz-cf-",
    "x-azure-",
    "fly-",
    "tailscale-",
];

/// Words for whoever is turned away by a server without keys.
const WHY_LOCAL: &str = "this server has no API keys and therefore takes requests from its own machine only; \
                         set REDIAL_API_KEYS to use it through a proxy, a tunnel or another name";

impl Keys {
    pub(crate) fn new(keys: &[SecretString]) -> Keys {
        Keys(
            keys.iter()
                .map(|key| digest(key.expose_secret().as_bytes()))
                .collect(),
        )
    }

    /// Lets a request pass that shows a key, or needs none.
    ///
    /// # Errors
    /// `Unauthorized` without a true key; `NotLocal` where there are no keys and the request does not
    /// come from this machine for certain.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.0.is_empty() {
            return is_local(uri, headers);
        }
        let shown = digest(bearer(headers)?);
        let known = self
            .0
            .iter()
            .fold(Choice::from(0), |found, key| found | key.ct_eq(&shown));
        if known.into() {
            Ok(())
        } else {
            Err(unauthorized("the key that was shown is none of this server's"))
        }
    }

    /// On a server without keys, lets pass what comes from this machine; with keys, everything.
    ///
    /// # Errors
    /// `NotLocal`.
    pub(crate) fn check_place(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.0.is_empty() {
            is_local(uri, headers)
        } else {
            Ok(())
        }
    }
}

fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// The key that a request shows.
fn bearer(headers: &HeaderMap) -> Result<&[u8], ApiError> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return Err(unauthorized(
            "show a key in one header `Authorization: Bearer <key>`",
        ));
    };
    let value = value.as_bytes();
    match value.split_at_checked(7) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(b"bearer ") => Ok(key.trim_ascii()),
        _ => Err(unauthorized("the header must read `Authorization: Bearer <key>`")),
    }
}

fn unauthorized(message: &'static str) -> ApiError {
    ApiError::new(Code::Unauthorized, message)
}

/// Whether a request was made on this machine, by a program of this machine: no proxy or tunnel has
/// handled it, it is addressed to this machine's own name, and no foreign web page sent it.
fn is_local(uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |what: String| Err(ApiError::new(Code::NotLocal, format!("{what}: {WHY_LOCAL}")));
    if let Some(name) = headers.keys().find(|name| is_forwarding(name.as_str())) {
        return refuse(format!(
            "the request carries `{name}`, which a proxy or tunnel has written"
        ));
    }
    let mut hosts = headers.get_all(header::HOST).iter().peekable();
    if hosts.peek().is_none() && uri.host().is_none() {
        return refuse("the request does not say which host it is for".to_owned());
    }
    let named = hosts.all(|host| host.to_str().is_ok_and(is_loopback_authority));
    let addressed = uri
        .authority()
        .is_none_or(|authority| is_loopback_authority(authority.as_str()));
    if !named || !addressed {
        return refuse("the request is for a host that is not this machine's loopback".to_owned());
    }
    // A browser says on whose behalf it asks. Without this, any web page that is open on this
    // machine could have people called.
    let foreign = |origin: &HeaderValue| !origin.to_str().is_ok_and(is_loopback_origin);
    let cross = |site: &HeaderValue| site.as_bytes() == b"cross-site";
    if headers.get_all(header::ORIGIN).iter().any(foreign)
        || headers.get_all("sec-fetch-site").iter().any(cross)
    {
        return refuse("the request was made by a web page of another site".to_owned());
    }
    Ok(())
}

fn is_forwarding(name: &str) -> bool {
    FORWARDING.contains(&name) || FORWARDING_FAMILIES.iter().any(|family| name.starts_with(family))
}

/// `http://localhost:8080` and its like.
fn is_loopback_origin(origin: &str) -> bool {
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| is_loopback_authority(authority))
}

/// A loopback name or address, with any port or none.
fn is_loopback_authority(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    is_loopback_host(host)
}

fn is_loopback_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Whether a server that asks for no keys may start: only where nobody else can reach it, neither at
/// the address it listens on nor at the public address that it has.
///
/// # Errors
/// What stands against it, and what to do, in words for the operator.
pub fn keyless_is_safe(listen: SocketAddr, base_url: &str) -> Result<(), String> {
    let remedy = "set REDIAL_API_KEYS, or listen and be called back on this machine only (127.0.0.1)";
    if !listen.ip().is_loopback() {
        return Err(format!(
            "without API keys, whoever reaches {listen} could have people called at your cost: {remedy}"
        ));
    }
    let address = base_url
        .parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let host = address.as_ref().and_then(Uri::host).map(is_loopback_host);
    match host {
        Some(true) => Ok(()),
        Some(false) => Err(format!(
            "BASE_URL is {base_url}, a public address, and without API keys whoever knows it could have people \
             called at your cost: {remedy}"
        )),
        None => Err(format!(
            "BASE_URL must be an http:// or https:// address, not `{base_url}`"
        )),
    }
}
