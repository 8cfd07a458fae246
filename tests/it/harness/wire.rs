//! The connection between the functions and AWS: counts the requests, and fails them on demand.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
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
use platform::aws::{DYNAMODB_TIMEOUTS, SES_TIMEOUTS};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::meter::Meter;

/// Long time-outs for slow machines, and no pauses: no request times out, and no retry waits. Where
/// no answer comes, [`Fault::Hang`] reports the time-out at once. The tests in `platform::aws`
/// prove that the real time-outs end in time.
#[derive(Debug)]
pub(crate) struct Patience;

impl AsyncSleep for Patience {
    fn sleep(&self, duration: Duration) -> Sleep {
        let timeouts = [DYNAMODB_TIMEOUTS, SES_TIMEOUTS];
        if timeouts.as_flattened().contains(&duration) {
            Sleep::new(std::future::pending())
        } else {
            Sleep::new(std::future::ready(()))
        }
    }
}

/// What happens to a request in place of a plain answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Connection refused.
    NoConnection,
    /// The request arrives and does its work, and then the connection breaks.
    LostAnswer,
    /// Nothing happens until the time for an answer is up.
    Hang,
    /// The request arrives and does its work, but no answer comes until the time is up.
    NoAnswer,
    /// An answer that doesn't come from the service.
    Garbage,
    /// DynamoDB reads nothing and returns all keys as unprocessed, as it does when it throttles.
    NothingRead,
    /// An answer with this body.
    Answer(&'static str),
    /// An error of the service, by HTTP status and code.
    Error(u16, &'static str),
    /// Cancels writes because of another transaction in progress. Other requests go through.
    TransactionConflict,
}

/// The message in AWS's errors. AWS can quote what it was sent.
pub(crate) const AWS_SAYS: &str = "something about canary.kim@example.com";

type Interruption = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What happens at the next request of an operation.
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
    /// Its body; null if it is empty.
    pub(crate) body: Value,
}

/// A tap on the wire. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    calls: Vec<String>,
    /// Whole requests, if a test records them.
    record: Option<Vec<Request>>,
    plans: VecDeque<(&'static str, Plan)>,
    outage: Option<Outage>,
    turns: Option<Turns>,
    meter: Option<Meter>,
    mutant: Option<Mutant>,
    /// How much longer every request takes.
    latency: Option<Duration>,
}

/// Fails `times` requests of any operation after letting `after` requests through.
struct Outage {
    after: usize,
    times: usize,
    fault: Fault,
}

/// The order in which the requests of calls at the same moment come.
#[derive(Debug)]
pub(crate) enum Order {
    /// A seed says whose turn it is.
    Seeded(u64),
    /// One of all possible orders, and of all the ways to lose up to this many answers to writes.
    Path { path: Path, losses: u8 },
}

/// A rule for writes that a test breaks on purpose, to prove that the checks notice.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mutant {
    /// A commit doesn't check that what was seen still holds.
    BlindCommit,
    /// A commit that loses to another writer counts as done.
    LostIsDone,
}

/// One path through a tree of choices. Each choice has one branch for each waiting call.
#[derive(Debug, Default)]
pub(crate) struct Path {
    /// The branch that is taken, and how many there are.
    choices: Vec<(usize, usize)>,
    depth: usize,
}

impl Path {
    fn choose(&mut self, branches: usize) -> usize {
        if self.depth == self.choices.len() {
            self.choices.push((0, branches));
        }
        let (branch, of) = self.choices[self.depth];
        assert_eq!(of, branches, "the same choices led somewhere else");
        self.depth += 1;
        branch
    }

    /// The path that comes after this one, depth first; nothing after the last.
    fn next(mut self) -> Option<Self> {
        loop {
            let (branch, branches) = self.choices.pop()?;
            if branch + 1 < branches {
                self.choices.push((branch + 1, branches));
                self.depth = 0;
                return Some(self);
            }
        }
    }
}

