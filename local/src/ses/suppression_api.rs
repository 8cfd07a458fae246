//! The operations on the suppression list.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::errors::{Refusal, SesFailure};
use super::suppression::{Suppressed, SuppressionReason};

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_PutSuppressedDestination.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutSuppressedDestination {
    email_address: String,
    reason: SuppressionReason,
}

pub(super) async fn suppress(
    State(endpoint): State<Arc<Endpoint>>,
    Json(request): Json<PutSuppressedDestination>,
) -> Result<Json<Value>, Refusal> {
    endpoint
        .suppression_list
        .add(&request.email_address, request.reason, (endpoint.now)())?;
    Ok(Json(json!({})))
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetSuppressedDestination.html>
pub(super) async fn suppressed(
    State(endpoint): State<Arc<Endpoint>>,
    Path(email): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let Suppressed { reason, since } = endpoint
        .suppression_list
        .get(&email)
        .ok_or_else(not_suppressed)?;
    Ok(Json(json!({
        "SuppressedDestination": {
            "EmailAddress": email,
            "Reason": reason,
            "LastUpdateTime": since.as_second(),
        },
    })))
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_DeleteSuppressedDestination.html>
pub(super) async fn lift(
    State(endpoint): State<Arc<Endpoint>>,
    Path(email): Path<String>,
) -> Result<Json<Value>, Refusal> {
    match endpoint.suppression_list.remove(&email)? {
        true => Ok(Json(json!({}))),
        false => Err(not_suppressed()),
    }
}

fn not_suppressed() -> Refusal {
    SesFailure::NotFound.refusal("The address is not on the suppression list of your account.")
}
