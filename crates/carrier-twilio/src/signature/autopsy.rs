//! Why a signature did not verify: what would have to be different for it to. For the operator's log alone; whatever
//! is found here, the request stays refused.
//!
//! Every part of what is signed is guessed anew (scheme, host, port, path, query, token, body), at most two of them
//! at a time, simplest guess first. What a guess is made from may be forged itself, so nothing is concluded from
//! guesses but words. Slow beside the check itself: its caller asks it rarely.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

use super::{SIGNATURE_BYTES, spellings, split_port};
use crate::form::{self, Pair};

/// Largest body looked into: the carrier's have about 1 kB, and each guess hashes all of it again.
const MOST_BODY_BYTES: usize = 8 * 1024;

/// Parts that may be wrong at once. A proxy that ends TLS and has another name changes two; with three, something
/// would match that nobody recognises.
const MOST_WRONG: usize = 2;

/// Longest host or prefix taken from a header: a name has at most 253 letters (RFC 1035), and a port.
const MOST_LETTERS: usize = 260;

/// What requests should have been signed with and for.
pub(crate) struct Expected {
    pub(crate) public_address: String,
    pub(crate) tokens: Vec<SecretString>,
    /// Signs nothing, but is easily put where the token belongs.
    pub(crate) api_secret: Option<SecretString>,
}

/// A request whose signature did not verify.
pub(crate) struct Refused<'a> {
    pub(crate) signature: &'a [u8],
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path_and_query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) is_form: bool,
}

/// One way in which a part may have been when it was signed; without words: as it was expected.
struct Guess<T> {
    value: T,
    words: Option<String>,
}

impl<T> Guess<T> {
    fn expected(value: T) -> Self {
        Guess { value, words: None }
    }

    fn other(value: T, words: impl Into<String>) -> Self {
        let words = Some(words.into());
        Guess { value, words }
    }
}

/// What would have made the signature true, in words; `None` when it is no signature at all, or the body is too
/// large to be looked into.
pub(crate) fn autopsy(expected: &Expected, refused: &Refused<'_>) -> Option<String> {
    let mut given = [0_u8; SIGNATURE_BYTES + 1];
    let length = STANDARD.decode_slice(refused.signature, &mut given).ok()?;
    if length != SIGNATURE_BYTES || refused.body.len() > MOST_BODY_BYTES {
        return None;
    }
    let guesses = Guesses::make(expected, refused);
    for wrong in 0..=MOST_WRONG {
        if let Some(words) = guesses.search(wrong, &given[..SIGNATURE_BYTES]) {
            return Some(match words.as_slice() {
                // All is as expected, so the check must have stumbled over what the address says of the body.
                [] => "the body: its hash is not the one in the address, so something on the way changed it"
                    .to_owned(),
                words => words.join("; and "),
            });
        }
    }
    let has_query = refused.path_and_query.contains('?');
    Some(if has_query {
        "no usual cause explains it: it was made with another token than TWILIO_AUTH_TOKEN, or it is forged"
            .to_owned()
    } else {
        "the address came without a query, and every address that we give away has one: something on the way cuts it \
         off, or it is forged"
            .to_owned()
    })
}

struct Guesses {
    tokens: Vec<Guess<Hmac<Sha1>>>,
    schemes: Vec<Guess<String>>,
    authorities: Vec<Guess<String>>,
    prefixes: Vec<Guess<String>>,
    targets: Vec<Guess<String>>,
    bodies: Vec<Guess<Vec<u8>>>,
}

impl Guesses {
    fn make(expected: &Expected, refused: &Refused<'_>) -> Guesses {
        let address = expected.public_address.as_str();
        let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
        let (authority, prefix) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        Guesses {
            tokens: tokens(expected),
            schemes: schemes(scheme),
            authorities: authorities(authority, refused.headers),
            prefixes: prefixes(prefix, refused.headers),
            targets: targets(refused.path_and_query),
            bodies: bodies(refused),
        }
    }

