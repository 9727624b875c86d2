//! Form-encoded bodies and query strings, decoded to bytes without a copy wherever nothing is escaped.
//!
//! Text is kept as bytes because the signature covers the bytes: replacing an invalid sequence would change
//! what is verified. Knows nothing of what the fields mean. Called by the signature check and by the reading
//! of callbacks.

use std::borrow::Cow;
use std::iter::once;

use memchr::{memchr, memchr_iter, memchr2};

/// One decoded pair. Neither half is trimmed: a space at the end is part of what was signed.
pub(crate) type Pair<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Decodes `a=1&b=2` in the order given. Empty segments are skipped, a segment without `=` is a key with an
/// empty value.
pub(crate) fn parse(encoded: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let ends = memchr_iter(b'&', encoded).chain(once(encoded.len()));
    let mut begun = 0;
    ends.map(move |end| &encoded[std::mem::replace(&mut begun, end + 1)..end])
        .filter(|segment| !segment.is_empty())
        .map(|segment| match memchr(b'=', segment) {
            Some(at) => (decode(&segment[..at]), decode(&segment[at + 1..])),
            None => (decode(segment), Cow::Borrowed(&b""[..])),
        })
}

/// Undoes `+` and percent escapes. A `%` that no two hex digits follow stays as it is, as browsers do.
fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr2(b'+', b'%', text) else {
        return Cow::Borrowed(text);
    };
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(&text[..first]);
    let mut rest = &text[first..];
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match escaped(tail) {
                Some(value) => {
                    out.push(value);
                    rest = &tail[2..];
                }
                None => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

fn escaped(tail: &[u8]) -> Option<u8> {
    let [high, low, ..] = *tail else { return None };
    Some(hex(high)? << 4 | hex(low)?)
}

/// The value of one hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
