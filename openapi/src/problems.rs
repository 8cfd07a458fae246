//! Problems, created by the code.

use domain::Timestamp;
use domain::bounce::{Bounce, BounceCause};
use domain::delivery::{Delivery, DeliveryStatus};
use domain::refusal::{AccountChoice, Refusal, SendLimit};
use domain::sending::limit_reached;
use platform::Problem;
use platform::problem::{Code, FieldError};
use serde_json::{Map, Value, json};

/// The answer for codes that share a status.
pub(crate) fn response(status: u16, codes: &[Code]) -> Value {
    let meanings: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.meaning().trim()))
        .collect();
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let examples: Map<String, Value> = names
        .iter()
        .map(|name| {
            let example = json!({ "$ref": format!("#/components/examples/{name}") });
            ((*name).to_owned(), example)
        })
        .collect();
    let mut headers = json!({ "x-request-id": { "$ref": "#/components/headers/requestId" } });
    if matches!(status, 429 | 503)
        && let Some(headers) = headers.as_object_mut()
    {
        let retry_after = json!({ "$ref": "#/components/headers/retryAfter" });
        headers.insert("retry-after".to_owned(), retry_after);
    }
    json!({
        "description": meanings.join("\n\n"),
        "headers": headers,
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [
                        { "$ref": "#/components/schemas/Problem" },
                        { "properties": { "code": { "enum": names } } },
                    ],
                },
                "examples": examples,
            },
        },
    })
}

/// A problem of this kind, as a caller receives it.
pub(crate) fn example(code: Code) -> Value {
    let response = problem(code).into_response("JKJaXmPLvHcESHA=");
    let value: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    json!({ "summary": code.title(), "value": value })
}

fn problem(code: Code) -> Problem {
    let now = Timestamp::UNIX_EPOCH;
    let refused = |refusal: Refusal| Problem::from(refusal);
    match code {
        Code::InvalidRequest => Problem::invalid_fields(vec![FieldError::new(
            "email",
            "must have a domain name with a dot after the @, such as example.com",
        )]),
        Code::Unauthenticated => Problem::unauthenticated(),
        Code::EmailUnverified => refused(Refusal::EmailUnverified),
        Code::NoAccess => refused(Refusal::NoAccess),
        Code::SupportOnly => Problem::support_only(),
        Code::OwnerOnly => refused(Refusal::OwnerOnly),
        Code::UpgradeRequired => refused(Refusal::UpgradeRequired),
        Code::AccessRevoked => refused(Refusal::AccessRevoked),
        Code::InviteLinkRequired => refused(Refusal::InviteLinkRequired),
        Code::WrongAccount => refused(Refusal::WrongAccount {
            invited: "k***@example.com".to_owned(),
        }),
        Code::IdentityMismatch => refused(Refusal::IdentityMismatch),
        Code::AccountClosed => refused(Refusal::AccountClosed),
        Code::MemberNotFound => refused(Refusal::MemberNotFound),
        Code::NotFound => Problem::not_found(),
        Code::AlreadyMember => refused(Refusal::AlreadyMember),
        Code::AlreadyInvited => refused(Refusal::AlreadyInvited),
        Code::AddressInUse => refused(Refusal::AddressInUse),
        Code::NotInvited => refused(Refusal::NotInvited),
        Code::OwnerCannotBeRemoved => refused(Refusal::OwnerCannotBeRemoved),
        Code::ChooseAccount => refused(Refusal::ChooseAccount(choices())),
        Code::InviteExpired => refused(Refusal::InviteExpired),
        Code::InviteSuperseded => refused(Refusal::InviteSuperseded),
        Code::InviteInvalid => refused(Refusal::InviteInvalid),
        Code::BodyTooLarge => Problem::body_too_large(),
        Code::IdempotencyKeyReused => refused(Refusal::IdempotencyKeyReused),
        Code::ResendTooSoon => refused(Refusal::ResendTooSoon { retry_after: 42 }),
        Code::SendLimitReached => refused(limit_reached(SendLimit::Account, now)),
        Code::AddressUndeliverable => {
            let bounce = Bounce {
                cause: BounceCause::NoMailbox,
            };
            let delivery = Delivery::reported(DeliveryStatus::Bounced(bounce), now);
            refused(Refusal::AddressUndeliverable(delivery))
        }
        Code::Internal => Problem::internal("an example"),
        Code::Unavailable => Problem::unavailable("an example"),
    }
}

fn choices() -> Vec<AccountChoice> {
    [("acme", "Acme Inc."), ("other", "Other Ltd.")]
        .into_iter()
        .filter_map(|(id, company)| {
            Some(AccountChoice {
                id: id.parse().ok()?,
                company: company.parse().ok()?,
            })
        })
        .collect()
}
