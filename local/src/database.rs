//! The embedded DynamoDB, with the table that `template.yaml` describes.

use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    LocalSecondaryIndex, Projection, ProjectionType, ScalarAttributeType, StreamSpecification,
    StreamViewType, TimeToLiveSpecification,
};
use dynoxide::Database;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::clock::AdjustableClock;
use crate::error::StackError;
use crate::template::Template;

/// The table's name in the template, and on this machine.
pub(crate) const TABLE: &str = "Table";

/// Opens a database in memory, or in a file of the folder `data`. In memory, items expire by the
/// stack's clock. In a file they expire by the machine's, because the library takes no other.
pub(crate) fn open(data: Option<&Path>, clock: AdjustableClock) -> Result<Database, StackError> {
    let database = match data {
        None => Database::memory_with_clock(Arc::new(TtlClock(clock))),
        Some(folder) => Database::new(&folder.join("dynamodb.sqlite").to_string_lossy()),
    };
    database.map_err(|error| StackError::new("DynamoDB cannot start", error))
}

struct TtlClock(AdjustableClock);

impl dynoxide::storage_backend::Clock for TtlClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_millisecond() as f64 / 1_000.0
    }
}

pub(crate) async fn serve(
    listener: TcpListener,
    database: Database,
    stopped: oneshot::Receiver<()>,
) {
    let stopped = async {
        let _ = stopped.await;
    };
    let _ = dynoxide::server::serve_with_shutdown(listener, database, stopped).await;
}

/// Creates the table, unless an earlier run did.
pub(crate) async fn create_table(client: &Client, template: &Template) -> Result<(), StackError> {
    let existing = client.describe_table().table_name(TABLE).send().await;
    if existing.is_ok() {
        return Ok(());
    }
    let properties = template
        .part(&format!("/Resources/{TABLE}/Properties"))
        .ok_or_else(|| StackError::new("template.yaml", "has no table"))?;
    let request = table(client.create_table(), properties).ok_or_else(|| {
        StackError::new(
            "template.yaml",
            "describes a table that this stack does not support",
        )
    })?;
    request.send().await.map_err(|error| {
        StackError::new("the table cannot be created", DisplayErrorContext(&error))
    })?;
    let ttl = properties.pointer("/TimeToLiveSpecification/AttributeName");
    let ttl = TimeToLiveSpecification::builder()
        .set_attribute_name(ttl.and_then(Value::as_str).map(str::to_owned))
        .enabled(true)
        .build()
        .map_err(|error| StackError::new("template.yaml has no TTL", error))?;
    client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(ttl)
        .send()
        .await
        .map_err(|error| StackError::new("the TTL cannot be set", DisplayErrorContext(&error)))?;
    Ok(())
}

fn table(
    request: CreateTableFluentBuilder,
    properties: &Value,
) -> Option<CreateTableFluentBuilder> {
    let definitions = properties
        .get("AttributeDefinitions")?
        .as_array()?
        .iter()
        .map(|definition| {
            AttributeDefinition::builder()
                .attribute_name(definition.get("AttributeName")?.as_str()?)
                .attribute_type(ScalarAttributeType::from(
                    definition.get("AttributeType")?.as_str()?,
                ))
                .build()
                .ok()
        });
    let local_indexes = indexes(
        properties,
        "LocalSecondaryIndexes",
        |name, keys, projection| {
            LocalSecondaryIndex::builder()
                .index_name(name)
                .set_key_schema(keys)
                .projection(projection)
                .build()
                .ok()
        },
    )?;
    let global_indexes = indexes(
        properties,
        "GlobalSecondaryIndexes",
        |name, keys, projection| {
            GlobalSecondaryIndex::builder()
                .index_name(name)
                .set_key_schema(keys)
                .projection(projection)
                .build()
                .ok()
        },
    )?;
    Some(
        request
            .table_name(TABLE)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(definitions.collect::<Option<Vec<_>>>()?))
            .set_key_schema(key_schema(properties))
            .set_local_secondary_indexes(local_indexes)
            .set_global_secondary_indexes(global_indexes)
            .set_stream_specification(stream(properties)),
    )
}

/// The indexes of a kind. `Some(None)`, if the template has none: DynamoDB refuses an empty list.
fn indexes<T>(
    properties: &Value,
    kind: &str,
    index: impl Fn(&str, Option<Vec<KeySchemaElement>>, Projection) -> Option<T>,
) -> Option<Option<Vec<T>>> {
    let Some(indexes) = properties.get(kind).and_then(Value::as_array) else {
        return Some(None);
    };
    let indexes = indexes.iter().map(|described| {
        let projection = described.pointer("/Projection/ProjectionType")?.as_str()?;
        let projection = Projection::builder()
            .projection_type(ProjectionType::from(projection))
            .build();
        let name = described.get("IndexName")?.as_str()?;
        index(name, key_schema(described), projection)
    });
    indexes.collect::<Option<Vec<_>>>().map(Some)
}

fn stream(properties: &Value) -> Option<StreamSpecification> {
    let view = properties
        .pointer("/StreamSpecification/StreamViewType")?
        .as_str()?;
    StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::from(view))
        .build()
        .ok()
}

fn key_schema(properties: &Value) -> Option<Vec<KeySchemaElement>> {
    let element = |element: &Value| {
        KeySchemaElement::builder()
            .attribute_name(element.get("AttributeName")?.as_str()?)
            .key_type(KeyType::from(element.get("KeyType")?.as_str()?))
            .build()
            .ok()
    };
    properties
        .get("KeySchema")?
        .as_array()?
        .iter()
        .map(element)
        .collect()
}
