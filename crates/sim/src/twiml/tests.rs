//! Documents and what they lead to.

use super::*;

fn check(text: &str, verb: &Verb) {
    assert_eq!(first_verb(text), *verb, "{text}");
}

#[test]
fn the_first_verb_counts() {
    check(
        "<?xml version=\"1.0\"?><Response><Say>Hi &amp; bye</Say><Hangup/></Response>",
        &Verb::Talk,
    );
    check(
        "<Response><!-- quiet --><Hangup/><Say>never</Say></Response>",
        &Verb::Hangup,
    );
    check("<Response></Response>", &Verb::Hangup);
    check(
        "<Response><Gather><Say>press</Say></Gather></Response>",
        &Verb::Talk,
    );
    let redirect = "<Response><Redirect method=\"GET\"> http://h.test/a?b=1&amp;c=2 </Redirect></Response>";
    check(
        redirect,
        &Verb::Redirect("http://h.test/a?b=1&c=2".into(), Method::Get),
    );
    check(
        "<Response><Redirect/></Response>",
        &Verb::Redirect(String::new(), Method::Post),
    );
}

#[test]
fn what_is_no_document_is_broken() {
    for text in [
        "",
        "hello",
        "<Response><Say>",
        "<Response><Say></Response>",
        "<html/>",
        "<Response/><Response/>",
    ] {
        check(text, &Verb::Broken);
    }
    check(
        "<!DOCTYPE x [<!ENTITY a \"b\">]><Response><Say>&a;</Say></Response>",
        &Verb::Broken,
    );
}

#[test]
fn the_content_type_decides_how_text_is_taken() {
    let fetch = |content_type: &str, text: &str| {
        fetched(&Document::Body {
            content_type: content_type.into(),
            text: text.into(),
        })
    };
    assert_eq!(fetch("text/xml; charset=utf-8", "<Response/>"), Verb::Hangup);
    assert_eq!(fetch("text/plain", "an error page"), Verb::Talk);
    assert_eq!(fetch("audio/mpeg", ""), Verb::Talk);
    assert_eq!(fetch("application/json", "{}"), Verb::Broken);
    assert_eq!(
        fetch(
            "text/xml",
            &format!("<Response>{}</Response>", " ".repeat(LARGEST))
        ),
        Verb::Broken
    );
    assert_eq!(fetched(&Document::Failed), Verb::Broken);
}
