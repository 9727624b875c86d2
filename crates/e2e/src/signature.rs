//! The signature of the carrier's requests, written a second time from its documents, so that the product's own
//! check is held against something that is not itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The header that carries it.
pub const HEADER: &str = "X-Twilio-Signature";

/// The signature over a URL and form parameters: names sorted, each followed by its value, no separators.
pub fn sign(token: &str, url: &str, params: &[(&str, &str)]) -> String {
    let mut sorted = params.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("a key of any length will do");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The URL as it is requested and signed when the body is JSON: it carries the body's checksum.
pub fn signed_json_url(url: &str, body: &[u8]) -> String {
    let sum: String = Sha256::digest(body)
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}bodySHA256={sum}")
}

#[cfg(test)]
mod tests;
