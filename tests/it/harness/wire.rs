//! The wire between the functions and AWS: counts what goes over it, and breaks it on demand.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use local::HttpClients;
use serde_json::Value;

/// What happens to a request in place of a plain answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nobody listens.
    NoConnection,
    /// The request arrives and does its work, but the answer does not come back.
    LostAnswer,
    /// Nothing happens, ever.
    Hang,
    /// An answer that is not the service's.
    Garbage,
    /// An answer with this body.
    Answer(&'static str),
    /// An error of the service, by HTTP status and code.
    Error(u16, &'static str),
    /// A transaction that is cancelled because of another one that is under way.
    TransactionConflict,
}

/// What AWS says in its errors. Its own words can quote what it was sent.
pub(crate) const AWS_SAYS: &str = "something about canary.kim@example.com";

type Interruption = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is going to happen at the next request of an operation.
enum Plan {
    /// Something else comes first: another writer.
    First(Interruption),
    Fault(Fault),
}

/// A request that a function made.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The name of the function's operation.
    pub(crate) function: String,
    /// The AWS operation that it is for.
    pub(crate) operation: String,
    /// What it says; null, if that is nothing.
    pub(crate) body: Value,
}

/// A tap on the wire. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: Vec<String>,
    /// Whole requests, if somebody wants them.
    record: Option<Vec<Request>>,
    plans: VecDeque<(&'static str, Plan)>,
}

impl Wire {
    /// The SDK's HTTP client, tapped, for every function.
    pub(crate) fn to_http_clients(&self) -> HttpClients {
        let client = platform::aws::https_client(Vec::new());
        let wire = self.clone();
        Box::new(move |function| {
            SharedHttpClient::new(Tapped {
                client: client.clone(),
                wire: wire.clone(),
                function: function.into(),
            })
        })
    }

    /// Keeps whole requests from now on.
    pub(crate) fn record(&self) {
        self.state().record = Some(Vec::new());
    }

    /// The requests that were kept.
    pub(crate) fn recorded(&self) -> Vec<Request> {
        self.state().record.clone().unwrap_or_default()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&self) {
        self.state().calls.clear();
    }

    /// The operations that were called since the last time that somebody asked, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// Lets something happen right before the next request of an operation.
    pub(crate) fn before(
        &self,
        operation: &'static str,
        interruption: impl Future<Output = ()> + Send + 'static,
    ) {
        let plan = Plan::First(Box::pin(interruption));
        self.state().plans.push_back((operation, plan));
    }

    /// Lets the next `times` requests of an operation fail.
    pub(crate) fn fail(&self, operation: &'static str, fault: Fault, times: usize) {
        let plans = std::iter::repeat_with(|| (operation, Plan::Fault(fault))).take(times);
        self.state().plans.extend(plans);
    }

    /// Lets nothing of what is planned happen any more.
    pub(crate) fn heal(&self) {
        self.state().plans.clear();
    }

    /// Demands that everything planned has happened.
    #[track_caller]
    pub(crate) fn expect_all_happened(&self) {
        let left: Vec<_> = self.state().plans.iter().map(|plan| plan.0).collect();
        assert!(left.is_empty(), "did not happen: {left:?}");
    }

    fn next_plan(&self, operation: &str) -> Option<Plan> {
        let mut state = self.state();
        let next = state
            .plans
            .iter()
            .position(|(planned, _)| *planned == operation)?;
        state.plans.remove(next).map(|(_, plan)| plan)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

#[derive(Debug)]
struct Tapped {
    client: SharedHttpClient,
    wire: Wire,
    function: Arc<str>,
}

impl HttpClient for Tapped {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Tap {
            connector: self.client.http_connector(settings, components),
            wire: self.wire.clone(),
            function: Arc::clone(&self.function),
        })
    }
}

#[derive(Debug, Clone)]
struct Tap {
    connector: SharedHttpConnector,
    wire: Wire,
    function: Arc<str>,
}

impl HttpConnector for Tap {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let tap = self.clone();
        HttpConnectorFuture::new(async move {
            let operation = operation(&request);
            tap.note(&operation, &request);
            match tap.wire.next_plan(&operation) {
                None => tap.connector.call(request).await,
                Some(Plan::First(interruption)) => {
                    interruption.await;
                    tap.connector.call(request).await
                }
                Some(Plan::Fault(fault)) => tap.break_down(fault, request).await,
            }
        })
    }
}

impl Tap {
    fn note(&self, operation: &str, request: &HttpRequest) {
        let mut state = self.wire.state();
        state.calls.push(operation.to_owned());
        if let Some(record) = &mut state.record {
            let body = request.body().bytes().unwrap_or_default();
            record.push(Request {
                function: self.function.to_string(),
                operation: operation.to_owned(),
                body: serde_json::from_slice(body).unwrap_or_default(),
            });
        }
    }

    async fn break_down(
        &self,
        fault: Fault,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        match fault {
            Fault::NoConnection => Err(ConnectorError::io("connection refused".into())),
            Fault::LostAnswer => {
                self.connector.call(request).await?;
                Err(ConnectorError::io("connection reset".into()))
            }
            Fault::Hang => std::future::pending().await,
            Fault::Garbage => Ok(response(200, "<html>not what you wanted</html>".to_owned())),
            Fault::Answer(body) => Ok(response(200, body.to_owned())),
            Fault::Error(status, code) => Ok(response(
                status,
                format!(
                    r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{AWS_SAYS}"}}"#
                ),
            )),
            Fault::TransactionConflict => Ok(response(
                400,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}"#
                    .to_owned(),
            )),
        }
    }
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), body.into())
}

const SUPPRESSION: &str = "suppression/addresses/";

/// The name of the AWS operation that a request is for.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.split_once('.').unwrap().1.to_owned();
    }
    let path = request
        .uri()
        .split_once("/v2/email/")
        .map_or("", |(_, path)| path);
    match (request.method(), path) {
        ("POST", "outbound-emails") => "SendEmail".to_owned(),
        ("GET", path) if path.starts_with(SUPPRESSION) => "GetSuppressedDestination".to_owned(),
        ("DELETE", path) if path.starts_with(SUPPRESSION) => {
            "DeleteSuppressedDestination".to_owned()
        }
        (method, path) => format!("{method} {path}"),
    }
}
