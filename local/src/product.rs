//! A product's own API, behind the guard: `/dev/product` answers what the product would get to know.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::Problem;
use serde_json::{Value, json};

/// Answers a guarded request as API Gateway would: 401 without a token, 403 when the guard says no,
/// and otherwise the product's answer, which is the guard's context.
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

/// API Gateway does not ask the guard about a request without its identity source.
pub(crate) fn unauthorized() -> Response {
    refusal(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
