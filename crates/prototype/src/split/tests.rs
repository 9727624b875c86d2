//! Every form of an export gives the same documents, and a broken one costs itself alone.

use proptest::prelude::*;

use super::*;

/// What an export holds: line and text of each document, or line and complaint.
fn pieces(export: &[u8], portion: usize) -> Vec<(u64, Result<String, String>)> {
    let mut found = Vec::new();
    let mut each = |piece: Piece<'_>| {
        let text = piece
            .document()
            .map(|text| String::from_utf8_lossy(text).into_owned());
        found.push((piece.line, text.map_err(|broken| broken.why)));
    };
    let mut splitter = Splitter::default();
    for portion in export.chunks(portion) {
        splitter.push(portion, &mut each);
    }
    splitter.finish(&mut each);
    found
}

#[track_caller]
fn check(export: &str, expected: &[(u64, &str)]) {
    for portion in [1, 7, 1_000_000] {
        let found = pieces(export.as_bytes(), portion);
        let found: Vec<(u64, &str)> = found
            .iter()
            .map(|(line, text)| {
                (
                    *line,
                    text.as_ref().map_or_else(|why| why.as_str(), String::as_str),
                )
            })
            .collect();
        assert_eq!(found, expected, "in portions of {portion}: {export}");
    }
}

#[test]
fn one_document_stands_on_each_line() {
    check("{\"a\":1}\n{\"b\":{}}\n", &[(1, "{\"a\":1}"), (2, "{\"b\":{}}")]);
    check(
        "\u{feff}{\"a\":1}\r\n\r\n{\"b\":2}",
        &[(1, "{\"a\":1}"), (3, "{\"b\":2}")],
    );
    check("{}{}\n {}", &[(1, "{}"), (1, "{}"), (2, "{}")]);
}

#[test]
fn an_array_may_be_written_in_any_way() {
    check("[{\"a\":1},{\"b\":2}]", &[(1, "{\"a\":1}"), (1, "{\"b\":2}")]);
    check("[{\"a\":1},\n{\"b\":2}]\n", &[(1, "{\"a\":1}"), (2, "{\"b\":2}")]);
    check(
        "[\n  {\n    \"a\": [\n      {\n        \"c\": 1\n      }\n    ]\n  },\n  {}\n]\n",
        &[
            (
                2,
                "{\n    \"a\": [\n      {\n        \"c\": 1\n      }\n    ]\n  }",
            ),
            (9, "{}"),
        ],
    );
    check(
        "[{\n\t\"a\": [\n\t\t{\n\t\t\t\"c\": 1\n\t\t}\n\t]\n},\n{\n\t\"b\": 2\n}]",
        &[
            (1, "{\n\t\"a\": [\n\t\t{\n\t\t\t\"c\": 1\n\t\t}\n\t]\n}"),
            (8, "{\n\t\"b\": 2\n}"),
        ],
    );
    check(
        "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n",
        &[(1, "{\n  \"a\": 1\n}"), (4, "{\n  \"b\": 2\n}")],
    );
}

#[test]
fn nothing_is_in_an_empty_export() {
    for export in ["", "\n\n", "[]", "[\n]\n", "\u{feff}"] {
        check(export, &[]);
    }
}

#[test]
fn braces_and_quotes_in_texts_count_for_nothing() {
    let odd = r#"{"a":"}{\"}\\","b":"{"}"#;
    check(&format!("{odd}\n{odd}"), &[(1, odd), (2, odd)]);
}

#[test]
fn a_broken_document_costs_itself_alone() {
    // Cut off, a quotation mark too few, a brace too many, and no document at all.
    check("{\"a\":\n{\"b\":2}\n", &[(1, "{\"a\":"), (2, "{\"b\":2}")]);
    check(
        "{\"a\":\"x}\n{\"b\":2}\n",
        &[(1, "{\"a\":\"x}"), (2, "{\"b\":2}")],
    );
    check(
        "{\"a\":1}}\n{\"b\":2}\n",
        &[
            (1, "{\"a\":1}"),
            (1, "not a JSON document: it begins with `}`"),
            (2, "{\"b\":2}"),
        ],
    );
    check(
        "connected to: localhost\r\n{\"b\":2}\n",
        &[
            (1, "not a JSON document: it begins with `connected to: localhost`"),
            (2, "{\"b\":2}"),
        ],
    );
    check(
        "[null,{\"b\":2},7]",
        &[
            (1, "not a JSON document: it begins with `null`"),
            (1, "{\"b\":2}"),
            (1, "not a JSON document: it begins with `7]`"),
        ],
    );
    check(
        "[\n  {\n    \"a\": 1,\n  {\n    \"b\": 2\n  }\n]",
        &[(2, "{\n    \"a\": 1,"), (4, "{\n    \"b\": 2\n  }")],
    );
    check("{\"a\":1}\n{\"b\":", &[(1, "{\"a\":1}"), (2, "{\"b\":")]);
}

#[test]
fn a_document_without_end_is_not_held() {
    let mut export = b"{\"a\":\"".to_vec();
    export.resize(LONGEST + 10, b'x');
    export.extend(b"\"}\n{\"b\":2}");
    let found = pieces(&export, 4096);
    assert_eq!(found[0], (1, Err("a document of more than 16 MiB".to_owned())));
    assert_eq!(found[1..], [(2, Ok("{\"b\":2}".to_owned()))]);
}

proptest! {
    #[test]
    fn any_bytes_in_any_portions_give_the_same_pieces(
        export in prop::collection::vec(prop::sample::select(&b"{}[],\"\\\n a1"[..]), 0..200),
        portion in 1..50usize,
    ) {
        prop_assert_eq!(pieces(&export, portion), pieces(&export, usize::MAX));
    }
}
