//! Error answers (RFC 9457), chosen here and nowhere else.

mod code;
mod refusal;

use std::borrow::Cow;
use std::fmt;

use domain::Invalid;
use domain::refusal::AccountChoice;
use http::HeaderValue;
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::random::NoRandomness;
use crate::response::json_response;
use crate::store::StoreError;

pub use code::Code;

/// The largest body that is read, in bytes.
pub const LARGEST_BODY: usize = 16 * 1024;

/// How many seconds to wait before trying again after a dependency failed.
const RETRY_UNAVAILABLE_AFTER: u64 = 2;

/// An error answer: a code and a sentence for the caller, a cause for the log.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    accounts: Vec<AccountChoice>,
    retry_after: Option<u64>,
    cause: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A field, parameter or header.
    pub field: String,
    /// The end of a sentence that begins with the field: "must not be empty".
    pub message: String,
}

impl FieldError {
    pub fn new(field: &str, message: impl fmt::Display) -> Self {
        Self {
            field: field.to_owned(),
            message: message.to_string(),
        }
    }
}

/// The members of the JSON object, in the order that people read them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<ChoiceDocument<'a>>,
}

#[derive(Serialize)]
struct ChoiceDocument<'a> {
    id: &'a str,
    company: &'a str,
}

impl Problem {
    /// A problem with only a code and a sentence.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            accounts: Vec::new(),
            retry_after: None,
            cause: None,
        }
    }

    #[must_use]
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let sentence = |error: &FieldError| format!("{} {}.", error.field, error.message);
        let detail = errors.iter().map(sentence).collect::<Vec<_>>().join(" ");
        Self {
            errors,
            ..Self::new(Code::InvalidRequest, detail)
        }
    }

    #[must_use]
    pub fn invalid_field(field: &str, message: Invalid) -> Self {
        Self::invalid_fields(vec![FieldError::new(field, message)])
    }

    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            Code::Unauthenticated,
            "Sign in and send the ID token as a bearer token.",
        )
    }

    /// Something that the API does not have.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here.")
    }

    #[must_use]
    pub fn body_too_large() -> Self {
        let detail = format!("The body must be at most {LARGEST_BODY} bytes long.");
        Self::new(Code::BodyTooLarge, detail)
    }

    /// A fault in this service. The cause is for the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail =
            "Something went wrong on our side. Quote the request id when you contact support.";
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Code::Internal, detail)
        }
    }

    /// A dependency did not answer. The cause is for the log.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            retry_after: Some(RETRY_UNAVAILABLE_AFTER),
            ..Self::new(
                Code::Unavailable,
                "The service is busy. Try again in a moment.",
            )
        }
    }

    #[must_use]
    pub fn support_only() -> Self {
        Self::new(
            Code::SupportOnly,
            "Only the product's support staff can do this.",
        )
    }

    /// The support person's ID token is too old for this call.
    #[must_use]
    pub fn sign_in_again() -> Self {
        Self::new(
            Code::Unauthenticated,
            "Your sign-in is too old for support data. Sign in again to continue.",
        )
    }

    /// The same, with a reason for the log.
    #[must_use]
    pub fn because(self, cause: &'static str) -> Self {
        Self {
            cause: Some(cause.to_owned()),
            ..self
        }
    }

    fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether this service or a dependency failed. Otherwise, the problem is a refusal.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.code, Code::Internal | Code::Unavailable)
    }

    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let document = Document {
            r#type: format!("/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            request_id,
            errors: &self.errors,
            accounts: self
                .accounts
                .iter()
                .map(|account| ChoiceDocument {
                    id: account.id.as_str(),
                    company: account.company.as_str(),
                })
                .collect(),
        };
        // A document of strings and numbers always serializes.
        let body = serde_json::to_string(&document).unwrap_or_default();
        let mut response = json_response(
            self.code.status(),
            "application/problem+json",
            body,
            request_id,
        );
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthenticated {
            // RFC 6750, 3.
            headers.insert(
                http::header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer"),
            );
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::unavailable(cause),
            StoreError::Broken(cause) => Self::internal(cause),
        }
    }
}

impl From<NoRandomness> for Problem {
    fn from(error: NoRandomness) -> Self {
        Self::unavailable(error)
    }
}
