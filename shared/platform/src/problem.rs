//! Error answers (RFC 9457), chosen here and nowhere else.

use std::borrow::Cow;
use std::fmt;

use domain::Invalid;
use domain::refusal::{AccountChoice, Refusal, SendLimit};
use http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::random::NoRandomness;
use crate::response::json_response;
use crate::store::StoreError;

/// One line for each kind of problem: when it happens, its code, its status, its title.
macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $variant:ident $code:literal $status:ident $title:literal)+) => {
        /// What kind of problem it is: stable, for programs to act on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl Code {
            /// All codes, by status.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code as it stands in an answer.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)+ }
            }

            /// The HTTP status (RFC 9110, 15).
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status,)+ }
            }

            /// A few words, the same for every problem of this kind.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)+ }
            }

            /// When it happens: what `docs/problems.md` says.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($meaning),+),)+ }
            }
        }
    };
}

codes! {
    /// A field, a parameter, a header or the body is invalid; `errors` lists what is wrong with which.
    InvalidRequest "invalid_request" BAD_REQUEST "Invalid request"
    /// The request has no valid ID token.
    Unauthenticated "unauthenticated" UNAUTHORIZED "Not signed in"
    /// The ID token does not confirm that the e-mail address is verified.
    EmailUnverified "email_unverified" FORBIDDEN "E-mail address not verified"
    /// The caller is not in this account, or there is no such account.
    NoAccess "no_access" FORBIDDEN "No access"
    /// Only the product's support staff may do this.
    SupportOnly "support_only" FORBIDDEN "Support staff only"
    /// Only the owner of the account may do this.
    OwnerOnly "owner_only" FORBIDDEN "Account owner only"
    /// The account's plan is not pro-level.
    UpgradeRequired "upgrade_required" FORBIDDEN "Upgrade required"
    /// The caller was removed from the account.
    AccessRevoked "access_revoked" FORBIDDEN "Access revoked"
    /// The caller is invited and must use the link in the invite for the first login.
    InviteLinkRequired "invite_link_required" FORBIDDEN "Use the link in your invite"
    /// The invite is for a different address than the caller's.
    WrongAccount "wrong_account" FORBIDDEN "Signed in with a different address"
    /// This address now belongs to a different user of the identity provider than at the first login.
    IdentityMismatch "identity_mismatch" FORBIDDEN "Different identity"
    /// The account is closed.
    AccountClosed "account_closed" FORBIDDEN "Account closed"
    /// The account has no person with this id.
    MemberNotFound "member_not_found" NOT_FOUND "Member not found"
    /// The API has no such resource.
    NotFound "not_found" NOT_FOUND "Not found"
    /// The invited address already belongs to a member of the account.
    AlreadyMember "already_member" CONFLICT "Already a member"
    /// The address is already invited; resend sends the invite again.
    AlreadyInvited "already_invited" CONFLICT "Already invited"
    /// The person has no open invite to resend.
    NotInvited "not_invited" CONFLICT "No open invite"
    /// The newest e-mail to the address bounced permanently or led to a complaint; support can lift the block.
    AddressUndeliverable "address_undeliverable" CONFLICT "Address undeliverable"
    /// The owner cannot be removed from the account.
    OwnerCannotBeRemoved "owner_cannot_be_removed" CONFLICT "The owner cannot be removed"
    /// The caller belongs to several accounts and the login named none; `accounts` lists them.
    ChooseAccount "choose_account" CONFLICT "Choose an account"
    /// The link in the invite has expired.
    InviteExpired "invite_expired" GONE "Invite expired"
    /// The link is not from the newest e-mail.
    InviteSuperseded "invite_superseded" GONE "A newer invite was sent"
    /// The token does not belong to an invite for the caller.
    InviteInvalid "invite_invalid" GONE "Invalid invite"
    /// The body is larger than 16 KB.
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "Body too large"
    /// The idempotency key was used for a different request in the last 24 hours.
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY "Idempotency key reused"
    /// The invite was sent a moment ago; `Retry-After` says when it can be resent.
    ResendTooSoon "resend_too_soon" TOO_MANY_REQUESTS "Too soon to resend"
    /// A limit on e-mails is reached; `Retry-After` says when the next one can be sent.
    SendLimitReached "send_limit_reached" TOO_MANY_REQUESTS "Send limit reached"
    /// A fault in this service. The log has the cause under the request id.
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error"
    /// A service that this one depends on did not answer in time; nothing is left half done.
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Temporarily unavailable"
}

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

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field, parameter or header.
    pub field: String,
    /// The end of a sentence that begins with the field: "must not be empty".
    pub message: String,
}

impl FieldError {
    /// An error of a field.
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
    /// A problem that needs no more than its code and a sentence.
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

