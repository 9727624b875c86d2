//! Decoding of forms, held against a well-known decoder.

use proptest::prelude::*;

use super::*;

fn check(encoded: &str, expected: &[(&str, &str)]) {
    let pairs: Vec<_> = parse(encoded.as_bytes()).collect();
    let expected: Vec<Pair<'_>> = expected
        .iter()
        .map(|(k, v)| (Cow::Borrowed(k.as_bytes()), Cow::Borrowed(v.as_bytes())))
        .collect();
    assert_eq!(pairs, expected, "{encoded}");
}

#[test]
fn escapes_plus_signs_and_missing_values_are_understood() {
    check("", &[]);
    check("a=1&b=2", &[("a", "1"), ("b", "2")]);
    check(
        "To=%2B15005550006&Name=A+B",
        &[("To", "+15005550006"), ("Name", "A B")],
    );
    check("a&b=&=c&&d==e", &[("a", ""), ("b", ""), ("", "c"), ("d", "=e")]);
    check(
        "a=%&b=%4&c=%zz&d=%c3%A9",
        &[("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "é")],
    );
    check("a=+x+", &[("a", " x ")]);
}

#[test]
fn bytes_that_are_no_text_are_kept() {
    let pairs: Vec<_> = parse(b"a=%ff%00").collect();
    assert_eq!(pairs[0].1.as_ref(), &[0xff, 0x00]);
}

#[test]
fn nothing_is_copied_when_nothing_is_escaped() {
    assert!(
        parse(b"CallStatus=busy")
            .all(|(key, value)| { matches!(key, Cow::Borrowed(_)) && matches!(value, Cow::Borrowed(_)) })
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_as_the_reference_decoder_reads_it(text in "[a-c=&%+0-9A-F\u{e9} ]{0,60}") {
        let ours: Vec<(String, String)> = parse(text.as_bytes())
            .map(|(k, v)| (String::from_utf8_lossy(&k).into_owned(), String::from_utf8_lossy(&v).into_owned()))
            .collect();
        let reference: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        prop_assert_eq!(ours, reference);
    }
}
