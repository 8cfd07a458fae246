//! An SES v2 endpoint that keeps mail for reading instead of sending it, and publishes what SES
//! would publish about it.

mod events;
mod suppression;

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use domain::address::EmailAddress;
use jiff::Timestamp;
use suppression::Suppressed;
pub use suppression::{SuppressionList, SuppressionReason};

use crate::sns::{Topic, message_id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A mail that the stack was asked to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The message id, as SES gave it to the sender.
    pub id: String,
    /// The sender, with its display name.
    pub from: String,
    /// Where answers go.
    pub reply_to: Vec<String>,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The link of the invite.
    pub link: Option<String>,
    /// The tags that SES publishes feedback with.
    pub tags: BTreeMap<String, String>,
    /// The configuration set that it was sent through.
    pub configuration_set: String,
    /// When it arrived here.
    pub received_at: Timestamp,
}

/// How SES can refuse a mail
/// (<https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors>
/// and <https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are SES's own names")]
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
    /// The message is rejected because the recipient is not verified, as in SES's sandbox.
    RecipientNotVerified,
    RequestTimeout,
    /// The message is rejected because neither sender nor recipient is verified.
    SenderNotVerified,
    SendingPaused,
    Throttling,
    TooManyRequests,
    Validation,
}

impl SesFailure {
    /// All of them.
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

    /// The refusal of a mail. SES quotes the addresses that are not verified as they came.
    fn of(self, request: &SendEmail) -> Refusal {
        let (from, to) = (
            &request.from_email_address,
            request.destination.to_addresses.join(", "),
        );
        let unverified = match self {
            Self::RecipientNotVerified => Some(to),
            Self::SenderNotVerified => Some(format!("{from}, {to}")),
            _ => None,
        };
        let message = match unverified {
            Some(identities) => format!(
                "Email address is not verified. The following identities failed the check in \
                 region EU-CENTRAL-1: {identities}"
            ),
            None => "Refused because somebody asked for it.".to_owned(),
        };
        let (status, code) = self.status_and_code();
        Refusal::new(status, code, message)
    }
}

/// The mail that was sent, shared by all who look at it.
#[derive(Debug, Clone, Default)]
pub struct Mailbox(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// Oldest first.
    mails: Vec<Mail>,
    /// Keeps mail between runs: one JSON object a line.
    file: Option<File>,
    failures: VecDeque<SesFailure>,
}

impl Mailbox {
    /// The mail of earlier runs that the folder keeps, if there is a folder.
    ///
    /// # Errors
    ///
    /// If the folder's file cannot be read or written.
    pub fn open(folder: Option<PathBuf>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let path = folder.join("mail.jsonl");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let mut mails = Vec::new();
        for line in BufReader::new(&file).lines() {
            mails.push(serde_json::from_str(&line?)?);
        }
        let contents = Contents {
            mails,
            file: Some(file),
            failures: VecDeque::new(),
        };
        Ok(Self(Arc::new(Mutex::new(contents))))
    }

    /// All mail, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Mail> {
        self.contents().mails.iter().rev().cloned().collect()
    }

    /// Refuses the next mail that comes in. Several refusals queue up.
    pub fn fail_next(&self, failure: SesFailure) {
        self.contents().failures.push_back(failure);
    }

    fn keep(&self, mail: Mail) -> io::Result<()> {
        let mut contents = self.contents();
        if let Some(file) = &mut contents.file {
            writeln!(file, "{}", serde_json::to_string(&mail)?)?;
        }
        contents.mails.push(mail);
        Ok(())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the endpoint works with.
pub(crate) struct Endpoint {
    pub(crate) mailbox: Mailbox,
    pub(crate) suppression_list: SuppressionList,
    pub(crate) configuration_sets: Vec<String>,
    pub(crate) now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Where events are published, if they are.
    pub(crate) topic: Option<Topic>,
}

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

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
    #[serde(default)]
    configuration_set_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Data,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Data,
    html: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

/// An error in the form of AWS's REST-JSON protocol.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequestException", message)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        let (status, code) = SesFailure::Internal.status_and_code();
        Self::new(status, code, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "message": self.message }));
        (self.status, [("x-amzn-errortype", self.code)], body).into_response()
    }
}

