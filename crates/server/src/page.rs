//! Cursors: a place in a list as an opaque word. Its form is nobody else's business and may change;
//! a cursor that was given out before a change is then refused, not misread.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{CallId, Timestamp};
use engine::Cursor;

/// Milliseconds and id.
const BYTES: usize = 8 + 16;

/// Writes a cursor.
pub(crate) fn write(cursor: &Cursor) -> String {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&cursor.created_at.millis().to_be_bytes());
    bytes[8..].copy_from_slice(cursor.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads back what [`write`] gave; `None` for anything else.
pub(crate) fn read(text: &str) -> Option<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (millis, id) = bytes.split_first_chunk::<8>()?;
    Some(Cursor {
        created_at: Timestamp::from_millis(i64::from_be_bytes(*millis)),
        id: CallId::from_bytes(id.try_into().ok()?),
    })
}
