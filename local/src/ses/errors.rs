//! The errors of SES's API.

use std::io;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// How SES can refuse a mail
/// (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
/// and <https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SesFailure {
    AccessDenied,
    AccountSuspended,
    BadRequest,
    ExpiredToken,
    Internal,
    InvalidSignature,
    LimitExceeded,
    MailFromDomainNotVerified,
    MessageRejected,
    NotFound,
    /// `MessageRejected`, because the recipient is not verified: SES's sandbox.
    RecipientNotVerified,
    RequestTimeout,
    /// `MessageRejected`, because neither sender nor recipient is verified.
    SenderNotVerified,
    SendingPaused,
    Throttling,
    TooManyRequests,
    Validation,
}

impl SesFailure {
    pub const ALL: [Self; 17] = [
        Self::AccessDenied,
        Self::AccountSuspended,
        Self::BadRequest,
        Self::ExpiredToken,
        Self::Internal,
        Self::InvalidSignature,
        Self::LimitExceeded,
        Self::MailFromDomainNotVerified,
        Self::MessageRejected,
        Self::NotFound,
        Self::RecipientNotVerified,
        Self::RequestTimeout,
        Self::SenderNotVerified,
        Self::SendingPaused,
        Self::Throttling,
        Self::TooManyRequests,
        Self::Validation,
    ];

    fn status_and_code(self) -> (StatusCode, &'static str) {
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
        match self {
            Self::AccessDenied => (FORBIDDEN, "AccessDeniedException"),
            Self::AccountSuspended => (BAD_REQUEST, "AccountSuspendedException"),
            Self::BadRequest => (BAD_REQUEST, "BadRequestException"),
            Self::ExpiredToken => (FORBIDDEN, "ExpiredTokenException"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
            Self::InvalidSignature => (FORBIDDEN, "InvalidSignatureException"),
            Self::LimitExceeded => (BAD_REQUEST, "LimitExceededException"),
            Self::MailFromDomainNotVerified => (BAD_REQUEST, "MailFromDomainNotVerifiedException"),
            Self::MessageRejected | Self::RecipientNotVerified | Self::SenderNotVerified => {
                (BAD_REQUEST, "MessageRejected")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "NotFoundException"),
            Self::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException"),
            Self::SendingPaused => (BAD_REQUEST, "SendingPausedException"),
            Self::Throttling => (BAD_REQUEST, "ThrottlingException"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
            Self::Validation => (BAD_REQUEST, "ValidationException"),
        }
    }

    pub(super) fn refusal(self, message: impl Into<String>) -> Refusal {
        let (status, code) = self.status_and_code();
        Refusal::new(status, code, message)
    }

    /// Refuses a mail. SES quotes the unverified addresses exactly as the request wrote them.
    pub(super) fn of_mail(self, from: &str, to: &[String]) -> Refusal {
        let to = to.join(", ");
        let unverified = match self {
            Self::RecipientNotVerified => to,
            Self::SenderNotVerified => format!("{from}, {to}"),
            _ => return self.refusal("A test asked for this refusal."),
        };
        self.refusal(format!(
            "Email address is not verified. The following identities failed the check in \
             region EU-CENTRAL-1: {unverified}"
        ))
    }
}

/// An error in the form of AWS's REST-JSON protocol.
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        SesFailure::BadRequest.refusal(message)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        SesFailure::Internal.refusal(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "message": self.message }));
        (self.status, [("x-amzn-errortype", self.code)], body).into_response()
    }
}
