//! An SES v2 endpoint that keeps mail for reading instead of sending it, and publishes what SES
//! would publish about it.

mod endpoint;
mod errors;
mod events;
mod mailbox;
mod send_email;
mod suppression;
mod suppression_api;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post, put};

pub(crate) use endpoint::Endpoint;
use errors::Refusal;
pub use errors::SesFailure;
pub use mailbox::{Mail, Mailbox};
use send_email::send_email;
pub use suppression::{SuppressionList, SuppressionReason};
use suppression_api::{lift, suppress, suppressed};

/// The part of the SES v2 API that the functions use.
pub(crate) fn router(endpoint: Endpoint) -> Router {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .route("/v2/email/suppression/addresses", put(suppress))
        .route(
            "/v2/email/suppression/addresses/{email}",
            get(suppressed).delete(lift),
        )
        .fallback(|| async { Refusal::new(StatusCode::NOT_FOUND, "UnknownOperationException", "") })
        .with_state(Arc::new(endpoint))
}
