//! Whether a document that a caller brings is one that we let Twilio execute: well-formed, small, without
//! declarations of its own, and made of allowed verbs only.
//!
//! What it refuses it refuses in words for the caller. Called by [`super::check`]'s users when a call is asked
//! for, never when one is answered.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::errors::Error;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::is_legal;

/// Longest document, in characters: Twilio's bound for a document that is sent along with a dial.
pub(crate) const MOST_CHARACTERS: usize = 4_000;

/// What may stand inside `<Say>`: the speech markup that Twilio passes to its voices.
const SPEECH_MARKUP: &[&str] = &[
    "break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w",
];

/// Checks `text`; `verbs` are the elements allowed inside `<Response>`, at any depth, spelt exactly.
///
/// # Errors
/// What is wrong, in words for whoever sent it.
pub(crate) fn check(text: &str, verbs: &[String]) -> Result<(), String> {
    let length = text.chars().count();
    if length > MOST_CHARACTERS {
        return Err(format!(
            "has {length} characters, at most {MOST_CHARACTERS} are taken"
        ));
    }
    if let Some(illegal) = text.chars().find(|&letter| !is_legal(letter)) {
        return Err(format!(
            "holds the character U+{:04X}, which XML cannot carry",
            u32::from(illegal)
        ));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut walk = Walk {
        verbs,
        open: Vec::new(),
        root_seen: false,
        first: true,
    };
    loop {
        let event = reader.read_event().map_err(|error| not_well_formed(&error))?;
        if matches!(event, Event::Eof) {
            return walk.end();
        }
        walk.step(&event)?;
        walk.first = false;
    }
}

fn not_well_formed(error: &Error) -> String {
    format!("is not well-formed XML: {error}")
}

/// Where in the document we are.
struct Walk<'a> {
    verbs: &'a [String],
    /// Names of the elements that are open, outermost first.
    open: Vec<String>,
    root_seen: bool,
    first: bool,
}

impl Walk<'_> {
    fn step(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => {
                self.enter(start)?;
                self.open.push(start.name().as_ref().to_owned());
                Ok(())
            }
            Event::Empty(start) => self.enter(start),
            Event::End(_) => {
                self.open.pop();
                Ok(())
            }
            Event::Text(text) => self.text(text),
            Event::CData(_) if self.open.is_empty() => Err(outside()),
            Event::GeneralRef(_) if self.open.is_empty() => Err(outside()),
            Event::GeneralRef(reference) => check_reference(reference),
            Event::CData(_) | Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(decl) if self.first => check_declaration(decl),
            Event::Decl(_) => Err("has an XML declaration that does not stand at its start".to_owned()),
            Event::PI(_) => Err("has a processing instruction; none is taken".to_owned()),
            Event::DocType(_) => Err("has a document type declaration; none is taken".to_owned()),
        }
    }

    fn enter(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let name = start.name();
        let name = name.as_ref();
        check_attributes(start)?;
        match self.open.last() {
            None if self.root_seen => Err("has a second element beside <Response>".to_owned()),
            None if name != "Response" => Err(format!(
                "must have the root element <Response>, not <{}>",
                shown(name)
            )),
            None => {
                self.root_seen = true;
                Ok(())
            }
            Some(_) if self.open.iter().any(|outer| outer == "Say") => {
                if SPEECH_MARKUP.contains(&name) {
                    return Ok(());
                }
                Err(format!(
                    "has <{}> inside <Say>; allowed there: {}",
                    shown(name),
                    SPEECH_MARKUP.join(" ")
                ))
            }
            Some(_) if self.verbs.iter().any(|verb| verb == name) => Ok(()),
            Some(_) => Err(format!(
                "uses <{}>, which is not allowed here; allowed: {}",
                shown(name),
                self.verbs.join(" ")
            )),
        }
    }

    fn text(&self, text: &str) -> Result<(), String> {
        if text.contains("]]>") {
            return Err("is not well-formed XML: `]]>` in text".to_owned());
        }
        let is_blank = text
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        if self.open.is_empty() && !is_blank {
            Err(outside())
        } else {
            Ok(())
        }
    }

    fn end(&self) -> Result<(), String> {
        match self.open.last() {
            Some(open) => Err(format!("is not well-formed XML: <{}> is not closed", shown(open))),
            None if !self.root_seen => Err("is empty; it must have the root element <Response>".to_owned()),
            None => Ok(()),
        }
    }
}

fn outside() -> String {
    "has text outside <Response>".to_owned()
}

/// A name as it is shown: a caller may have sent thousands of characters.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

/// References to characters and to XML's own five entities; anything else would need a declaration.
fn check_reference(reference: &BytesRef<'_>) -> Result<(), String> {
    match reference.resolve_char_ref() {
        Ok(Some(letter)) if is_legal(letter) => Ok(()),
        Ok(None) if resolve_predefined_entity(reference).is_some() => Ok(()),
        _ => Err(format!(
            "has the reference &{};, which XML cannot resolve",
            shown(reference)
        )),
    }
}

/// The document is read as UTF-8 XML 1.0, so it may claim nothing else.
fn check_declaration(decl: &BytesDecl<'_>) -> Result<(), String> {
    let version = decl.xml_version().map_err(|error| not_well_formed(&error))?;
    let is_utf8 = match decl.encoding() {
        None => true,
        Some(encoding) => encoding.is_ok_and(|name| name.eq_ignore_ascii_case("utf-8")),
    };
    if version == XmlVersion::Explicit1_0 && is_utf8 {
        Ok(())
    } else {
        Err("declares something else than XML 1.0 in UTF-8".to_owned())
    }
}

fn check_attributes(start: &BytesStart<'_>) -> Result<(), String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("is not well-formed XML: {error}"))?;
        let name = attribute.key.as_ref();
        if !is_name(name) {
            return Err(format!(
                "is not well-formed XML: `{}` is no attribute name",
                shown(name)
            ));
        }
        if name == "xmlns" || name.starts_with("xmlns:") {
            return Err("declares an XML namespace; none is taken".to_owned());
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| not_well_formed(&error))?;
        if attribute.value.contains('<') || !value.chars().all(is_legal) {
            return Err(format!("is not well-formed XML: the value of `{}`", shown(name)));
        }
    }
    if attributes_touch(start.attributes_raw()) {
        return Err("is not well-formed XML: no space between two attributes".to_owned());
    }
    Ok(())
}

/// The names that verbs and speech markup use; XML allows more, but nothing we let through has them.
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':'))
}

/// Whether a closing quote is followed by anything but a space: the parser reads over it, XML does not allow it.
fn attributes_touch(raw: &str) -> bool {
    let mut quote = None;
    let mut closed = false;
    for byte in raw.bytes() {
        if closed && !byte.is_ascii_whitespace() {
            return true;
        }
        closed = quote == Some(byte);
        quote = match quote {
            None if byte == b'"' || byte == b'\'' => Some(byte),
            open if closed => open.and(None),
            open => open,
        };
    }
    false
}
