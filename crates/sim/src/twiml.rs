//! What a document makes the call do, as far as it matters here: end, go on to another document, or talk. It
//! must not play anything. Called by the exchange when a document is there.

use crate::call::Method;
use crate::notice::Document;
use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// Largest document the vendor takes, in bytes.
pub const LARGEST: usize = 64 * 1024;

/// What a document leads to. Only its first verb counts: whoever answered is gone before a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Something is heard for as long as the callee stays.
    Talk,
    /// Nothing, or the wish to hang up: the call ends.
    Hangup,
    /// Another document takes over.
    Redirect(String, Method),
    /// No document: the callee hears an apology, and the call ends.
    Broken,
}

/// What a fetched document leads to, by its content type.
pub fn fetched(document: &Document) -> Verb {
    let Document::Body { content_type, text } = document else {
        return Verb::Broken;
    };
    if text.len() > LARGEST {
        return Verb::Broken;
    }
    let content_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match content_type.as_str() {
        "text/xml" | "application/xml" | "text/html" => first_verb(text),
        // Text that is no document is read aloud; sound is played.
        "text/plain" => Verb::Talk,
        sound if sound.starts_with("audio/") => Verb::Talk,
        _ => Verb::Broken,
    }
}

/// The first verb of a document.
pub fn first_verb(text: &str) -> Verb {
    read(text).unwrap_or(Verb::Broken)
}

/// Reads to the end, so that what is not well-formed anywhere counts as broken; `None` is broken.
fn read(text: &str) -> Option<Verb> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0_u32;
    let mut first: Option<Verb> = None;
    let mut seen_root = false;
    // A redirect's target is the text inside it.
    let mut collecting = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let is_first = first.is_none();
                open(&tag, depth, &mut first, &mut seen_root)?;
                collecting |= is_first && matches!(first, Some(Verb::Redirect(..)));
                depth += 1;
            }
            Event::Empty(tag) => open(&tag, depth, &mut first, &mut seen_root)?,
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                collecting &= depth > 1;
            }
            Event::Text(piece) if collecting => collect(&mut first, piece.xml10_content().trim()),
            Event::CData(piece) if collecting => collect(&mut first, piece.xml10_content().trim()),
            Event::GeneralRef(name) if collecting => {
                let known = match &*name.xml10_content() {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    _ => return None,
                };
                collect(&mut first, known);
            }
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
    }
    (seen_root && depth == 0).then_some(first.unwrap_or(Verb::Hangup))
}

fn open(tag: &BytesStart<'_>, depth: u32, first: &mut Option<Verb>, seen_root: &mut bool) -> Option<()> {
    let name = tag.name();
    match depth {
        0 if *seen_root || name.as_ref() != "Response" => return None,
        0 => *seen_root = true,
        1 if first.is_none() => {
            *first = Some(match name.as_ref() {
                "Hangup" => Verb::Hangup,
                "Redirect" => Verb::Redirect(String::new(), redirect_method(tag)?),
                _ => Verb::Talk,
            });
        }
        _ => {}
    }
    Some(())
}

fn redirect_method(tag: &BytesStart<'_>) -> Option<Method> {
    let value = match tag.try_get_attribute("method").ok()? {
        Some(attribute) => attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()?
            .to_ascii_lowercase(),
        None => return Some(Method::Post),
    };
    Some(if value == "get" { Method::Get } else { Method::Post })
}

fn collect(first: &mut Option<Verb>, piece: &str) {
    if let Some(Verb::Redirect(url, _)) = first {
        url.push_str(piece);
    }
}

#[cfg(test)]
mod tests;
