//! Tells code, comments and string literals of a Rust file apart, without parsing it.
//!
//! Both results keep every byte's place and every line break, so that an offset in one is an offset in the file.
//! Called once per file by `tree.rs`; knows no rule.

/// A Rust file seen twice: only its code, and only what stands inside its string literals.
pub struct Split {
    /// Comments, and the insides of string and character literals, replaced by spaces.
    pub code: String,
    /// Everything but the insides of string literals replaced by spaces.
    pub strings: String,
}

/// Splits `text`. Text that is no valid Rust gives some split, never a panic.
pub fn split(text: &str) -> Split {
    let bytes = text.as_bytes();
    let mut code = blank(bytes);
    let mut strings = blank(bytes);
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = token(bytes, at);
        match kind {
            Kind::Code => code[at..end].copy_from_slice(&bytes[at..end]),
            Kind::Text => strings[at..end].copy_from_slice(&bytes[at..end]),
            Kind::Comment | Kind::Letter => {}
        }
        at = end;
    }
    Split {
        code: lossless(code),
        strings: lossless(strings),
    }
}

enum Kind {
    Code,
    Comment,
    Text,
    Letter,
}

/// The kind of what begins at `at`, and where it ends (always after `at`).
fn token(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return (Kind::Comment, find(bytes, at, b"\n"));
    }
    if rest.starts_with(b"/*") {
        return (Kind::Comment, block_comment_end(bytes, at));
    }
    if rest[0] == b'"' {
        return (Kind::Text, string_end(bytes, at + 1));
    }
    if let Some(end) = raw_string_end(bytes, at) {
        return (Kind::Text, end);
    }
    if rest[0] == b'\''
        && let Some(end) = letter_end(bytes, at)
    {
        return (Kind::Letter, end);
    }
    // A whole word at once, so that the r of `for"` is not taken for the mark of a raw string.
    let word = rest.iter().take_while(|it| is_word(**it)).count();
    let prefix =
        word == 1 && matches!(rest[0], b'b' | b'c') || word == 2 && matches!(&rest[..2], b"br" | b"cr");
    (Kind::Code, at + if prefix { 1 } else { word.max(1) })
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let after = bytes[at..].strip_prefix(b"r")?;
    let marks = after.iter().take_while(|it| **it == b'#').count();
    if after.get(marks) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(marks + 1, b'#');
    let body = at + marks + 2;
    Some((find(bytes, body, &close) + close.len()).min(bytes.len()))
}

/// The end of a character literal, or nothing when the quote begins a lifetime.
fn letter_end(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at + 1)?;
    if first == b'\\' {
        let close = find(bytes, at + 3, b"'");
        return Some((close + 1).min(bytes.len()));
    }
    let width = match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + width + 2)
}

/// Where `needle` next begins at or after `from`; the end of the text if nowhere.
fn find(bytes: &[u8], from: usize, needle: &[u8]) -> usize {
    let from = from.min(bytes.len());
    let found = bytes[from..].windows(needle.len()).position(|it| it == needle);
    found.map_or(bytes.len(), |it| from + it)
}

/// Whether a byte can stand inside an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn blank(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|it| if *it == b'\n' { b'\n' } else { b' ' })
        .collect()
}

/// Tokens begin and end between characters, so nothing is replaced here but in broken input.
fn lossless(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
