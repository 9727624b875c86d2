//! What a call is to say.

use carrier::Carrier as _;
use domain::Script;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::{many, twilio};

/// The names of a document's elements, in order; nothing when it is not well-formed.
fn elements(document: &str) -> Option<Vec<String>> {
    let mut reader = Reader::from_str(document);
    reader.config_mut().check_end_names = true;
    let (mut names, mut depth) = (Vec::new(), 0_u32);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                names.push(start.name().as_ref().to_owned());
                depth += 1;
            }
            Event::Empty(empty) => names.push(empty.name().as_ref().to_owned()),
            Event::End(_) => depth = depth.checked_sub(1)?,
            Event::Eof => return (depth == 0).then_some(names),
            _ => {}
        }
    }
}

/// Text with what matters to a reader of XML in it more often than chance would have it.
fn xml() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[<>/?!&;#x \"'=\\[\\]a-c-]{1,6}",
        2 => prop::sample::select(&["<Say>", "</Say>", "<Pause/>", "<Dial>", "<!--", "-->", "<![CDATA[", "]]>", "&lt;", "<?x?>"][..])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn a_document_that_is_taken_is_one_and_uses_allowed_verbs_only(text in xml(), wrapped in 0..3) {
        let twilio = twilio(false);
        let text = match wrapped {
            0 => text,
            1 => format!("<Response>{text}</Response>"),
            _ => format!("<Response><Say>{text}</Say></Response>"),
        };
        if twilio.check(&Script::Document(text.clone())).is_ok() {
            prop_assert!(text.chars().count() <= 4_000, "{}", text);
            let names = elements(&text);
            prop_assert!(names.is_some(), "not well-formed, and taken: {}", text);
            let names = names.unwrap_or_default();
            prop_assert_eq!(names.first().map(String::as_str), Some("Response"), "{}", text);
            let allowed = ["Response", "Say", "Pause", "Hangup"];
            prop_assert!(names.iter().all(|name| allowed.contains(&name.as_str())), "{}", text);
        }
    }

    #[test]
    fn no_message_leaves_its_element(
        message in xml(),
        language in prop::option::of(xml()),
        voice in prop::option::of(xml()),
    ) {
        let twilio = twilio(true);
        let script = Script::Say { message, language, voice };
        let _ = twilio.check(&script);
        let document = twilio.answer(Some(&script));
        let names = elements(&document);
        prop_assert_eq!(names.as_deref(), Some(&["Response".to_owned(), "Say".to_owned()][..]), "{}", document);
    }
}
