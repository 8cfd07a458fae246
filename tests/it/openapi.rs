//! `openapi.json`. Every test that calls the API checks its answers against it.

use std::collections::BTreeSet;

use local::Template;
use platform::problem::Code;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::contract::{document, validate};
use crate::harness::{OWNER, Reply, Rollcall, compare_or_bless, member_id};

/// Every operation of the document: method, path and description.
fn operations() -> Vec<(Method, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            operations.push((method, path.as_str(), operation));
        }
    }
    operations
}

#[test]
fn the_document_is_up_to_date() {
    compare_or_bless("openapi.json", |_| openapi::text().unwrap());
    assert_eq!(openapi::routes_without_description().unwrap(), []);
}

#[test]
fn the_document_has_the_routes_of_the_template_and_their_authorizers() {
    let described: BTreeSet<_> = operations()
        .into_iter()
        .map(|(method, path, operation)| {
            let is_public = operation.get("security") == Some(&json!([]));
            (method.to_string(), path.to_owned(), !is_public)
        })
        .collect();
    let functions = Template::of_this_repository().unwrap().functions().unwrap();
    let routes = functions.into_iter().flat_map(|function| function.routes);
    let routes: BTreeSet<_> = routes
        .filter(|route| !openapi::is_no_operation(route))
        .map(|route| (route.method, route.path, route.has_authorizer))
        .collect();
    assert_eq!(described, routes);
}

#[test]
fn examples_match_the_schemas() {
    let examples = document()["components"]["examples"].as_object().unwrap();
    for (code, example) in examples {
        let problem = &example["value"];
        validate("/components/schemas/Problem", problem).unwrap();
        assert_eq!(problem["code"], *code);
        let known = Code::ALL
            .iter()
            .find(|known| known.as_str() == code)
            .unwrap();
        assert_eq!(problem["status"], known.status().as_u16());
    }
    for (method, path, operation) in operations() {
        let path = path.replace('/', "~1");
        let at = format!("/paths/{path}/{}", method.as_str().to_lowercase());
        if let Some(content) = operation.pointer("/requestBody/content/application~1json") {
            let schema = format!("{at}/requestBody/content/application~1json/schema");
            validate(&schema, &content["example"]).unwrap();
        }
        let parameters = operation["parameters"].as_array().cloned();
        for (number, parameter) in parameters.unwrap_or_default().iter().enumerate() {
            if let Some(example) = parameter.get("example") {
                validate(&format!("{at}/parameters/{number}/schema"), example).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn the_api_reads_what_the_document_allows() {
    let (rollcall, _) = Rollcall::start_with_owner().await;
    let claims = json!({ "email": OWNER, "groups": ["support"] });
    let owner = rollcall.signed_in(&claims).await;
    for (method, path, operation) in operations() {
        let path = path
            .replace("{accountId}", "acme")
            .replace("{email}", "kim@example.com")
            .replace("{memberId}", member_id("acme", OWNER).as_str());
        let send = async |query: &str, body: &Value| {
            let request = owner.request(method.clone(), &format!("{path}{query}"));
            Reply::of(request.body(body.to_string())).await
        };
        if let Some(content) = operation.pointer("/requestBody/content/application~1json") {
            // Every field of the document is accepted, and any other field is refused.
            let mut body = content["example"].clone();
            let properties = content["schema"]["properties"].as_object().unwrap();
            for name in properties.keys() {
                body[name] = json!(7);
            }
            body["surprise"] = json!("x");
            let refused = send("", &body).await.expect_problem(400, "invalid_request");
            let errors = refused.body["errors"].as_array().unwrap();
            let (unknown, known): (Vec<_>, Vec<_>) = errors
                .iter()
                .partition(|error| error["message"] == "is not a known field");
            assert_eq!(unknown.len(), 1, "{path}: {}", refused.raw);
            assert_eq!(known.len(), properties.len(), "{path}: {}", refused.raw);

            let required = content["schema"]["required"].as_array().cloned();
            let required = required.unwrap_or_default();
            if !required.is_empty() {
                let refused = send("", &json!({})).await;
                let missing: BTreeSet<_> = refused.wrong_fields().into_iter().collect();
                let required = required
                    .iter()
                    .map(|name| name.as_str().unwrap().to_owned());
                assert_eq!(missing, required.collect(), "{path}");
            }
        }
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let query: Vec<String> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| format!("{}=\u{e9}", parameter["name"].as_str().unwrap()))
            .collect();
        if !query.is_empty() {
            let query = format!("?{}&surprise=x", query.join("&"));
            let refused = send(&query, &json!({})).await;
            let refused = refused.expect_problem(400, "invalid_request");
            assert!(refused.raw.contains("surprise is not a known field"));
            assert_eq!(refused.raw.matches("is not a known field").count(), 2);
        }
    }
    assert_eq!(rollcall.wire.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn the_api_serves_its_description() {
    let rollcall = Rollcall::start().await;
    let served = rollcall.anonymous(Method::GET, "/openapi.json").await;
    let served = served.expect_status(200);
    assert_eq!(served.header("content-type"), "application/json");
    assert_eq!(&served.body, document());
}