impl Order {
    fn choose(&mut self, branches: usize) -> usize {
        match self {
            Self::Seeded(seed) => {
                // Knuth, The Art of Computer Programming, 3.3.4: MMIX's generator.
                *seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                usize::try_from(*seed >> 33).unwrap() % branches
            }
            Self::Path { path, .. } => path.choose(branches),
        }
    }

    /// Whether the answer to the next write gets lost, if any more may.
    fn loses(&mut self, losses_before: u8) -> bool {
        match self {
            Self::Path { path, losses } if losses_before < *losses => path.choose(2) == 1,
            Self::Seeded(_) | Self::Path { .. } => false,
        }
    }

    pub(crate) fn loses_answers(&self) -> bool {
        matches!(self, Self::Path { losses: 1.., .. })
    }

    pub(crate) fn first(losses: u8) -> Self {
        let path = Path::default();
        Self::Path { path, losses }
    }

    /// The next order, where there is one.
    pub(crate) fn next(self) -> Option<Self> {
        match self {
            Self::Seeded(_) => None,
            Self::Path { path, losses } => path.next().map(|path| Self::Path { path, losses }),
        }
    }
}

/// Calls that run at the same moment, one request at a time.
struct Turns {
    order: Order,
    /// The calls that have not ended.
    running: usize,
    /// The calls waiting to make a request, sorted by their request: the same calls come in the
    /// same order, however fast they arrived.
    waiting: Vec<(String, oneshot::Sender<()>)>,
    /// How many answers were lost.
    losses: u8,
    /// The ids of people, which labels name by their number here.
    people: Vec<String>,
}

impl Turns {
    /// Once every call waits or has ended, lets one of them make its request.
    fn go_on(&mut self) {
        self.waiting.retain(|(_, waiting)| !waiting.is_closed());
        if self.waiting.is_empty() || self.waiting.len() < self.running {
            return;
        }
        self.waiting.sort_by(|(one, _), (other, _)| one.cmp(other));
        let next = self.order.choose(self.waiting.len());
        let _ = self.waiting.remove(next).1.send(());
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

    /// Starts to record whole requests.
    pub(crate) fn record(&self) {
        self.state().record = Some(Vec::new());
    }

    /// The recorded requests.
    pub(crate) fn recorded(&self) -> Vec<Request> {
        self.state().record.clone().unwrap_or_default()
    }

    /// Starts a meter.
    pub(crate) fn meter(&self) -> Meter {
        let meter = Meter::default();
        self.state().meter = Some(meter.clone());
        meter
    }

    /// Slows down every request from now on.
    pub(crate) fn delay(&self, latency: Duration) {
        self.state().latency = Some(latency);
    }

    /// Forgets the calls so far.
    pub(crate) fn forget(&self) {
        self.state().calls.clear();
    }

    /// The operations called since the last call of this method, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// Runs something right before the next request of an operation.
    pub(crate) fn before(
        &self,
        operation: &'static str,
        interruption: impl Future<Output = ()> + Send + 'static,
    ) {
        let plan = Plan::First(Box::pin(interruption));
        self.state().plans.push_back((operation, plan));
    }

    /// Fails the next `times` requests of an operation.
    pub(crate) fn fail(&self, operation: &'static str, fault: Fault, times: usize) {
        let plans = std::iter::repeat_with(|| (operation, Plan::Fault(fault))).take(times);
        self.state().plans.extend(plans);
    }

    /// Fails `times` requests of any operation, once `after` others have been made.
    pub(crate) fn break_down(&self, after: usize, times: usize, fault: Fault) {
        self.state().outage = Some(Outage {
            after,
            times,
            fault,
        });
    }

    /// Cancels everything planned.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.plans.clear();
        state.outage = None;
    }

