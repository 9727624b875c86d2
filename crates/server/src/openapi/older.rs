//! The document as OpenAPI 3.0.3, for generators that know no later form. Pure: one document in, one
//! out; what the older form cannot say is said as nearly as it can.

use serde_json::{Map, Value, json};

/// Keys whose values are given as they are: nothing in them is part of the document.
const LITERAL: [&str; 4] = ["example", "value", "default", "enum"];
/// Keys that hold a map from names that somebody chose: a name in it is no keyword.
const NAMED: [&str; 9] = [
    "properties",
    "schemas",
    "responses",
    "headers",
    "parameters",
    "examples",
    "paths",
    "content",
    "securitySchemes",
];

/// The same document in the older form.
pub(crate) fn older(document: &Value) -> Value {
    let mut document = rewrite(document, document);
    document["openapi"] = json!("3.0.3");
    if let Some(license) = document["info"]["license"].as_object_mut() {
        license.remove("identifier");
    }
    document
}

fn rewrite(value: &Value, whole: &Value) -> Value {
    match value {
        Value::Object(fields) => object(fields, whole),
        Value::Array(items) => items.iter().map(|item| rewrite(item, whole)).collect(),
        plain => plain.clone(),
    }
}

/// An object of the document. The keywords that change stand in schemas only.
fn object(fields: &Map<String, Value>, whole: &Value) -> Value {
    let mut out = Map::new();
    for (key, value) in fields {
        let value = match value {
            value if LITERAL.contains(&key.as_str()) => value.clone(),
            Value::Object(named) if NAMED.contains(&key.as_str()) => {
                let rewritten = named
                    .iter()
                    .map(|(name, value)| (name.clone(), rewrite(value, whole)));
                Value::Object(rewritten.collect())
            }
            // Examples of a schema: a list of values.
            Value::Array(_) if key == "examples" => value.clone(),
            value => rewrite(value, whole),
        };
        out.insert(key.clone(), value);
    }
    kinds(&mut out);
    choices(&mut out, whole);
    if let Some(Value::Array(examples)) = out.get("examples") {
        let first = examples.first().cloned();
        out.remove("examples");
        out.extend(first.map(|first| ("example".to_owned(), first)));
    }
    beside_a_reference(out)
}

/// `type: [x, null]` becomes `type: x` and `nullable`; of several types, each is a choice.
fn kinds(schema: &mut Map<String, Value>) {
    let Some(Value::Array(kinds)) = schema.get("type") else {
        return;
    };
    let (nulls, kinds): (Vec<Value>, Vec<Value>) = kinds.iter().cloned().partition(|kind| kind == "null");
    schema.remove("type");
    if !nulls.is_empty() {
        schema.insert("nullable".to_owned(), json!(true));
    }
    match kinds.as_slice() {
        [only] => schema.insert("type".to_owned(), only.clone()),
        several => {
            let choices = several.iter().map(|kind| json!({"type": kind}));
            schema.insert("anyOf".to_owned(), choices.collect())
        }
    };
}

/// A choice that includes null: the first of the others may be null. Where it is the only one, it
/// stands for the choice, a reference as what it refers to: `nullable` says something beside a type only.
fn choices(schema: &mut Map<String, Value>, whole: &Value) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else {
        return;
    };
    let (nulls, mut rest): (Vec<Value>, Vec<Value>) = choices
        .iter()
        .cloned()
        .partition(|choice| choice["type"] == "null");
    let Some(first) = rest.first_mut().filter(|_| !nulls.is_empty()) else {
        return;
    };
    if let Some(place) = referred(first) {
        let meant = whole.pointer(&place).cloned().unwrap_or_default();
        *first = rewrite(&meant, whole);
    }
    first["nullable"] = json!(true);
    if let [Value::Object(only)] = rest.as_mut_slice() {
        schema.remove("oneOf");
        schema.append(only);
    } else {
        schema.insert("oneOf".to_owned(), Value::Array(rest));
    }
}

/// Where a reference leads, also one that was moved into a choice of one.
fn referred(schema: &Value) -> Option<String> {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref"))?;
    Some(reference.as_str()?.trim_start_matches('#').to_owned())
}

/// Nothing may stand beside a reference: it moves into a choice of one.
fn beside_a_reference(mut fields: Map<String, Value>) -> Value {
    if fields.len() > 1
        && let Some(reference) = fields.remove("$ref")
    {
        fields.insert("allOf".to_owned(), json!([{"$ref": reference}]));
    }
    Value::Object(fields)
}
