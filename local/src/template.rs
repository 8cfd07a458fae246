//! The parts of `template.yaml` that the local stack uses: functions, routes, environments, table.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::LazyLock;

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// Why the template can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError(String);

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template.yaml: {}", self.0)
    }
}

impl std::error::Error for TemplateError {}

/// A SAM template with the short forms of CloudFormation's functions written out.
#[derive(Debug, Clone)]
pub struct Template {
    document: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name in the template.
    pub logical_id: String,
    /// The name of the binary, which is the operation's name.
    pub operation: String,
    pub code_uri: String,
    pub routes: Vec<Route>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// In capitals.
    pub method: String,
    /// With parameters in braces.
    pub path: String,
    /// The JWT authorizer checks its requests.
    pub has_authorizer: bool,
}

impl Template {
    /// # Errors
    ///
    /// If the file is not a template.
    pub fn of_this_repository() -> Result<Self, TemplateError> {
        // Every stack reads it, and a test process starts hundreds.
        static PARSED: LazyLock<Result<Template, TemplateError>> =
            LazyLock::new(|| Template::parse(TEMPLATE));
        PARSED.clone()
    }

    /// # Errors
    ///
    /// If the text is not YAML, or has no `Resources`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let documents = Yaml::load_from_str(text)
            .map_err(|error| TemplateError(format!("is not YAML: {error}")))?;
        let document = documents.first().map(to_json).unwrap_or_default();
        if !document.get("Resources").is_some_and(Value::is_object) {
            return Err(TemplateError("has no Resources".to_owned()));
        }
        Ok(Self { document })
    }

    /// A part of the document. The pointer is a JSON pointer (RFC 6901).
    #[must_use]
    pub fn part(&self, pointer: &str) -> Option<&Value> {
        self.document.pointer(pointer)
    }

    /// The resources of a type, by name.
    pub fn resources<'a>(&'a self, of_type: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.part("/Resources")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(move |(_, resource)| {
                resource.get("Type").and_then(Value::as_str) == Some(of_type)
            })
            .map(|(name, resource)| (name.as_str(), resource))
    }

    /// # Errors
    ///
    /// If a function has no binary or no code.
    pub fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        self.resources("AWS::Serverless::Function")
            .map(|(name, resource)| {
                let text = |pointer: &str| {
                    let text = resource.pointer(pointer).and_then(Value::as_str);
                    text.map(str::to_owned)
                        .ok_or_else(|| TemplateError(format!("{name} has no {pointer}")))
                };
                let events = resource
                    .pointer("/Properties/Events")
                    .and_then(Value::as_object);
                Ok(Function {
                    logical_id: name.to_owned(),
                    operation: text("/Metadata/BuildProperties/Binary")?,
                    code_uri: text("/Properties/CodeUri")?,
                    routes: events
                        .into_iter()
                        .flatten()
                        .filter_map(|(_, e)| route(e))
                        .collect(),
                })
            })
            .collect()
    }

    /// The environment that CloudFormation gives a function, with these parameters.
    ///
    /// # Errors
    ///
    /// If a value is something other than a literal, a `!Ref` or a `!Join`.
    pub fn environment(
        &self,
        logical_id: &str,
        parameters: &HashMap<&str, String>,
    ) -> Result<HashMap<String, String>, TemplateError> {
        let mut variables = BTreeMap::new();
        let resource = format!("/Resources/{logical_id}/Properties");
        for properties in ["/Globals/Function", &resource] {
            let part = self.part(&format!("{properties}/Environment/Variables"));
            variables.extend(part.and_then(Value::as_object).into_iter().flatten());
        }
        variables
            .into_iter()
            .map(|(name, value)| {
                let value = self.resolve(value, parameters).ok_or_else(|| {
                    TemplateError(format!("{logical_id}: {name} cannot be resolved"))
                })?;
                Ok((name.clone(), value))
            })
            .collect()
    }

    /// The value of a literal, a `!Ref` or a `!Join`. A `!Ref` to a resource is the resource's name.
    fn resolve(&self, value: &Value, parameters: &HashMap<&str, String>) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Object(function) => {
                if let Some(name) = function.get("Ref").and_then(Value::as_str) {
                    return self.reference(name, parameters);
                }
                let join = function.get("Fn::Join")?.as_array()?;
                let (separator, parts) = (join.first()?.as_str()?, join.get(1)?);
                let parts = match parts {
                    Value::Array(parts) => parts
                        .iter()
                        .map(|part| self.resolve(part, parameters))
                        .collect(),
                    list => self.resolve(list, parameters).map(|list| vec![list]),
                };
                Some(parts?.join(separator))
            }
            Value::Null | Value::Array(_) => None,
        }
    }

    fn reference(&self, name: &str, parameters: &HashMap<&str, String>) -> Option<String> {
        if let Some(value) = parameters.get(name) {
            return Some(value.clone());
        }
        match self.part(&format!("/Parameters/{name}")) {
            Some(parameter) => self.resolve(parameter.get("Default")?, parameters),
            None => self
                .part(&format!("/Resources/{name}"))
                .map(|_| name.to_owned()),
        }
    }
}

fn route(event: &Value) -> Option<Route> {
    if event.get("Type")?.as_str()? != "HttpApi" {
        return None;
    }
    let authorizer = event
        .pointer("/Properties/Auth/Authorizer")
        .and_then(Value::as_str);
    Some(Route {
        method: event
            .pointer("/Properties/Method")?
            .as_str()?
            .to_uppercase(),
        path: event.pointer("/Properties/Path")?.as_str()?.to_owned(),
        has_authorizer: authorizer != Some("NONE"),
    })
}

/// YAML as JSON, with `!Ref X` as `{"Ref": "X"}` and `!Sub X` as `{"Fn::Sub": "X"}`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html>).
fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(flag) => Value::Bool(*flag),
            Scalar::Integer(number) => Value::from(*number),
            Scalar::FloatingPoint(number) => Value::from(number.into_inner()),
            Scalar::String(text) => Value::String(text.to_string()),
        },
        Yaml::Sequence(items) => Value::Array(items.iter().map(to_json).collect()),
        Yaml::Mapping(entries) => {
            let entry = |(key, value): (&Yaml<'_>, &Yaml<'_>)| {
                let key = match to_json(key) {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                (key, to_json(value))
            };
            Value::Object(entries.iter().map(entry).collect())
        }
        Yaml::Tagged(tag, value) => {
            let name = match tag.suffix.as_str() {
                reference @ ("Ref" | "Condition") => reference.to_owned(),
                function => format!("Fn::{function}"),
            };
            Value::Object(Map::from_iter([(name, to_json(value))]))
        }
        Yaml::Representation(text, ..) => Value::String(text.to_string()),
        Yaml::Alias(_) | Yaml::BadValue => Value::Null,
    }
}