    /// Runs calls at the same moment, with their requests to the table in one of the possible
    /// orders: every request waits for its turn. `people` are the ids of the people in the calls,
    /// so the same calls with other ids have the same orders. Also returns the order that was used.
    pub(crate) async fn interleave<T>(
        &self,
        order: Order,
        people: Vec<String>,
        calls: Vec<impl Future<Output = T>>,
    ) -> (Vec<T>, Order) {
        self.state().turns = Some(Turns {
            order,
            running: calls.len(),
            waiting: Vec::new(),
            losses: 0,
            people,
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
        let turns = self.state().turns.take().unwrap();
        (outcomes, turns.order)
    }

    async fn turn(&self, label: impl FnOnce() -> String) {
        let turn = self.state().turns.as_mut().map(|turns| {
            let (go, turn) = oneshot::channel();
            let people = turns.people.iter().enumerate();
            let label = people.fold(label(), |label, (number, id)| {
                label.replace(id, &number.to_string())
            });
            turns.waiting.push((label, go));
            turns.go_on();
            turn
        });
        if let Some(turn) = turn {
            let _ = turn.await;
        }
    }

    /// Whether the answer to a write is lost.
    fn loses_answer(&self, operation: &str) -> bool {
        let mut state = self.state();
        let Some(turns) = &mut state.turns else {
            return false;
        };
        let is_lost = operation != "BatchGetItem" && turns.order.loses(turns.losses);
        turns.losses += u8::from(is_lost);
        is_lost
    }

    /// Sets the rule to break from now on, if any.
    pub(crate) fn mutate(&self, mutant: Option<Mutant>) {
        self.state().mutant = mutant;
    }

    /// Checks that everything planned has happened.
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
            // The order in which mails are sent changes nothing.
            if operation != "SendEmail" {
                tap.wire.turn(|| tap.label(&operation, &request)).await;
            }
            tap.note(&operation, &request);
            match tap.wire.next_plan(&operation) {
                None if operation != "SendEmail" && tap.wire.loses_answer(&operation) => {
                    tap.break_down(Fault::LostAnswer, &operation, request).await
                }
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
    /// The operation of a request, and the items it concerns.
    fn label(&self, operation: &str, request: &HttpRequest) -> String {
        let body = request.body().bytes().unwrap_or_default();
        let mut keys = Vec::new();
        sort_keys(&serde_json::from_slice(body).unwrap_or_default(), &mut keys);
        keys.sort();
        format!("{} {operation} {keys:?}", self.function)
    }

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
        let (meter, latency, mutant) = {
            let state = self.wire.state();
            (state.meter.clone(), state.latency, state.mutant)
        };
        if let (Some(Mutant::BlindCommit), true) = (mutant, operation != "SendEmail") {
            request = unconditional(&request);
        }
        let started = meter.map(|meter| (meter.begin(operation, &mut request), meter));
        if let Some(latency) = latency {
            // A thread's sleep is accurate to a tenth of a millisecond, the runtime's timer only to
            // a whole one.
            let asleep = tokio::task::spawn_blocking(move || std::thread::sleep(latency));
            asleep.await.unwrap();
        }
        let answer = self.connector.call(request).await?;
        if let (Some(Mutant::LostIsDone), 400) = (mutant, answer.status().as_u16()) {
            return Ok(response(200, "{}".to_owned()));
        }
        Ok(match started {
            Some((started, meter)) => meter.end(started, answer).await,
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
            Fault::Hang => Err(ConnectorError::timeout("time is up".into())),
            Fault::NoAnswer => {
                self.connector.call(request).await?;
                Err(ConnectorError::timeout("time is up".into()))
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

/// The same write on a condition that always holds.
fn unconditional(request: &HttpRequest) -> HttpRequest {
    fn relax(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("ConditionExpression", Value::String(condition)) => {
                            *condition = format!("({condition}) OR NOT ({condition})");
                        }
                        (_, value) => relax(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(relax),
            _ => {}
        }
    }
    let mut body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
    relax(&mut body);
    let body = body.to_string();
    let mut relaxed = request.try_clone().unwrap();
    let length = body.len().to_string();
    relaxed.headers_mut().insert("content-length", length);
    *relaxed.body_mut() = body.into();
    relaxed
}

/// All sort keys of items in a request.
fn sort_keys(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            keys.extend(fields.get("sk").map(Value::to_string));
            fields.values().for_each(|value| sort_keys(value, keys));
        }
        Value::Array(values) => values.iter().for_each(|value| sort_keys(value, keys)),
        _ => {}
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

/// The name of a request's AWS operation.
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
