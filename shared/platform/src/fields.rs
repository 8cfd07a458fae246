//! The fields of a request, read in a way that reports all mistakes at once.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use domain::{Invalid, Timestamp};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use crate::problem::{Code, FieldError, Problem};

/// Named values from outside. Reading takes them out one by one and collects the mistakes.
///
/// Read every field first, then call [`Fields::finish`], which refuses unknown fields and returns
/// the required values.
#[derive(Debug)]
pub struct Fields {
    /// The prefix of the names in errors: `owner.` for the fields of the object `owner`.
    prefix: String,
    values: BTreeMap<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The fields of a JSON object (RFC 8259). An empty body is an empty object.
    ///
    /// # Errors
    ///
    /// `invalid_request` if the body is anything else, or names a field twice.
    pub fn of_json(body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self::of_values(BTreeMap::new()));
        }
        match serde_json::from_slice::<Object>(body) {
            Ok(Object(values)) => Ok(Self::of_values(values)),
            Err(_) => Err(Problem::new(
                Code::InvalidRequest,
                "The body must be a JSON object that names each field once.",
            )),
        }
    }

    fn of_values(values: BTreeMap<String, Value>) -> Self {
        Self {
            prefix: String::new(),
            values,
            errors: Vec::new(),
        }
    }

    /// The fields of a JSON object that is already parsed.
    ///
    /// # Errors
    ///
    /// `invalid_request` if the value is anything else.
    pub fn of_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Object(values) => Ok(Self::of_values(values.into_iter().collect())),
            _ => Err(Problem::new(
                Code::InvalidRequest,
                "The payload must be a JSON object.",
            )),
        }
    }

    pub fn of_query<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut fields = Self::of_values(BTreeMap::new());
        for (name, value) in parameters {
            let value = Value::String(value.to_owned());
            if fields.values.insert(name.to_owned(), value).is_some() {
                fields.error(name, "must not be given more than once");
            }
        }
        fields
    }

    /// A field that must be there. If it is missing or wrong, [`Fields::finish`] says so.
    pub fn required<T: FromStr<Err = Invalid>>(&mut self, name: &str) -> Required<T> {
        if matches!(self.values.get(name), None | Some(Value::Null)) {
            self.values.remove(name);
            self.error(name, "is required");
            return Required(None);
        }
        Required(self.optional(name))
    }

    /// A field that may be missing or null, whose text is read later. If it is not text,
    /// [`Fields::finish`] says so.
    pub fn optional_text(&mut self, name: &str) -> Option<String> {
        self.optional::<Text>(name).map(|Text(text)| text)
    }

    /// A field that must be there, whose text is read later.
    pub fn required_text(&mut self, name: &str) -> Required<String> {
        let Required(text) = self.required::<Text>(name);
        Required(text.map(|Text(text)| text))
    }

    /// A point in time that may be missing or null. If it is wrong, [`Fields::finish`] says so.
    pub fn optional_time(&mut self, name: &str) -> Option<Timestamp> {
        self.optional::<Time>(name).map(|Time(time)| time)
    }

    /// A field that may be missing or null. If it is wrong, [`Fields::finish`] says so.
    pub fn optional<T: FromStr<Err = Invalid>>(&mut self, name: &str) -> Option<T> {
        match self.values.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => match text.parse() {
                Ok(value) => Some(value),
                Err(reason) => {
                    self.error(name, reason);
                    None
                }
            },
            Some(_) => {
                self.error(name, "must be a string");
                None
            }
        }
    }

    /// A field that may be true, and is false when it is missing or null. If it is wrong,
    /// [`Fields::finish`] says so.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.values.remove(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.error(name, "must be true or false");
                false
            }
        }
    }

    /// A whole number from zero on that may be missing or null, small enough for JSON (RFC 8259, 6). If
    /// it is wrong, [`Fields::finish`] says so.
    pub fn optional_number(&mut self, name: &str) -> Option<u64> {
        const LARGEST: u64 = (1 << 53) - 1;
        match self.values.remove(name)? {
            Value::Null => None,
            Value::Number(number) if number.as_u64().is_some_and(|number| number <= LARGEST) => {
                number.as_u64()
            }
            _ => {
                self.error(name, "must be a whole number from 0 to 9007199254740991");
                None
            }
        }
    }

    /// The fields of a nested object, which collects its own mistakes.
    #[must_use]
    pub fn enter(&mut self, name: &str) -> Self {
        let (values, error) = match self.values.remove(name) {
            Some(Value::Object(values)) => (values.into_iter().collect(), None),
            None | Some(Value::Null) => (BTreeMap::new(), None),
            Some(_) => (BTreeMap::new(), Some("must be an object")),
        };
        let field = format!("{}{name}", self.prefix);
        let error = error.map(|message| FieldError::new(&field, message));
        Self {
            prefix: format!("{field}."),
            values,
            errors: error.into_iter().collect(),
        }
    }

    pub fn ignore_rest(&mut self) {
        self.values.clear();
    }

    /// Ends the reading, and returns the required values.
    ///
    /// # Errors
    ///
    /// `invalid_request` with every mistake, including unknown fields.
    pub fn finish<R: AllRequired>(self, required: R) -> Result<R::Values, Problem> {
        self.check(required).map_err(Problem::invalid_fields)
    }

    /// The same for the fields of a nested object.
    ///
    /// # Errors
    ///
    /// Every mistake, including unknown fields.
    pub fn check<R: AllRequired>(mut self, required: R) -> Result<R::Values, Vec<FieldError>> {
        for name in std::mem::take(&mut self.values).into_keys() {
            // The name is the caller's own text, so a long one is cut.
            let name: String = name.chars().take(64).collect();
            self.error(&name, "is not a known field");
        }
        match required.values() {
            Some(values) if self.errors.is_empty() => Ok(values),
            _ => Err(self.errors),
        }
    }

    fn error(&mut self, name: &str, message: impl fmt::Display) {
        self.errors
            .push(FieldError::new(&format!("{}{name}", self.prefix), message));
    }
}

/// The value of a required field, which [`Fields::finish`] returns. If there is none, the mistake is among
/// the errors.
#[derive(Debug)]
pub struct Required<T>(Option<T>);

impl<T> Required<T> {
    /// The value, unless there is a mistake.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

pub trait AllRequired {
    type Values;

    /// None, if there is a mistake.
    fn values(self) -> Option<Self::Values>;
}

impl AllRequired for () {
    type Values = ();

    fn values(self) -> Option<()> {
        Some(())
    }
}

impl<T> AllRequired for Required<T> {
    type Values = T;

    fn values(self) -> Option<T> {
        self.0
    }
}

impl<A, B, C> AllRequired for (Required<A>, Required<B>, Required<C>) {
    type Values = (A, B, C);

    fn values(self) -> Option<(A, B, C)> {
        let (Required(a), Required(b), Required(c)) = self;
        Some((a?, b?, c?))
    }
}

struct Text(String);

impl FromStr for Text {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Ok(Self(text.to_owned()))
    }
}

/// A point in time (RFC 3339).
struct Time(Timestamp);

impl FromStr for Time {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let time = text
            .parse()
            .map_err(|_| Invalid("must be a time such as 2026-11-24T12:00:00Z"));
        time.map(Self)
    }
}

/// A JSON object that has no name twice, because it would be unclear which value counts.
struct Object(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut values = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if values.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                }
                Ok(Object(values))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}
