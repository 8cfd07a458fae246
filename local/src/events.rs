//! The table's stream, and the event bus that its changes are published on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use dynoxide::Database;
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::list_streams::ListStreamsRequest;
use platform::{Invocation, Problem};
use publish_changes::PublishChanges;
use serde_json::{Value, json};

use crate::functions::Functions;

/// The largest number of records in one invocation (`template.yaml`).
const BATCH: usize = 100;

/// The events that were put on the bus, oldest first.
#[derive(Clone, Default)]
pub(crate) struct EventLog(Arc<Mutex<Vec<Value>>>);

impl EventLog {
    /// Newest first.
    pub(crate) fn list(&self) -> Vec<Value> {
        self.events().iter().rev().cloned().collect()
    }

    fn events(&self) -> MutexGuard<'_, Vec<Value>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An EventBridge endpoint that keeps events
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>).
pub(crate) fn router(log: EventLog) -> Router {
    Router::new().route("/", post(put_events)).with_state(log)
}

async fn put_events(State(log): State<EventLog>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(entries) = request.get("Entries").and_then(Value::as_array) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut events = log.events();
    let mut results = Vec::new();
    for entry in entries {
        let id = format!("event-{}", events.len());
        results.push(json!({ "EventId": id }));
        events.push(event(&id, entry));
    }
    Json(json!({ "FailedEntryCount": 0, "Entries": results })).into_response()
}

/// The event that a consumer receives
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>).
fn event(id: &str, entry: &Value) -> Value {
    let field = |name: &str| entry.get(name).cloned().unwrap_or_default();
    let detail = field("Detail");
    let detail: Value = detail
        .as_str()
        .and_then(|detail| serde_json::from_str(detail).ok())
        .unwrap_or_default();
    json!({
        "id": id,
        "source": field("Source"),
        "detail-type": field("DetailType"),
        "detail": detail,
    })
}

/// Reads the table's stream from the last position, as Lambda's event source mapping does.
///
/// Nothing polls it. `GET /dev/events.json` reads it first, so that the list of events is complete.
pub(crate) struct Stream {
    database: Database,
    /// The next position. The lock lets in one reader at a time, which keeps the order.
    iterator: tokio::sync::Mutex<Option<String>>,
}

impl Stream {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            iterator: tokio::sync::Mutex::default(),
        }
    }

    /// Hands all new records to `publish-changes`. If it fails on a batch, the next call starts with
    /// that batch again.
    pub(crate) async fn publish(&self, functions: &Functions) -> Result<(), Problem> {
        let mut iterator = self.iterator.lock().await;
        // DynamoDB deletes expired items some time later. Here it happens on each read of the stream.
        self.database.sweep_ttl().map_err(Problem::internal)?;
        loop {
            let shard_iterator = match iterator.take() {
                Some(iterator) => iterator,
                None => self.beginning().map_err(Problem::internal)?,
            };
            *iterator = Some(shard_iterator.clone());
            let request = GetRecordsRequest {
                shard_iterator,
                limit: Some(BATCH),
            };
            let batch = self.database.get_records(request);
            let batch = batch.map_err(Problem::internal)?;
            if batch.records.is_empty() {
                return Ok(());
            }
            let event = json!({ "Records": batch.records });
            match functions.invoke(PublishChanges::NAME, event).await {
                Some(published) => published?,
                None => return Err(Problem::internal("no function publishes changes")),
            };
            *iterator = batch.next_shard_iterator;
        }
    }

    fn beginning(&self) -> Result<String, String> {
        let streams = self.database.list_streams(ListStreamsRequest::default());
        let streams = streams.map_err(|error| error.to_string())?.streams;
        let stream = streams
            .into_iter()
            .next()
            .ok_or("the table has no stream")?;
        let described = self.database.describe_stream(DescribeStreamRequest {
            stream_arn: stream.stream_arn.clone(),
            ..DescribeStreamRequest::default()
        });
        let described = described.map_err(|error| error.to_string())?;
        let shards = described.stream_description.shards;
        let shard = shards.into_iter().next().ok_or("the stream has no shard")?;
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: stream.stream_arn,
            shard_id: shard.shard_id,
            shard_iterator_type: "TRIM_HORIZON".to_owned(),
            sequence_number: None,
        });
        let iterator = iterator.map_err(|error| error.to_string())?.shard_iterator;
        iterator.ok_or_else(|| "the shard has no beginning".to_owned())
    }
}
