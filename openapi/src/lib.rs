//! The description of the API (OpenAPI 3.1), generated from the code: routes and their authorizers
//! come from `template.yaml`, abilities from the domain, problems and their examples from
//! `platform::problem`. The rest is written here, and tests check every answer against it.

mod operations;
mod problems;
mod schemas;

use std::collections::BTreeMap;

use local::{Route, Template, TemplateError};
use platform::problem::Code;
use serde_json::{Map, Value, json};

pub use crate::operations::is_no_operation;

use crate::operations::Operation;

/// The text of `openapi.json`, which `just bless` writes.
///
/// # Errors
///
/// If `template.yaml` can't be read.
pub fn text() -> Result<String, TemplateError> {
    let document = document()?;
    // A document of strings and numbers always serializes.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    Ok(text + "\n")
}

/// The routes of the template that have no description here.
///
/// # Errors
///
/// If `template.yaml` can't be read.
pub fn routes_without_description() -> Result<Vec<Route>, TemplateError> {
    let mut routes = routes()?;
    routes.retain(|route| operations::of(route).is_none() && !is_no_operation(route));
    Ok(routes)
}

fn routes() -> Result<Vec<Route>, TemplateError> {
    let functions = Template::of_this_repository()?.functions()?;
    Ok(functions
        .into_iter()
        .flat_map(|function| function.routes)
        .collect())
}

fn document() -> Result<Value, TemplateError> {
    let mut paths = BTreeMap::<String, Map<String, Value>>::new();
    let mut codes = Vec::new();
    for route in routes()? {
        let Some(operation) = operations::of(&route) else {
            continue;
        };
        codes.extend(operation.codes());
        let path = paths.entry(route.path.clone()).or_default();
        path.insert(route.method.to_lowercase(), describe(&route, &operation));
    }
    let examples = Code::ALL
        .iter()
        .filter(|code| codes.contains(code))
        .map(|code| (code.as_str().to_owned(), problems::example(*code)))
        .collect::<Map<_, _>>();
    Ok(json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Rollcall",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Multi-user access to the accounts of a SaaS product.",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The origin of this document." }],
        "security": [{ "idToken": [] }],
        "tags": [
            { "name": "members", "description": "The people in an account." },
            { "name": "account", "description": "The account itself." },
            { "name": "login", "description": "Logging in." },
            { "name": "support", "description": "Finding out why an invite did not arrive." },
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "idToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An OpenID Connect ID token of the product's identity provider. \
                        A first login needs a verified e-mail address.",
                },
            },
            "headers": headers(),
            "schemas": schemas::all(),
            "examples": examples,
        },
    }))
}

const DESCRIPTION: &str = "\
The owner of an account invites people, resends invites and removes people; members use the \
account. Every call reads the caller's rights from the table, so a change by the owner takes effect \
with the next call.\n\n\
A refusal is a problem (RFC 9457). Act on its `code` and show its `detail`. API Gateway itself \
answers calls with an invalid token (401) and calls over its rate limit (429), with \
`{\"message\": \"...\"}`.\n\n\
After the first login, issuer and subject of the token are the person, whatever the address is. \
The header `x-member-id`, with the `id` of the login's `member`, can save a read. It is a hint \
and means nothing if that row is not the caller's.\n\n\
Answers may get new fields. Requests with unknown fields are refused.";

fn headers() -> Value {
    json!({
        "requestId": {
            "description": "The id of the call in the log.",
            "schema": { "type": "string" },
        },
        "retryAfter": {
            "description": "How many seconds to wait before trying again.",
            "schema": { "type": "integer", "minimum": 1 },
        },
    })
}

fn describe(route: &Route, operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "responses": responses(operation),
    });
    let mut set = |name: &str, value: Value| {
        if let Some(fields) = described.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    let parameters = parameters(route, operation);
    if !parameters.is_empty() {
        set("parameters", Value::Array(parameters));
    }
    if let Some(body) = &operation.body {
        set(
            "requestBody",
            json!({
                "required": body.is_required,
                "content": { "application/json": { "schema": body.schema, "example": body.example } },
            }),
        );
    }
    if !route.has_authorizer {
        set("security", json!([]));
    }
    described
}

/// The parameters of the path, then those of the operation.
fn parameters(route: &Route, operation: &Operation) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| {
        part.strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
    });
    names
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": schemas::path(name) })
        })
        .chain(operation.parameters.iter().cloned())
        .collect()
}

fn responses(operation: &Operation) -> Map<String, Value> {
    let mut responses = Map::new();
    responses.insert(
        operation.success.status.to_string(),
        json!({
            "description": operation.success.description,
            "headers": { "x-request-id": { "$ref": "#/components/headers/requestId" } },
            "content": { "application/json": { "schema": operation.success.schema } },
        }),
    );
    let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
    for code in operation.codes() {
        let codes = by_status.entry(code.status().as_u16()).or_default();
        codes.push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), problems::response(status, &codes));
    }
    responses
}
