//! The fields of a document, in MongoDB's extended JSON (version 2): canonical, where every number
//! and date is an object that names its type, and relaxed, where most are plain.
//!
//! A field that is `null` is a field that is missing. Knows no field by name.

use domain::Timestamp;
use serde_json::{Map, Value};

/// Latest moment taken: the end of the year 9999, after which a moment has no ISO form.
const LATEST: i64 = 253_402_300_799_999;

/// A field that cannot be what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub(crate) struct Fault {
    /// As the database names it, `attempts.0.status`.
    pub(crate) field: String,
    /// What it must be.
    pub(crate) problem: String,
}

/// The fields of one object.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// What stands before each name: `attempts.0.`, or nothing.
    path: String,
}

impl<'a> Fields<'a> {
    /// The fields of a whole document.
    pub(crate) fn of(value: &'a Value) -> Result<Fields<'a>, Fault> {
        let map = value.as_object().ok_or_else(|| Fault {
            field: "the document".to_owned(),
            problem: "must be an object".to_owned(),
        })?;
        let path = String::new();
        Ok(Fields { map, path })
    }

    /// What is wrong with a field.
    pub(crate) fn fault(&self, name: &str, problem: impl Into<String>) -> Fault {
        Fault {
            field: format!("{}{name}", self.path),
            problem: problem.into(),
        }
    }

    /// A field that must be there.
    pub(crate) fn needed<T>(&self, name: &str, found: Option<T>) -> Result<T, Fault> {
        found.ok_or_else(|| self.fault(name, "is missing"))
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        self.read(name, "must be a text", Value::as_str)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        self.read(name, "must be true or false", Value::as_bool)
    }

    /// A whole number that is not negative.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<u32>, Fault> {
        self.read(name, "must be a whole number from 0 on", |value| {
            u32::try_from(number(value)?).ok()
        })
    }

    /// A moment.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        let form = r#"must be a date such as {"$date": "2026-11-22T10:00:00Z"}, from 1970 on"#;
        self.read(name, form, moment)
    }

    /// The name that the database gave to a document: 24 digits.
    pub(crate) fn object_id(&self, name: &str) -> Result<Option<&'a str>, Fault> {
        let form = r#"must be an ObjectId such as {"$oid": "656e6f7a1f2c3d4e5f607182"}"#;
        self.read(name, form, |value| only(value, "$oid")?.as_str())
    }

    /// The fields of every object of a list.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<Fields<'a>>, Fault> {
        let list = self.read(name, "must be a list", Value::as_array)?;
        let objects = list.into_iter().flatten().enumerate();
        let fields = objects.map(|(at, value)| {
            let map = value.as_object();
            let map = map.ok_or_else(|| self.fault(&format!("{name}.{at}"), "must be an object"))?;
            let path = format!("{}{name}.{at}.", self.path);
            Ok(Fields { map, path })
        });
        fields.collect()
    }

    fn read<T>(
        &self,
        name: &str,
        form: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| self.fault(name, form)),
        }
    }
}

/// The value of an object that has this one field and no other.
fn only<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let map = value.as_object()?;
    map.get(name).filter(|_| map.len() == 1)
}

/// A whole number: plain, or of a named type. JavaScript has but one kind of number, so that what
/// is whole may be written as if it were not.
fn number(value: &Value) -> Option<i64> {
    if let Some(text) = ["$numberInt", "$numberLong"]
        .iter()
        .find_map(|name| only(value, name))
    {
        return text.as_str()?.parse().ok();
    }
    let broken = match only(value, "$numberDouble") {
        Some(text) => text.as_str()?.parse().ok()?,
        None => match value.as_i64() {
            Some(whole) => return Some(whole),
            None => value.as_f64()?,
        },
    };
    let text = format!("{broken:.0}");
    text.parse().ok().filter(|_| broken.fract() == 0.0)
}

/// A date: its milliseconds in the canonical form, its ISO form in the relaxed one, or the ISO form
/// as a plain text, as some programs store it.
fn moment(value: &Value) -> Option<Timestamp> {
    let at = match only(value, "$date") {
        Some(Value::String(text)) => text.parse().ok()?,
        Some(millis) => Timestamp::from_millis(number(millis)?),
        None => value.as_str()?.parse().ok()?,
    };
    (0..=LATEST).contains(&at.millis()).then_some(at)
}

#[cfg(test)]
mod tests;
