//! A product's own API, behind the guard. `/dev/product` answers with the context that the product
//! receives about the caller.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::Problem;
use serde_json::{Value, json};

/// Answers as API Gateway does: 403 if the guard says no, and otherwise the product's answer, which
/// is the guard's context.
pub(crate) fn answer(verdict: Option<Result<Value, Problem>>) -> Response {
    let Some(Ok(verdict)) = verdict else {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    match verdict.get("isAuthorized") {
        Some(Value::Bool(true)) => {
            let context = verdict.get("context").cloned().unwrap_or_default();
            Json(context).into_response()
        }
        _ => refusal(StatusCode::FORBIDDEN, "Forbidden"),
    }
}

/// API Gateway answers a request without an identity source itself, and doesn't ask the guard.
pub(crate) fn unauthorized() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