async fn send_email(
    State(endpoint): State<Arc<Endpoint>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let is_signed = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256 "));
    if !is_signed {
        let (status, code) = (StatusCode::FORBIDDEN, "MissingAuthenticationTokenException");
        return Err(Refusal::new(status, code, "Missing Authentication Token"));
    }
    let request: SendEmail =
        serde_json::from_slice(&body).map_err(|error| Refusal::bad_request(error.to_string()))?;
    let failure = endpoint.mailbox.contents().failures.pop_front();
    if let Some(failure) = failure {
        return Err(failure.of(&request));
    }
    let mail = accept(request, &endpoint)?;
    let id = mail.id.clone();
    let suppressed = endpoint.suppression_list.get(&mail.to);
    let events = events::about(&mail, suppressed, (endpoint.now)());
    if suppressed.is_none() {
        endpoint.mailbox.keep(mail)?;
    }
    // SES spares its simulator's addresses the list. Real ones get on it, and so does everything
    // that is tried here.
    for event in &events {
        let listed = endpoint.suppression_list.learn(event, (endpoint.now)());
        listed?;
    }
    if let Some(topic) = &endpoint.topic {
        events.into_iter().for_each(|event| topic.publish(event));
    }
    Ok(Json(json!({ "MessageId": id })).into_response())
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_PutSuppressedDestination.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSuppressedDestination {
    email_address: String,
    reason: SuppressionReason,
}

async fn suppress(
    State(endpoint): State<Arc<Endpoint>>,
    Json(request): Json<PutSuppressedDestination>,
) -> Result<Json<Value>, Refusal> {
    let PutSuppressedDestination {
        email_address,
        reason,
    } = request;
    let list = &endpoint.suppression_list;
    list.add(&email_address, reason, (endpoint.now)())?;
    Ok(Json(json!({})))
}

/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetSuppressedDestination.html>
async fn suppressed(
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
async fn lift(
    State(endpoint): State<Arc<Endpoint>>,
    Path(email): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let was_listed = endpoint.suppression_list.remove(&email)?;
    was_listed
        .then(|| Json(json!({})))
        .ok_or_else(not_suppressed)
}

fn not_suppressed() -> Refusal {
    let message = "The address is not on the suppression list of your account.";
    Refusal::new(StatusCode::NOT_FOUND, "NotFoundException", message)
}

/// Checks what SES checks.
fn accept(request: SendEmail, endpoint: &Endpoint) -> Result<Mail, Refusal> {
    let [to] = request.destination.to_addresses.as_slice() else {
        return Err(Refusal::bad_request(
            "Exactly one recipient is expected here.",
        ));
    };
    let is_known = endpoint
        .configuration_sets
        .contains(&request.configuration_set_name);
    if !is_known {
        let (status, code) = SesFailure::NotFound.status_and_code();
        let message = format!(
            "Configuration set <{}> does not exist.",
            request.configuration_set_name
        );
        return Err(Refusal::new(status, code, message));
    }
    let senders = std::iter::once(&request.from_email_address).chain(&request.reply_to_addresses);
    if !senders.chain([to]).all(|address| is_address(address)) {
        return Err(Refusal::bad_request("An address is not valid."));
    }
    let is_tag = |text: &String| {
        (1..=256).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if !request
        .email_tags
        .iter()
        .all(|tag| is_tag(&tag.name) && is_tag(&tag.value))
    {
        return Err(Refusal::bad_request("A tag is not valid."));
    }
    let Simple { subject, body } = request.content.simple;
    if subject.data.contains(char::is_control) {
        return Err(Refusal::bad_request("The subject has control characters."));
    }
    Ok(Mail {
        id: message_id(),
        from: request.from_email_address,
        reply_to: request.reply_to_addresses,
        to: to.clone(),
        subject: subject.data,
        link: invite_link(&body.text.data),
        text: body.text.data,
        html: body.html.data,
        tags: request
            .email_tags
            .into_iter()
            .map(|tag| (tag.name, tag.value))
            .collect(),
        configuration_set: request.configuration_set_name,
        received_at: (endpoint.now)(),
    })
}

/// Whether a text is an address, alone or behind a display name.
fn is_address(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, address)) => address.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    text.is_ascii() && address.parse::<EmailAddress>().is_ok()
}

fn invite_link(text: &str) -> Option<String> {
    text.split_whitespace()
        .find(|word| word.starts_with("http") && word.contains("#token="))
        .map(str::to_owned)
}
