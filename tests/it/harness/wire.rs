//! The wire between the functions and AWS: counts what goes over it, and breaks it on demand.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use futures_util::future::join_all;
use local::HttpClients;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::meter::Meter;

/// What happens to a request in place of a plain answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Nobody listens.
    NoConnection,
    /// The request arrives and does its work, and then the connection breaks.
    LostAnswer,
    /// Nothing happens, ever.
    Hang,
    /// The request arrives and does its work, but nothing is heard of it, ever.
    NoAnswer,
    /// The answer comes, and takes more than half of the time that there is.
    Slow,
    /// An answer that is not the service's.
    Garbage,
    /// DynamoDB reads nothing and leaves all keys for later, as it does when it is throttling.
    NothingRead,
    /// An answer with this body.
    Answer(&'static str),
    /// An error of the service, by HTTP status and code.
    Error(u16, &'static str),
    /// A write that is cancelled because of a transaction that is under way. What else is sent goes
    /// its way.
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
    outage: Option<Outage>,
    turns: Option<Turns>,
    meter: Option<Meter>,
    /// How long every request takes longer than it would.
    latency: Option<Duration>,
}

/// Requests that fail wherever they go: after so many that do not, so many that do.
struct Outage {
    after: usize,
    times: usize,
    fault: Fault,
}

/// Calls that run at the same moment, one request at a time.
struct Turns {
    /// Decides whose turn it is.
    seed: u64,
    /// The calls that have not ended.
    running: usize,
    /// The calls that want to make a request.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Turns {
    /// Once every call waits or has ended, lets one of them make its request.
    fn go_on(&mut self) {
        self.waiting.retain(|waiting| !waiting.is_closed());
        if self.waiting.is_empty() || self.waiting.len() < self.running {
            return;
        }
        // Knuth, The Art of Computer Programming, 3.3.4: MMIX's generator.
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let next = usize::try_from(self.seed >> 33).unwrap() % self.waiting.len();
        let _ = self.waiting.remove(next).send(());
    }
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

    /// Has a meter run from now on.
    pub(crate) fn meter(&self) -> Meter {
        let meter = Meter::default();
        self.state().meter = Some(meter.clone());
        meter
    }

    /// Has every request take longer from now on.
    pub(crate) fn delay(&self, latency: Duration) {
        self.state().latency = Some(latency);
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

    /// Lets `times` requests fail, whatever they are for, once `after` others have been made.
    pub(crate) fn break_down(&self, after: usize, times: usize, fault: Fault) {
        self.state().outage = Some(Outage {
            after,
            times,
            fault,
        });
    }

    /// Lets nothing of what is planned happen any more.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.plans.clear();
        state.outage = None;
    }

    /// Runs calls at the same moment, in one of the orders that their requests can come in: every
    /// request waits for its turn, and the seed says whose it is.
    pub(crate) async fn interleave<T>(
        &self,
        seed: u64,
        calls: Vec<impl Future<Output = T>>,
    ) -> Vec<T> {
        self.state().turns = Some(Turns {
            seed,
            running: calls.len(),
            waiting: Vec::new(),
        });
        let calls = calls.into_iter().map(|call| async {
            let outcome = call.await;
            if let Some(turns) = &mut self.state().turns {
                turns.running -= 1;
                turns.go_on();
            }
            outcome
        });
        let outcomes = join_all(calls).await;
        self.state().turns = None;
        outcomes
    }

    async fn turn(&self) {
        let turn = self.state().turns.as_mut().map(|turns| {
            let (go, turn) = oneshot::channel();
            turns.waiting.push(go);
            turns.go_on();
            turn
        });
        if let Some(turn) = turn {
            let _ = turn.await;
        }
    }

    /// Demands that everything planned has happened.
    #[track_caller]
    pub(crate) fn expect_all_happened(&self) {
        let left: Vec<_> = self.state().plans.iter().map(|plan| plan.0).collect();
        assert!(left.is_empty(), "did not happen: {left:?}");
    }

    fn next_plan(&self, operation: &str) -> Option<Plan> {
        let mut state = self.state();
        if let Some(outage) = &mut state.outage {
            if outage.after > 0 {
                outage.after -= 1;
            } else if outage.times > 0 {
                outage.times -= 1;
                return Some(Plan::Fault(outage.fault));
            }
        }
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
            tap.wire.turn().await;
            tap.note(&operation, &request);
            match tap.wire.next_plan(&operation) {
                None => tap.pass_on(&operation, request).await,
                Some(Plan::First(interruption)) => {
                    interruption.await;
                    tap.pass_on(&operation, request).await
                }
                Some(Plan::Fault(fault)) => tap.break_down(fault, &operation, request).await,
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

    async fn pass_on(
        &self,
        operation: &str,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let (meter, latency) = {
            let state = self.wire.state();
            (state.meter.clone(), state.latency)
        };
        let begun = meter.map(|meter| (meter.begin(operation, &mut request), meter));
        if let Some(latency) = latency {
            // A thread sleeps to a tenth of a millisecond, the runtime's timer to a whole one.
            let asleep = tokio::task::spawn_blocking(move || std::thread::sleep(latency));
            asleep.await.unwrap();
        }
        let answer = self.connector.call(request).await?;
        Ok(match begun {
            Some((begun, meter)) => meter.end(begun, answer).await,
            None => answer,
        })
    }

    async fn break_down(
        &self,
        fault: Fault,
        operation: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        match fault {
            Fault::NoConnection => Err(ConnectorError::io("connection refused".into())),
            Fault::LostAnswer => {
                self.connector.call(request).await?;
                Err(ConnectorError::io("connection reset".into()))
            }
            Fault::Hang => std::future::pending().await,
            Fault::NoAnswer => {
                self.connector.call(request).await?;
                std::future::pending().await
            }
            Fault::Slow => {
                let [a_try, _] = platform::aws::DYNAMODB_TIMEOUTS;
                tokio::time::sleep(a_try * 6 / 10).await;
                self.connector.call(request).await
            }
            Fault::Garbage => Ok(response(200, "<html>not what you wanted</html>".to_owned())),
            Fault::NothingRead => {
                let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
                let unread = json!({ "Responses": {}, "UnprocessedKeys": body["RequestItems"] });
                Ok(response(200, unread.to_string()))
            }
            Fault::Answer(body) => Ok(response(200, body.to_owned())),
            Fault::Error(status, code) => Ok(error(status, code)),
            Fault::TransactionConflict => match operation {
                "TransactWriteItems" => Ok(response(
                    400,
                    r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                        "CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"}]}"#
                        .to_owned(),
                )),
                "UpdateItem" => Ok(error(400, "TransactionConflictException")),
                _ => self.connector.call(request).await,
            },
        }
    }
}

fn error(status: u16, code: &str) -> HttpResponse {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"{AWS_SAYS}"}}"#);
    response(status, body)
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
