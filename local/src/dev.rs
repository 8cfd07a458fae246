//! `/dev`: the stack's controls, for people and tests. Everything else goes to the gateway.

use std::sync::Arc;

use authorize_request::AuthorizeRequest;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use platform::Invocation;
use platform::problem::{Code, Problem};
use provision_account::ProvisionAccount;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::clock::AdjustableClock;
use crate::events::{EventLog, Stream};
use crate::functions::Functions;
use crate::gateway::{Gateway, HttpRequest};
use crate::mail_page;
use crate::oidc::{self, Provider, TokenRequest};
use crate::product;
use crate::ses::{Mail, Mailbox, SuppressionList};
use crate::sns::{self, Topic};

pub(crate) struct Dev {
    pub(crate) mailbox: Mailbox,
    pub(crate) clock: AdjustableClock,
    pub(crate) provider: Arc<Provider>,
    pub(crate) suppression_list: SuppressionList,
    pub(crate) topic: Topic,
    pub(crate) functions: Arc<Functions>,
    pub(crate) gateway: Gateway,
    pub(crate) stream: Stream,
    pub(crate) event_log: EventLog,
}

/// In bytes. API Gateway takes no larger ones.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

pub(crate) fn router(dev: Arc<Dev>) -> Router {
    let sign_in = oidc::router(Arc::clone(&dev.provider));
    Router::new()
        .route("/dev", get(tour))
        .route("/dev/mail", get(mail))
        .route("/dev/mail.json", get(mail_json))
        .route("/dev/token", post(token))
        .route("/dev/accounts", post(accounts))
        .route("/dev/feedback", post(feedback))
        .route("/dev/events.json", get(events_json))
        .route("/dev/product", get(product))
        .route("/dev/clock", get(clock).post(advance_clock))
        .fallback(gateway)
        .with_state(dev)
        .nest("/dev/oidc", sign_in)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}

async fn tour() -> Html<&'static str> {
    Html(include_str!("../templates/tour.html"))
}

async fn mail(State(dev): State<Arc<Dev>>) -> Response {
    match mail_page::page(&dev.mailbox.list()) {
        Ok(page) => Html(page).into_response(),
        Err(error) => problem(Problem::internal(error)),
    }
}

async fn mail_json(State(dev): State<Arc<Dev>>) -> Json<Vec<Mail>> {
    Json(dev.mailbox.list())
}

/// Publishes what is new in the stream, then lists all events, newest first.
async fn events_json(State(dev): State<Arc<Dev>>) -> Response {
    match dev.stream.publish(&dev.functions).await {
        Ok(()) => Json(dev.event_log.list()).into_response(),
        Err(failed) => problem(failed),
    }
}

/// Creates an ID token, as if the person had just signed in.
async fn token(State(dev): State<Arc<Dev>>, body: Bytes) -> Response {
    let request: TokenRequest = match parse(&body) {
        Ok(request) => request,
        Err(refused) => return problem(refused),
    };
    match dev.provider.id_token(&request, None) {
        Ok(token) => Json(json!({ "idToken": token })).into_response(),
        Err(error) => problem(Problem::internal(error)),
    }
}

/// Invokes `provision-account` with a payload or an event.
async fn accounts(State(dev): State<Arc<Dev>>, body: Bytes) -> Response {
    let payload: Value = match parse(&body) {
        Ok(payload) => payload,
        Err(refused) => return problem(refused),
    };
    invoked(dev.functions.invoke(ProvisionAccount::NAME, payload).await)
}

/// Takes an SES event, as if SES had published it to the topic. A body that isn't JSON is published unchanged.
async fn feedback(State(dev): State<Arc<Dev>>, body: Bytes) -> Response {
    let message = String::from_utf8_lossy(&body);
    let now = dev.clock.to_clock().now();
    if let Ok(event) = serde_json::from_str::<Value>(&message)
        && let Err(error) = dev.suppression_list.learn(&event, now)
    {
        return problem(Problem::internal(error));
    }
    let event = sns::envelope(&message, now);
    invoked(sns::invoke(&dev.functions, event).await)
}

/// Takes a request to the product's own API, behind the guard.
async fn product(
    State(dev): State<Arc<Dev>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = HttpRequest {
        method,
        uri,
        headers,
        body,
    };
    match dev.gateway.authorizer_event(&request) {
        Some(event) => product::answer(dev.functions.invoke(AuthorizeRequest::NAME, event).await),
        None => product::unauthorized(),
    }
}

fn invoked(outcome: Option<Result<Value, Problem>>) -> Response {
    match outcome {
        Some(Ok(outcome)) => Json(outcome).into_response(),
        Some(Err(refused)) => problem(refused),
        None => problem(Problem::new(Code::NotFound, "There is no such function.")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

async fn clock(State(dev): State<Arc<Dev>>) -> Json<Value> {
    Json(json!({ "now": dev.clock.now() }))
}

async fn advance_clock(State(dev): State<Arc<Dev>>, body: Bytes) -> Response {
    match parse::<Advance>(&body) {
        Ok(advance) => {
            dev.clock.advance(advance.advance_seconds);
            clock(State(dev)).await.into_response()
        }
        Err(refused) => problem(refused),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(
            Code::InvalidRequest,
            format!("The body is not valid: {error}."),
        )
    })
}

fn problem(problem: Problem) -> Response {
    from_lambda(problem.into_response("dev"))
}

async fn gateway(
    State(dev): State<Arc<Dev>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    from_lambda(
        dev.gateway
            .answer(HttpRequest {
                method,
                uri,
                headers,
                body,
            })
            .await,
    )
}

fn from_lambda(response: lambda_http::Response<lambda_http::Body>) -> Response {
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, Body::from(body.to_vec()))
}