    /// Invalid fields.
    #[must_use]
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let sentence = |error: &FieldError| format!("{} {}.", error.field, error.message);
        let detail = errors.iter().map(sentence).collect::<Vec<_>>().join(" ");
        Self {
            errors,
            ..Self::new(Code::InvalidRequest, detail)
        }
    }

    /// One invalid field.
    #[must_use]
    pub fn invalid_field(field: &str, message: Invalid) -> Self {
        Self::invalid_fields(vec![FieldError::new(field, message)])
    }

    /// No valid ID token.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::new(
            Code::Unauthenticated,
            "Sign in and send the ID token as a bearer token.",
        )
    }

    /// An address that the identity provider does not confirm.
    #[must_use]
    pub fn email_unverified() -> Self {
        Self::new(
            Code::EmailUnverified,
            "Your e-mail address is not verified. Verify it where you sign in, then try again.",
        )
    }

    /// Something that the API does not have.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is nothing here.")
    }

    /// A body that is too large.
    #[must_use]
    pub fn body_too_large() -> Self {
        let detail = format!("The body must be at most {LARGEST_BODY} bytes long.");
        Self::new(Code::BodyTooLarge, detail)
    }

    /// A fault in this service, with its cause for the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let detail =
            "Something went wrong on our side. Quote the request id when you contact support.";
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(Code::Internal, detail)
        }
    }

    /// A dependency that did not answer, with its cause for the log.
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

    /// Not one of the product's support staff.
    #[must_use]
    pub fn support_only() -> Self {
        Self::new(
            Code::SupportOnly,
            "Only the product's support staff can do this.",
        )
    }

    /// Support staff whose ID token is too old for what they ask to see.
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

    fn of(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoAccess => {
                Self::new(Code::NoAccess, "You do not have access to this account.")
            }
            Refusal::AccountClosed => Self::new(Code::AccountClosed, "This account is closed."),
            Refusal::AccessRevoked => Self::new(
                Code::AccessRevoked,
                "Your access to this account has been revoked.",
            ),
            Refusal::UpgradeRequired => Self::new(
                Code::UpgradeRequired,
                "Multi-user access is only available to pro-level accounts. \
                 Upgrade the account to use it.",
            ),
            Refusal::InviteLinkRequired => Self::new(
                Code::InviteLinkRequired,
                "Use the link in your invite e-mail to log in for the first time.",
            ),
            Refusal::IdentityMismatch => Self::new(
                Code::IdentityMismatch,
                "This address was first used with a different sign-in. Use that one, or contact \
                 support.",
            ),
            Refusal::OwnerOnly => Self::new(Code::OwnerOnly, "Only the account owner can do this."),
            Refusal::MemberNotFound => Self::new(
                Code::MemberNotFound,
                "There is no such person in this account.",
            ),
            Refusal::AlreadyMember => Self::new(
                Code::AlreadyMember,
                "This person is already in the account.",
            ),
            Refusal::AlreadyInvited => Self::new(
                Code::AlreadyInvited,
                "This person is already invited. Resend the invite to send it again.",
            ),
            Refusal::RemovedMeanwhile => {
                Self::unavailable("the person was removed while being invited")
            }
            Refusal::NotInvited => Self::new(
                Code::NotInvited,
                "This person has no open invite to resend.",
            ),
            Refusal::AddressUndeliverable(delivery) => {
                let reason = delivery.status.reason().unwrap_or_default();
                let detail = format!(
                    "This invite cannot be resent. {reason} Check the address, or contact support."
                );
                Self::new(Code::AddressUndeliverable, detail)
            }
            Refusal::OwnerCannotBeRemoved => {
                Self::new(Code::OwnerCannotBeRemoved, "The owner cannot be removed.")
            }
            Refusal::IdempotencyKeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key was used for a different request. Use a new one.",
            ),
            Refusal::ResendTooSoon {
                retry_after: seconds,
            } => {
                let unit = if seconds == 1 { "second" } else { "seconds" };
                let detail = format!(
                    "The invite was sent a moment ago. Wait {seconds} {unit}, then resend it."
                );
                Self::new(Code::ResendTooSoon, detail).retry_after(seconds)
            }
            Refusal::SendLimitReached { limit, retry_after } => {
                let detail = match limit {
                    SendLimit::Invite => {
                        "This invite has reached its limit of resends for today. Try again tomorrow."
                    }
                    SendLimit::Account => {
                        "This account has reached its limit of invites for this hour. Try again in \
                         the next hour."
                    }
                    SendLimit::Recipient => {
                        "This address has reached its limit of invites for today. Try again tomorrow."
                    }
                };
                Self::new(Code::SendLimitReached, detail).retry_after(retry_after)
            }
            Refusal::ChooseAccount(accounts) => Self {
                accounts,
                ..Self::new(
                    Code::ChooseAccount,
                    "You belong to several accounts. Choose the one to log in to.",
                )
            },
            Refusal::WrongAccount { invited } => Self::new(
                Code::WrongAccount,
                format!("This invite is for {invited}. Sign in with that address to accept it."),
            ),
            Refusal::InviteInvalid => Self::new(
                Code::InviteInvalid,
                "This invite link is not valid. Use the link in your latest invite e-mail.",
            ),
            Refusal::InviteSuperseded => Self::new(
                Code::InviteSuperseded,
                "A newer invite was sent. Use the link in the latest e-mail.",
            ),
            Refusal::InviteExpired => Self::new(
                Code::InviteExpired,
                "This invite has expired. Ask the account owner to resend it.",
            ),
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Whether it is a failure, in this service or in one that it depends on, and not a refusal.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.code, Code::Internal | Code::Unavailable)
    }

    /// The sentence for the caller.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The cause for the log, if there is one.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer.
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

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::of(refusal)
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
