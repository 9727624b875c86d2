//! The fields of a JSON body, taken one by one; each refusal names its field. A field that is `null`
//! is as good as absent.

use std::ops::RangeInclusive;
use std::time::Duration;

use domain::time::{parse_duration, show_duration};
use serde_json::{Map, Value};

use crate::error::ApiError;

/// Fields that nobody has taken yet, and those that were.
pub(crate) struct Fields {
    left: Map<String, Value>,
    given: Map<String, Value>,
}

impl Fields {
    pub(crate) fn new(left: Map<String, Value>) -> Fields {
        Fields {
            left,
            given: Map::new(),
        }
    }

    /// Whether a field is absent, `null` or the empty text.
    pub(crate) fn is_missing(&self, name: &str) -> bool {
        match self.left.get(name) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str() == Some(""),
        }
    }

    /// Takes a text that is not remembered among the options.
    pub(crate) fn required_text(&mut self, name: &str) -> Result<String, ApiError> {
        match self.left.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(ApiError::field(name, "must be a string")),
        }
    }

    /// Takes an option.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        let value = self.left.remove(name).filter(|value| !value.is_null())?;
        self.given.insert(name.to_owned(), value.clone());
        Some(value)
    }

    /// Takes an option that is a text of 1 to `most` characters.
    pub(crate) fn text(&mut self, name: &str, most: usize) -> Result<Option<String>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let length = text.chars().count();
                if (1..=most).contains(&length) {
                    Ok(Some(text))
                } else {
                    Err(ApiError::field(
                        name,
                        format_args!("must have 1 to {most} characters, not {length}"),
                    ))
                }
            }
            Some(_) => Err(ApiError::field(name, "must be a string")),
        }
    }

    /// Takes an option that is a whole number within bounds.
    pub(crate) fn whole(&mut self, name: &str, bounds: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let number = value.as_u64().filter(|number| bounds.contains(number));
        let (first, last) = bounds.into_inner();
        let must = format!("must be a whole number from {first} to {last}");
        number.map(Some).ok_or_else(|| ApiError::field(name, must))
    }

    /// Takes an option that is a duration of at most `longest`.
    pub(crate) fn duration(&mut self, name: &str, longest: Duration) -> Result<Option<Duration>, ApiError> {
        self.take(name)
            .map(|value| duration(name, &value, longest))
            .transpose()
    }

    /// Takes an option that is a list.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(ApiError::field(name, "must be a list")),
        }
    }

    /// The options that were taken, and the names of the fields that nobody took.
    pub(crate) fn finish(self) -> (Map<String, Value>, impl Iterator<Item = String>) {
        (self.given, self.left.into_iter().map(|(name, _)| name))
    }
}

/// Reads a duration: a whole number of seconds, or a text with its unit.
pub(crate) fn duration(name: &str, value: &Value, longest: Duration) -> Result<Duration, ApiError> {
    let text = match value {
        Value::String(text) => text.clone(),
        // Only whole numbers are read: what half a second means in a list of seconds is a guess.
        Value::Number(number) => number.to_string(),
        _ => return Err(ApiError::field(name, domain::time::NotADuration)),
    };
    let gap = parse_duration(&text).map_err(|error| ApiError::field(name, error))?;
    if gap > longest {
        return Err(ApiError::field(
            name,
            format_args!("must be at most {}", show_duration(longest)),
        ));
    }
    Ok(gap)
}