    /// The words of the first guess with exactly so many parts `wrong` that gives this signature.
    fn search(&self, wrong: usize, given: &[u8]) -> Option<Vec<String>> {
        for token in &self.tokens {
            for scheme in &self.schemes {
                for authority in &self.authorities {
                    for prefix in &self.prefixes {
                        let origin = [&token.words, &scheme.words, &authority.words, &prefix.words];
                        let origin: Vec<&String> = origin.into_iter().flatten().collect();
                        if origin.len() > wrong {
                            continue;
                        }
                        let base = format!("{}://{}{}", scheme.value, authority.value, prefix.value);
                        let rest = self.search_rest(wrong - origin.len(), &token.value, &base, given);
                        if let Some(rest) = rest {
                            return Some(origin.into_iter().cloned().chain(rest).collect());
                        }
                    }
                }
            }
        }
        None
    }

    fn search_rest(&self, wrong: usize, token: &Hmac<Sha1>, base: &str, given: &[u8]) -> Option<Vec<String>> {
        for target in &self.targets {
            for body in &self.bodies {
                let words: Vec<&String> = [&target.words, &body.words].into_iter().flatten().collect();
                if words.len() == wrong && is_made_of(token, base, &target.value, &body.value, given) {
                    return Some(words.into_iter().cloned().collect());
                }
            }
        }
        None
    }
}

fn is_made_of(token: &Hmac<Sha1>, base: &str, target: &str, body: &[u8], given: &[u8]) -> bool {
    spellings(base).iter().any(|base| {
        let mac = token
            .clone()
            .chain_update(base)
            .chain_update(target)
            .chain_update(body);
        mac.verify_slice(given).is_ok()
    })
}

fn tokens(expected: &Expected) -> Vec<Guess<Hmac<Sha1>>> {
    let keyed =
        |key: &str| Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC accepts a key of any length");
    let ours = expected.tokens.iter();
    let mut guesses: Vec<_> = ours
        .map(|token| Guess::expected(keyed(token.expose_secret())))
        .collect();
    guesses.push(Guess::other(
        keyed(""),
        "the token: it was made with an empty one",
    ));
    if let Some(secret) = &expected.api_secret {
        guesses.push(Guess::other(
            keyed(secret.expose_secret()),
            "the token: it was made with TWILIO_API_SECRET, which never signs; the auth token does",
        ));
    }
    guesses
}

fn schemes(scheme: &str) -> Vec<Guess<String>> {
    let other = if scheme.eq_ignore_ascii_case("https") {
        "http"
    } else {
        "https"
    };
    let words = format!("the scheme: BASE_URL has {scheme}, and it was signed for {other}");
    vec![
        Guess::expected(scheme.to_owned()),
        Guess::other(other.to_owned(), words),
    ]
}

/// The host and port that we expect, and those that the request and its proxies name.
fn authorities(expected: &str, headers: &HeaderMap) -> Vec<Guess<String>> {
    let mut guesses = vec![Guess::expected(expected.to_owned())];
    let named = ["x-forwarded-host", "x-original-host", "host"];
    for authority in named.iter().filter_map(|name| first(headers, name)) {
        if guesses
            .iter()
            .any(|guess| guess.value.eq_ignore_ascii_case(authority))
        {
            continue;
        }
        let (ours, theirs) = (split_port(expected).0, split_port(authority).0);
        let part = if ours.eq_ignore_ascii_case(theirs) {
            "port"
        } else {
            "host"
        };
        let words = format!("the {part}: BASE_URL has {expected}, and it was signed for {authority}");
        guesses.push(Guess::other(authority.to_owned(), words));
    }
    guesses
}

/// What stands before the paths of our own.
fn prefixes(expected: &str, headers: &HeaderMap) -> Vec<Guess<String>> {
    let mut guesses = vec![Guess::expected(expected.to_owned())];
    if !expected.is_empty() {
        let words = format!("the path: BASE_URL ends in {expected}, and it was signed without that");
        guesses.push(Guess::other(String::new(), words));
    }
    if let Some(prefix) = first(headers, "x-forwarded-prefix") {
        let prefix = format!("/{}", prefix.trim_matches('/'));
        if prefix != expected {
            let words =
                format!("the path: a proxy takes {prefix} off its front, so BASE_URL has to end in it");
            guesses.push(Guess::other(prefix, words));
        }
    }
    guesses
}

