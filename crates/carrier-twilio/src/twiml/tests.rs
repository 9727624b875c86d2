//! Documents: what we write says what was meant, and what callers bring is checked.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use super::*;

fn verbs() -> Vec<String> {
    ["Say", "Play", "Pause", "Gather", "Redirect", "Hangup"]
        .map(String::from)
        .to_vec()
}

fn check(input: &str, expected: Result<(), &str>) {
    match (super::check(input, &verbs()), expected) {
        (Ok(()), Ok(())) => {}
        (Err(problem), Err(part)) => assert!(problem.contains(part), "{input}\n{problem}"),
        (found, _) => panic!("{input}\n{found:?}"),
    }
}

/// Reads a document as a strict XML reader does: the elements in order, each with its text.
fn elements(document: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(document);
    let mut found: Vec<(String, String)> = Vec::new();
    loop {
        match reader.read_event().expect("what we write is well-formed") {
            Event::Start(start) | Event::Empty(start) => {
                found.push((start.name().as_ref().to_owned(), String::new()));
            }
            Event::Text(text) => found.last_mut().expect("text is in an element").1 += &text.xml10_content(),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &*name);
                found.last_mut().expect("text is in an element").1 +=
                    &unescape(&reference).expect("ours resolve");
            }
            Event::Eof => return found,
            Event::End(_) | Event::Decl(_) => {}
            other => panic!("nothing else is written: {other:?}"),
        }
    }
}

#[test]
fn a_text_is_spoken_once_in_the_language_and_voice_asked_for() {
    assert_eq!(
        say("Tea & <biscuits>", Some("en-GB"), Some("Polly.Amy")),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"en-GB\" voice=\"Polly.Amy\">\
         Tea &amp; &lt;biscuits&gt;</Say></Response>"
    );
    assert_eq!(
        elements(&say("a\rb\r\nc", None, None))[1],
        ("Say".into(), "a\rb\r\nc".into())
    );
}

