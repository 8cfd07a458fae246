//! Checks every answer that a test gets against `openapi.json`.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

/// The document as the code makes it, so that a new route needs no second run after `just bless`.
/// Another test compares it with `openapi.json`.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(&openapi::text().unwrap()).unwrap())
}

/// Checks that the document describes an answer. Ignores calls that match no route of the API.
#[track_caller]
pub(crate) fn check(method: &str, path: &str, status: u16, content_type: &str, body: &Value) {
    let Some(route) = route(method, path) else {
        return;
    };
    let pointer = format!("/paths/{}/{}", escape(route), method.to_lowercase());
    let pointer = format!(
        "{pointer}/responses/{status}/content/{}",
        escape(content_type)
    );
    assert!(
        document().pointer(&pointer).is_some(),
        "openapi.json does not know {method} {route} {status} {content_type}: {body}"
    );
    if let Err(error) = validate(&format!("{pointer}/schema"), body) {
        panic!("{method} {route} is not what openapi.json says: {error}");
    }
    let examples = document().pointer(&format!("{pointer}/examples"));
    if let (Some(examples), Some(code)) = (examples, body["code"].as_str()) {
        assert!(
            examples.get(code).is_some(),
            "{route} has no example of {code}"
        );
    }
}

fn route(method: &str, path: &str) -> Option<&'static str> {
    let paths = document()["paths"].as_object().unwrap();
    paths
        .iter()
        .filter(|(_, operations)| operations.get(method.to_lowercase()).is_some())
        .map(|(route, _)| route.as_str())
        .find(|route| {
            let (route, path) = (route.split('/'), path.split('/'));
            route.clone().count() == path.clone().count()
                && route.zip(path).all(|(expected, part)| {
                    expected == part || (expected.starts_with('{') && !part.is_empty())
                })
        })
}

/// RFC 6901, 3.
fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

/// Checks a value against a given schema.
pub(crate) fn validate_against(schema: Value, value: &Value) -> Result<(), String> {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.enable_format_assertions();
    let url = "https://rollcall.example/schema.json";
    compiler.add_resource(url, strict(schema)).unwrap();
    let index = compiler.compile(url, &mut schemas).unwrap();
    let checked = schemas.validate(value, index);
    checked.map_err(|error| format!("{error:#}"))
}

/// Checks a value against the schema at a JSON pointer of the document.
pub(crate) fn validate(pointer: &str, value: &Value) -> Result<(), String> {
    static COMPILED: OnceLock<Mutex<(Schemas, HashMap<String, SchemaIndex>)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(Mutex::default);
    let (schemas, known) = &mut *compiled.lock().unwrap();
    let index = *known.entry(pointer.to_owned()).or_insert_with(|| {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        let url = "https://rollcall.example/openapi.json";
        compiler
            .add_resource(url, strict(document().clone()))
            .unwrap();
        let place = format!("{url}#{}", pointer.replace('{', "%7B").replace('}', "%7D"));
        compiler.compile(&place, schemas).unwrap()
    });
    let checked = schemas.validate(value, index);
    checked.map_err(|error| format!("{error:#}"))
}

/// The document with objects closed. Callers must accept new fields, but an answer with a field
/// that the document lacks means that the document is out of date.
fn strict(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            if fields.get("type") == Some(&Value::from("object")) {
                fields.insert("additionalProperties".to_owned(), Value::from(false));
            }
            for field in fields.values_mut() {
                *field = strict(field.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = strict(item.take());
            }
        }
        _ => {}
    }
    value
}
