//! That the document says what the routes do, that nothing of it is missing, and what becomes of it
//! in the older form.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{answers, document, older};
use crate::error::Code;

/// Every operation: path, method, description.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("there are paths");
    let of = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().expect("a path has methods").clone();
        let path = path.clone();
        methods
            .into_iter()
            .map(move |(method, operation)| (path.clone(), method, operation))
    };
    paths.iter().flat_map(of).collect()
}

/// Every value under a key, wherever it stands.
fn all<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|value| all(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|value| all(value, key, found)),
        _ => {}
    }
}

#[test]
fn no_route_is_served_beside_the_described_ones() {
    let source = include_str!("../router.rs");
    for way_round in [".route(", ".route_service(", ".nest("] {
        assert!(!source.contains(way_round), "router.rs: {way_round}");
    }
}

#[test]
fn every_operation_is_told_apart_explained_and_has_its_errors_looked_up() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        for part in ["summary", "description"] {
            let told = operation[part].as_str().is_some_and(|text| !text.is_empty());
            assert!(told, "{method} {path} has no {part}");
        }
        let known = answers::operations().any(|known| known == id);
        assert!(known, "`{id}` has no row in answers.rs");
        assert!(ids.insert(id), "{method} {path}");
    }
    assert_eq!(ids.len(), answers::operations().count());
}

#[test]
fn every_code_has_an_example_under_its_own_status() {
    let document = document();
    let mut shown = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("answers") {
            let examples = response["content"]["application/json"]["examples"].as_object();
            for (word, example) in examples.into_iter().flatten() {
                let code = Code::ALL.iter().find(|code| code.word() == word);
                let code = code.unwrap_or_else(|| panic!("{method} {path}: no code `{word}`"));
                assert_eq!(code.status().as_str(), status, "{method} {path} {word}");
                assert_eq!(&example["value"]["code"], word);
                shown.insert(word.clone());
            }
        }
    }
    let further = document["components"]["schemas"]["Error"]["examples"].as_array();
    let further = further.into_iter().flatten().filter_map(|it| it["code"].as_str());
    shown.extend(further.map(str::to_owned));
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.word().to_owned()).collect();
    assert_eq!(shown, codes);
}

#[test]
fn every_success_has_an_example() {
    for (path, method, operation) in operations(&document()) {
        for (status, response) in operation["responses"].as_object().expect("answers") {
            let contents = response["content"].as_object().into_iter().flatten();
            for (kind, content) in
                contents.filter(|(kind, _)| !kind.contains("html") && path != "/docs/{file}")
            {
                let has = !content["example"].is_null() || !content["examples"].is_null();
                assert!(has, "{method} {path} {status} {kind}");
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere_in_both_forms() {
    let newest = document();
    for document in [&older::older(&newest), &newest] {
        let mut references = Vec::new();
        all(document, "$ref", &mut references);
        assert!(references.len() > 50, "{references:?}");
        for reference in references.into_iter().filter_map(Value::as_str) {
            let place = document.pointer(reference.trim_start_matches('#'));
            assert!(place.is_some(), "{reference}");
        }
    }
}

#[test]
fn the_older_form_has_nothing_of_the_newer() {
    let older = older::older(&document());
    assert_eq!(older["openapi"], "3.0.3");
    let mut kinds = Vec::new();
    all(&older, "type", &mut kinds);
    assert!(
        kinds.iter().all(|kind| !kind.is_array() && *kind != "null"),
        "{kinds:?}"
    );
    let mut examples = Vec::new();
    all(&older, "examples", &mut examples);
    assert!(
        examples.iter().all(|examples| examples.is_object()),
        "{examples:?}"
    );
    assert_eq!(older["info"]["license"], json!({"name": "Apache-2.0"}));
}

#[track_caller]
fn becomes(newer: Value, older: Value) {
    let document = |schema: Value| json!({"info": {}, "components": {"schemas": {"S": schema, "X": {"type": "object"}}}});
    let written = older::older(&document(newer));
    assert_eq!(written["components"]["schemas"]["S"], older);
}

#[test]
fn null_becomes_nullable() {
    becomes(
        json!({"type": ["string", "null"]}),
        json!({"type": "string", "nullable": true}),
    );
    becomes(
        json!({"oneOf": [{"$ref": "#/components/schemas/X", "description": "d"}, {"type": "null"}]}),
        json!({"type": "object", "nullable": true}),
    );
    becomes(
        json!({"oneOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}),
        json!({"oneOf": [{"type": "integer", "nullable": true}, {"type": "string"}]}),
    );
    becomes(
        json!({"type": ["integer", "string"]}),
        json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    );
}

#[test]
fn nothing_stands_beside_a_reference() {
    becomes(
        json!({"$ref": "#/x", "description": "d"}),
        json!({"allOf": [{"$ref": "#/x"}], "description": "d"}),
    );
    becomes(json!({"$ref": "#/x"}), json!({"$ref": "#/x"}));
}

#[test]
fn of_several_examples_the_first_is_kept() {
    becomes(
        json!({"type": "string", "examples": ["a", "b"]}),
        json!({"type": "string", "example": "a"}),
    );
}

#[test]
fn names_and_examples_are_left_as_they_are() {
    let named =
        json!({"type": "object", "properties": {"type": {"type": "string"}, "examples": {"type": "array"}}});
    becomes(named.clone(), named);
    let shown = json!({"type": "object", "example": {"type": ["a", "null"], "$ref": "b"}});
    becomes(shown.clone(), shown);
}