#[test]
fn a_redirect_posts_and_a_hangup_says_nothing() {
    assert_eq!(
        redirect("https://a.example/x?b=1&c=2"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Redirect method=\"POST\">\
         https://a.example/x?b=1&amp;c=2</Redirect></Response>"
    );
    assert_eq!(
        hangup(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Hangup/></Response>"
    );
}

/// Pieces that have broken XML writers before, mixed with anything.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("</Say><Dial>+19005550100</Dial><Say>".to_owned()),
        Just("]]>".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("&#0;&amp;&lt;".to_owned()),
        Just("<!-- -->".to_owned()),
        Just("<?xml?>".to_owned()),
        Just("\"'\r\n\t\r".to_owned()),
        Just("\u{0}\u{b}\u{1b}\u{fffe}\u{ffff}\u{7f}\u{85}\u{2028}".to_owned()),
        any::<String>(),
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_can_leave_its_say(text in hostile(), language in proptest::option::of(hostile())) {
        let document = say(&text, language.as_deref(), None);
        let kept: String = text.chars().filter(|&letter| is_legal(letter)).collect();
        prop_assert_eq!(elements(&document), vec![("Response".into(), String::new()), ("Say".into(), kept)]);
        let within_bounds = document.chars().count() <= 4_000;
        prop_assert_eq!(super::check(&document, &verbs()).is_ok(), within_bounds);
    }

    #[test]
    fn no_input_upsets_the_check(text in "[<>/?!&;#x \"'=\\[\\]a-cSay-]{0,40}", hostile in hostile()) {
        for body in [&text, &hostile] {
            let _ = super::check(body, &verbs());
            let is_taken = super::check(&format!("<Response>{body}</Response>"), &verbs()).is_ok();
            // Inside these two a tag is only text.
            let is_quoted = body.contains("<![CDATA[") || body.contains("<!--");
            prop_assert!(!is_taken || is_quoted || !body.contains("<Dial"), "{}", body);
        }
    }
}

#[test]
fn documents_of_allowed_verbs_are_taken() {
    for good in [
        "<Response/>",
        "<Response></Response>",
        "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<!-- hello -->\n<Response>\n <Pause length='2'/>\n</Response>\n",
        "<Response><Gather numDigits=\"1\" action='https://a.example/?a=1&amp;b=2'><Say>Press &#49;</Say></Gather></Response>",
        "<Response><Say>One <break time=\"1s\"/> <prosody rate='slow'><emphasis>two</emphasis></prosody></Say></Response>",
        "<Response><Say><![CDATA[a < b]]></Say><Play>https://a.example/a.mp3</Play><Hangup/></Response>",
        "<Response><Say xml:lang='de'>\u{e9}\u{1f600} &lt;&gt;&amp;&quot;&apos;&#x1F600;</Say></Response>",
    ] {
        check(good, Ok(()));
    }
    check(
        &format!("<Response><Say>{}</Say></Response>", "\u{e9}".repeat(4_000 - 32)),
        Ok(()),
    );
}

#[test]
fn what_is_no_document_or_does_more_than_it_may_is_refused_in_words() {
    for (bad, part) in [
        ("", "is empty"),
        ("Hello", "text outside"),
        ("<response/>", "root element <Response>, not <response>"),
        ("<Say>Hello</Say>", "root element <Response>"),
        (
            "<Response><Dial>+15550100</Dial></Response>",
            "uses <Dial>, which is not allowed",
        ),
        ("<Response><dial/></Response>", "uses <dial>"),
        ("<Response><say>x</say></Response>", "uses <say>"),
        ("<Response><Gather><Dial/></Gather></Response>", "uses <Dial>"),
        ("<Response><a:Dial xmlns:a='x'/></Response>", "namespace"),
        ("<Response xmlns='x'/>", "namespace"),
        ("<Response><a:Say>x</a:Say></Response>", "uses <a:Say>"),
        ("<Response><Response/></Response>", "uses <Response>"),
        ("<Response><Say><Dial>1</Dial></Say></Response>", "inside <Say>"),
        (
            "<Response><Say><p><Play>x</Play></p></Say></Response>",
            "inside <Say>",
        ),
        ("<Response><break/></Response>", "uses <break>"),
        ("<Response/><Response/>", "second element"),
        ("<Response/>x", "text outside"),
        ("<Response/>&amp;", "text outside"),
        ("<Response/><![CDATA[x]]>", "text outside"),
        ("<!DOCTYPE Response><Response/>", "document type"),
        (
            "<!DOCTYPE r [<!ENTITY x 'y'>]><Response><Say>&x;</Say></Response>",
            "document type",
        ),
        ("<?xml-stylesheet href='x'?><Response/>", "processing instruction"),
        ("<Response><?php echo 1 ?></Response>", "processing instruction"),
        ("<Response/><?xml version='1.0'?>", "does not stand at its start"),
        (
            "\n<?xml version='1.0'?><Response/>",
            "does not stand at its start",
        ),
        ("<?xml version='1.1'?><Response/>", "XML 1.0 in UTF-8"),
        (
            "<?xml version='1.0' encoding='latin1'?><Response/>",
            "XML 1.0 in UTF-8",
        ),
    ] {
        check(bad, Err(part));
    }
    let long = format!("<Response><Say>{}</Say></Response>", "x".repeat(4_000 - 31));
    check(&long, Err("has 4001 characters"));
}

#[test]
fn what_is_not_well_formed_is_refused_in_words() {
    for (bad, part) in [
        ("<Response><Say>&nbsp;</Say></Response>", "&nbsp;"),
        ("<Response><Say>&#0;</Say></Response>", "&#0;"),
        ("<Response><Say>&#xB;</Say></Response>", "&#xB;"),
        ("<Response><Say>&#xD800;</Say></Response>", "&#xD800;"),
        ("<Response><Say voice='&x;'/></Response>", "well-formed"),
        ("<Response><Say voice='&#8;'/></Response>", "well-formed"),
        ("<Response><Say>a & b</Say></Response>", "well-formed"),
        ("<Response><Say>a ]]> b</Say></Response>", "well-formed"),
        ("<Response><Say>x</Response>", "well-formed"),
        ("<Response><Say>x</Say>", "<Response> is not closed"),
        ("<Response></Response></Response>", "well-formed"),
        ("<Response><Say voice=alice/></Response>", "well-formed"),
        ("<Response><Say voice/></Response>", "well-formed"),
        ("<Response><Say voice='a' voice='b'/></Response>", "well-formed"),
        ("<Response><Say voice='a'loop='2'/></Response>", "well-formed"),
        ("<Response><Say voice='<'/></Response>", "well-formed"),
        ("<Response><Say 1a='x'/></Response>", "well-formed"),
        ("<Response><!-- a -- b --></Response>", "well-formed"),
        ("<Response><Say\u{b}/></Response>", "U+000B"),
        ("<Response", "well-formed"),
        ("<>", "root element"),
    ] {
        check(bad, Err(part));
    }
}
