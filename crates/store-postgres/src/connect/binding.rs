//! The mark by which a password is bound to the encrypted connection that it is proved over
//! (`tls-server-end-point`, RFC 5929): a digest of the server's certificate, made with the hash that
//! the certificate itself is signed with.
//!
//! With it, somebody who stands in between cannot pass a proof of the password on, even where nobody
//! looks at the certificate. Knows of a certificate's form no more than where the name of that hash
//! stands. Called at each handshake.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Algorithms as they are named in a certificate: everything but the last byte, which is the hash's.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

/// The marks of a sequence and of a name in a certificate's written form.
const SEQUENCE: u8 = 0x30;
const NAME: u8 = 0x06;

/// The digest; `None` for a certificate whose algorithm has no hash that both sides would take.
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (hash, family) = algorithm(certificate)?.split_last()?;
    Some(match (family, *hash) {
        (RSA, 11) | (ECDSA, 2) => Sha256::digest(certificate).to_vec(),
        (RSA, 12) | (ECDSA, 3) => Sha384::digest(certificate).to_vec(),
        (RSA, 13) | (ECDSA, 4) => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

/// The name of the algorithm that a certificate is signed with: the first thing in the sequence
/// behind what is signed.
fn algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (whole, _) = open(certificate, SEQUENCE)?;
    let (_, behind) = open(whole, SEQUENCE)?;
    let (algorithm, _) = open(behind, SEQUENCE)?;
    Some(open(algorithm, NAME)?.0)
}

/// What is in the element that `bytes` begin with, and what follows it.
fn open(bytes: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first != mark {
        return None;
    }
    let (short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(*short), rest),
        // So many bytes of a length follow; four are more than any certificate needs.
        0x81..=0x84 => {
            let (long, rest) = rest.split_at_checked(usize::from(short - 0x80))?;
            let length = long
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