/// The path and the query, as they came and as they may have been.
fn targets(path_and_query: &str) -> Vec<Guess<String>> {
    let path_and_query = path_and_query.split('#').next().unwrap_or_default();
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    let joined = |path: &str, query: Option<&str>| match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut guesses = vec![Guess::expected(path_and_query.to_owned())];
    guesses.push(match path.strip_suffix('/') {
        Some(bare) => Guess::other(
            joined(bare, query),
            "the path: it was signed without the slash at its end",
        ),
        None => Guess::other(
            joined(&format!("{path}/"), query),
            "the path: it was signed with a slash at its end",
        ),
    });
    let Some(query) = query else { return guesses };
    guesses.push(Guess::other(
        path.to_owned(),
        "the query: it was signed without one",
    ));
    let mut pairs: Vec<&str> = query.split('&').collect();
    let order = "the query: its fields were in another order when it was signed";
    pairs.reverse();
    guesses.push(Guess::other(joined(path, Some(&pairs.join("&"))), order));
    pairs.sort_unstable();
    guesses.push(Guess::other(joined(path, Some(&pairs.join("&"))), order));
    let plain: Vec<u8> = form::parse(query.as_bytes())
        .flat_map(|(key, value)| [b"&".as_slice(), &key, b"=", &value].concat())
        .skip(1)
        .collect();
    if let Ok(plain) = String::from_utf8(plain) {
        let words =
            "the query: it was signed with its letters unescaped, and something on the way escapes them";
        guesses.push(Guess::other(joined(path, Some(&plain)), words));
    }
    guesses
}

/// The signed fields of the body, as they came and as they may have been.
fn bodies(refused: &Refused<'_>) -> Vec<Guess<Vec<u8>>> {
    let mut pairs: Vec<Pair<'_>> = form::parse(refused.body).collect();
    super::sort(&mut pairs);
    let every = joined(&pairs);
    pairs.dedup();
    let form = joined(&pairs);
    let trimmed: Vec<u8> = pairs
        .iter()
        .flat_map(|(key, value)| [key.as_ref(), value.trim_ascii()].concat())
        .collect();
    if !refused.is_form {
        return vec![
            Guess::expected(Vec::new()),
            Guess::other(
                form,
                "the body: it is a form, and comes with a `Content-Type` that says otherwise",
            ),
        ];
    }
    let mut first: Vec<Pair<'_>> = form::parse(refused.body).collect();
    // Stable: the first of each name stays in front.
    first.sort_by(|one, other| one.0.cmp(&other.0));
    first.dedup_by(|one, other| one.0 == other.0);
    let first = joined(&first);
    let mut guesses = vec![Guess::expected(form)];
    for (value, words) in [
        (
            trimmed,
            "the body: it was signed without the spaces round its values",
        ),
        (
            every,
            "the body: a field comes more than once, and each was signed",
        ),
        (
            first,
            "the body: a field comes more than once, and only the first was signed",
        ),
        (
            Vec::new(),
            "the body: it was not signed, as in a request without one",
        ),
    ] {
        if guesses.iter().all(|guess| guess.value != value) {
            guesses.push(Guess::other(value, words));
        }
    }
    guesses
}

fn joined(pairs: &[Pair<'_>]) -> Vec<u8> {
    pairs
        .iter()
        .flat_map(|(key, value)| [key.as_ref(), value.as_ref()].concat())
        .collect()
}

/// The first of the values of a header, if it looks like a name that may stand in a log.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let text = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/[]".contains(&byte);
    let fits = (1..=MOST_LETTERS).contains(&text.len()) && text.bytes().all(is_plain);
    fits.then_some(text)
}

#[cfg(test)]
mod tests;
