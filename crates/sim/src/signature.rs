//! `X-Twilio-Signature`, as the vendor computes it. It must not know what the parameters mean. Called for
//! every request to a customer.

use crate::target::Target;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// The signature of a request to `url` with the form `params` (empty for a GET, whose parameters are part of
/// the URL). Left out of what is signed: the fragment, a user and password, and, under https, the port. A
/// repeated key counts once for each distinct value.
pub fn sign(token: &str, url: &str, params: &[(&str, &str)]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("HMAC takes keys of every length");
    match Target::parse(url) {
        Some(target) => {
            mac.update(target.signed_origin().as_bytes());
            mac.update(target.path_and_query.as_bytes());
        }
        None => mac.update(url.as_bytes()),
    }
    let mut params = params.to_vec();
    params.sort_unstable();
    params.dedup();
    for (key, value) in params {
        mac.update(key.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests;
