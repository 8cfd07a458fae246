//! What calls to AWS cost: which calls are made, which run side by side, the capacity units that
//! DynamoDB reports, and what is written.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use local::Stack;
use serde_json::Value;

/// A meter on the wire. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Mutex<Vec<Request>>>);

/// A request, from its start to its end.
#[derive(Debug)]
struct Request {
    operation: String,
    /// Its place in the sequence, from 1: after the requests that had ended when it began.
    step: usize,
    has_ended: bool,
    /// How many items it covers, including condition checks.
    items: usize,
    /// The keys of the items it wrote, once it has written them.
    writes: Vec<Value>,
    read_units: f64,
    write_units: f64,
}

/// The requests made to AWS, and what they cost.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cost {
    /// The calls in sequence. Calls that ran side by side share one place, in alphabetical order,
    /// joined by `+`.
    pub(crate) steps: Vec<String>,
    /// Read capacity units of DynamoDB.
    pub(crate) read_units: f64,
    /// Write capacity units of DynamoDB, including those of its indexes.
    pub(crate) write_units: f64,
    /// The size of the items that were written, as DynamoDB counts it.
    pub(crate) bytes: usize,
}

/// The place of a request that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun(usize);

impl Meter {
    /// What was requested since the last call of this method.
    pub(crate) async fn take(&self, stack: &Stack) -> Cost {
        let requests = std::mem::take(&mut *self.0.lock().unwrap());
        let depth = requests.iter().map(|request| request.step).max();
        let steps = (1..=depth.unwrap_or(0)).map(|step| {
            let mut side_by_side: Vec<&str> = requests
                .iter()
                .filter(|request| request.step == step)
                .map(|request| request.operation.as_str())
                .collect();
            side_by_side.sort_unstable();
            side_by_side.join(" + ")
        });
        let steps = steps.collect();
        let mut cost = Cost {
            steps,
            read_units: 0.0,
            write_units: 0.0,
            bytes: 0,
        };
        let dynamodb = stack.dynamodb();
        for request in requests {
            cost.read_units += request.read_units;
            cost.write_units += request.write_units;
            for key in &request.writes {
                cost.bytes += size_at(&dynamodb, key).await;
            }
        }
        cost
    }

    /// Records the start of a request, and asks DynamoDB to report its cost.
    pub(super) fn begin(&self, operation: &str, request: &mut HttpRequest) -> Begun {
        let (mut items, mut writes) = (0, Vec::new());
        let target = request.headers().get("x-amz-target");
        if target.is_some_and(|target| target.starts_with("DynamoDB_")) {
            let body = request.body().bytes().unwrap();
            let mut body: Value = serde_json::from_slice(body).unwrap();
            match body["TransactItems"].as_array() {
                Some(changes) => {
                    items = changes.len();
                    let updates = changes.iter().filter_map(|change| change.get("Update"));
                    writes.extend(updates.map(|update| update["Key"].clone()));
                }
                None => writes.extend(body.get("Key").cloned()),
            }
            body["ReturnConsumedCapacity"] = "TOTAL".into();
            let body = body.to_string();
            let length = body.len().to_string();
            request.headers_mut().insert("content-length", length);
            *request.body_mut() = SdkBody::from(body);
        }
        let mut requests = self.0.lock().unwrap();
        let before = requests.iter().filter(|request| request.has_ended);
        let last_before = before.map(|request| request.step).max();
        requests.push(Request {
            operation: operation.to_owned(),
            step: 1 + last_before.unwrap_or(0),
            has_ended: false,
            items,
            writes,
            read_units: 0.0,
            write_units: 0.0,
        });
        Begun(requests.len() - 1)
    }

    /// Reads the reported cost from an answer, and records the end of the request.
    pub(super) async fn end(&self, started: Begun, answer: HttpResponse) -> HttpResponse {
        let mut answer = answer;
        let body = ByteStream::new(answer.take_body()).collect().await;
        let body = body.unwrap().into_bytes();
        // Requests polled together with this one get to begin before it ends.
        for _ in 0..16 {
            tokio::task::yield_now().await;
        }
        if let Some(request) = self.0.lock().unwrap().get_mut(started.0) {
            let said: Value = serde_json::from_slice(&body).unwrap_or_default();
            request.has_ended = true;
            request.add_up(answer.status().is_success(), &said["ConsumedCapacity"]);
        }
        *answer.body_mut() = SdkBody::from(body);
        answer
    }
}

impl Request {
    /// Adds what DynamoDB reports about a request. It reports nothing for a failed write, which
    /// costs as much as a successful one: at least one unit, and at least two for each item of a
    /// transaction
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>).
    fn add_up(&mut self, succeeded: bool, consumed: &Value) {
        let units = match consumed {
            Value::Array(tables) => tables.iter().map(units).sum(),
            Value::Object(_) => units(consumed),
            _ => 0.0,
        };
        match (self.operation.as_str(), succeeded) {
            ("UpdateItem" | "TransactWriteItems", true) => self.write_units = units,
            ("UpdateItem", false) => self.write_units = 1.0,
            ("TransactWriteItems", false) => {
                self.write_units = 2.0 * f64::from(u32::try_from(self.items).unwrap());
            }
            _ => self.read_units = units,
        }
        if self.write_units == 0.0 || !succeeded {
            self.writes.clear();
        }
    }
}

fn units(consumed: &Value) -> f64 {
    consumed["CapacityUnits"].as_f64().unwrap()
}

/// The size of the item with a key, as DynamoDB counts it
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
async fn size_at(dynamodb: &Client, key: &Value) -> usize {
    let text = |name: &str| AttributeValue::S(key[name]["S"].as_str().unwrap().to_owned());
    let read = dynamodb
        .get_item()
        .table_name("Table")
        .key("pk", text("pk"))
        .key("sk", text("sk"));
    let item = read.send().await.unwrap().item.unwrap();
    let attributes = item.iter();
    attributes
        .map(|(name, value)| name.len() + size(value))
        .sum()
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::M(map) => {
            let entries = map.iter().map(|(name, value)| 1 + name.len() + size(value));
            3 + entries.sum::<usize>()
        }
        other => panic!("no item has {other:?}"),
    }
}
