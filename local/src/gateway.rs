//! The API Gateway of an HTTP API: routes, the JWT authorizer, events, answers.

use std::collections::BTreeMap;

use axum::body::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use lambda_http::http::{HeaderMap, Method, Uri};
use lambda_http::{Body, Response};
use percent_encoding::percent_decode_str;
use platform::Problem;
use platform::random;
use serde_json::{Value, json};

use crate::clock::AdjustableClock;
use crate::functions::ApiHandler;
use crate::oidc::Authorizer;
use crate::template::Route;

/// Routes HTTP requests to functions as events of the payload format 2.0.
pub struct Gateway {
    routes: Vec<(Route, ApiHandler)>,
    authorizer: Authorizer,
    clock: AdjustableClock,
}

/// The API's name in events, for every `host` that a caller used.
const DOMAIN: &str = "localhost";

/// The parts of an HTTP request that reach a function.
#[derive(Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Gateway {
    pub(crate) fn new(
        routes: Vec<(Route, ApiHandler)>,
        authorizer: Authorizer,
        clock: AdjustableClock,
    ) -> Self {
        Self {
            routes,
            authorizer,
            clock,
        }
    }

    /// The routes that lead to functions.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|(route, _)| route)
    }

    /// Answers a request. API Gateway's own refusals have other bodies
    /// (`{"message":"Unauthorized"}`). Here they are problems, like the API's own.
    pub(crate) async fn answer(&self, request: HttpRequest) -> Response<Body> {
        let request_id = request_id();
        let Some((route, handler, parameters)) = self.route(&request.method, &request.uri) else {
            return Problem::not_found().into_response(&request_id);
        };
        let mut authorizer = Value::Null;
        if route.has_authorizer {
            let header = request.headers.get("authorization");
            match self
                .authorizer
                .claims(header.and_then(|value| value.to_str().ok()))
            {
                Ok(claims) => authorizer = json!({ "jwt": { "claims": claims, "scopes": null } }),
                Err(_) => return Problem::unauthenticated().into_response(&request_id),
            }
        }
        let event = self.event(&request, route, &parameters, &authorizer, &request_id);
        match lambda_http::request::from_str(&event.to_string()) {
            Ok(event) => handler(event).await,
            Err(error) => Problem::internal(error).into_response(&request_id),
        }
    }

    /// The event of a Lambda authorizer for a request to the product's own API. None, if the request has
    /// no identity source
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>).
    pub(crate) fn authorizer_event(&self, request: &HttpRequest) -> Option<Value> {
        let token = request.headers.get("authorization")?;
        let route = Route {
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            has_authorizer: false,
        };
        let mut event = self.event(
            request,
            &route,
            &BTreeMap::new(),
            &Value::Null,
            &request_id(),
        );
        let fields = event.as_object_mut()?;
        // The authorizer never sees a body.
        fields.retain(|name, _| name != "body" && name != "isBase64Encoded");
        fields.insert("type".to_owned(), json!("REQUEST"));
        let arn = format!(
            "arn:aws:execute-api:local:000000000000:local/$default/{}{}",
            route.method, route.path
        );
        fields.insert("routeArn".to_owned(), json!(arn));
        let token = String::from_utf8_lossy(token.as_bytes());
        fields.insert("identitySource".to_owned(), json!([token]));
        Some(event)
    }

    /// The route of a request, with the values of its path parameters. If two routes match, the
    /// one with fewer parameters wins
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>).
    fn route(
        &self,
        method: &Method,
        uri: &Uri,
    ) -> Option<(&Route, &ApiHandler, BTreeMap<String, String>)> {
        self.routes
            .iter()
            .filter(|(route, _)| route.method == method.as_str())
            .filter_map(|(route, handler)| {
                Some((route, handler, path_parameters(&route.path, uri.path())?))
            })
            .min_by_key(|(_, _, parameters)| parameters.len())
    }

    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
    fn event(
        &self,
        request: &HttpRequest,
        route: &Route,
        parameters: &BTreeMap<String, String>,
        authorizer: &Value,
        request_id: &str,
    ) -> Value {
        let now = self.clock.now();
        let route_key = format!("{} {}", route.method, route.path);
        let path = request.uri.path();
        let query = request.uri.query().unwrap_or_default();
        let header = |name: &str| {
            request
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let (body, is_base64) = match std::str::from_utf8(&request.body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (BASE64.encode(&request.body), true),
        };
        let mut event = json!({
            "version": "2.0",
            "routeKey": route_key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers(&request.headers),
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": DOMAIN,
                "domainPrefix": DOMAIN,
                "http": {
                    "method": route.method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": header("user-agent"),
                },
                "requestId": request_id,
                "routeKey": route_key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": now.as_millisecond(),
            },
            "isBase64Encoded": is_base64,
        });
        if let Some(event) = event.as_object_mut() {
            if !authorizer.is_null() {
                let context = event
                    .get_mut("requestContext")
                    .and_then(Value::as_object_mut);
                if let Some(context) = context {
                    context.insert("authorizer".to_owned(), authorizer.clone());
                }
            }
            if !parameters.is_empty() {
                event.insert("pathParameters".to_owned(), json!(parameters));
            }
            if !body.is_empty() {
                event.insert("body".to_owned(), Value::String(body));
            }
        }
        event
    }
}

/// API Gateway joins the values of a repeated header. It sets the headers that say how the request
/// arrived, and drops the caller's.
fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|joined| *joined += &format!(",{value}"))
            .or_insert_with(|| value.into_owned());
    }
    let own = [
        ("host", DOMAIN),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-port", "80"),
        ("x-forwarded-proto", "http"),
    ];
    joined.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    joined
}

/// The decoded values of a route's parameters. None, if the path does not match the route.
fn path_parameters(route: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    let mut parts = path.split('/');
    for expected in route.split('/') {
        let part = parts.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) if !part.is_empty() => {
                let value = percent_decode_str(part).decode_utf8_lossy();
                parameters.insert(name.to_owned(), value.into_owned());
            }
            None if expected == part => {}
            _ => return None,
        }
    }
    parts.next().is_none().then_some(parameters)
}

/// A new id that looks like API Gateway's.
fn request_id() -> String {
    let random = random::secret().unwrap_or_default();
    format!("{:.11}=", HEXLOWER.encode(&random))
}
