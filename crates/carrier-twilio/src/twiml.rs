//! Call documents in Twilio's own XML: written from our scripts, and checked when a caller brings one.
//!
//! Documents are written by an XML writer, never by joining strings, so that no text that is spoken can become
//! an instruction. Knows nothing of calls. Called when a document is answered, sent along, or accepted.

use std::borrow::Cow;

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

pub(crate) use check::{MOST_CHARACTERS, check};

mod check;

/// Where the writer's output goes.
type Out = Writer<Vec<u8>>;

/// A document that speaks `message` once. Characters that XML 1.0 cannot carry are left out.
pub(crate) fn say(message: &str, language: Option<&str>, voice: Option<&str>) -> String {
    document(|out| {
        let mut start = BytesStart::new("Say");
        for (name, value) in [("language", language), ("voice", voice)] {
            if let Some(value) = value {
                start.push_attribute((name, legal(value)));
            }
        }
        element(out, start, message);
    })
}

/// A document that makes Twilio fetch its instructions from `url`.
pub(crate) fn redirect(url: &str) -> String {
    document(|out| {
        let mut start = BytesStart::new("Redirect");
        start.push_attribute(("method", "POST"));
        element(out, start, url);
    })
}

/// A document that ends the call.
pub(crate) fn hangup() -> String {
    document(|out| write(out, Event::Empty(BytesStart::new("Hangup"))))
}

fn document(content: impl FnOnce(&mut Out)) -> String {
    let mut out = Writer::new(Vec::new());
    write(&mut out, Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    write(&mut out, Event::Start(BytesStart::new("Response")));
    content(&mut out);
    write(&mut out, Event::End(BytesEnd::new("Response")));
    String::from_utf8(out.into_inner()).expect("only text was written")
}

fn element(out: &mut Out, start: BytesStart<'_>, text: &str) {
    let end = start.to_end().into_owned();
    write(out, Event::Start(start));
    // A reader turns a bare carriage return into a line feed; a reference survives.
    let text = escape(legal(text)).replace('\r', "&#13;");
    write(out, Event::Text(BytesText::from_escaped(text)));
    write(out, Event::End(end));
}

fn write(out: &mut Out, event: Event<'_>) {
    out.write_event(event).expect("writing to memory does not fail");
}

/// The text without the characters that no XML 1.0 document can carry, not even escaped.
fn legal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_legal) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().filter(|&letter| is_legal(letter)).collect())
    }
}

/// Whether XML 1.0 can carry the character (section 2.2, production 2).
fn is_legal(letter: char) -> bool {
    matches!(letter,
        '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests;
