//! What each call sends and receives.

use local::Route;
use platform::problem::Code;
use serde_json::{Value, json};

use crate::schemas::{company, delivery_status, of as schema, person_name};

/// The facts about an operation that the code does not hold.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Only the ones outside the path.
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Success,
    /// Refusals that only this operation has.
    own: &'static [Code],
    common: &'static [&'static [Code]],
}

pub(crate) struct Body {
    pub(crate) is_required: bool,
    pub(crate) schema: Value,
    pub(crate) example: Value,
}

pub(crate) struct Success {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    pub(crate) schema: Value,
}

/// The problems of every call with a token.
const SIGNED_IN: &[Code] = &[
    Code::InvalidRequest,
    Code::Unauthenticated,
    Code::EmailUnverified,
    Code::BodyTooLarge,
    Code::Internal,
    Code::Unavailable,
];

/// The problems of every call by a person in an account.
const IN_ACCOUNT: &[Code] = &[
    Code::NoAccess,
    Code::AccountClosed,
    Code::AccessRevoked,
    Code::UpgradeRequired,
    Code::InviteLinkRequired,
    Code::IdentityMismatch,
];

impl Operation {
    pub(crate) fn codes(&self) -> Vec<Code> {
        let common = self.common.iter().copied().flatten();
        common.chain(self.own).copied().collect()
    }
}

/// A route to the web page or to this description.
#[must_use]
pub fn is_no_operation(route: &Route) -> bool {
    let path = route.path.as_str();
    route.method == "GET"
        && (matches!(
            path,
            "/" | "/invite" | "/login" | "/support" | "/openapi.json"
        ) || path.starts_with("/assets/"))
}

/// The description of a route. Each route that you add to the template needs one here.
pub(crate) fn of(route: &Route) -> Option<Operation> {
    let operation = match (route.method.as_str(), route.path.as_str()) {
        ("GET", "/accounts/{accountId}/members") => list(),
        ("POST", "/accounts/{accountId}/members") => invite(),
        ("POST", "/accounts/{accountId}/members/{memberId}/resend") => resend(),
        ("DELETE", "/accounts/{accountId}/members/{memberId}") => remove(),
        ("PATCH", "/accounts/{accountId}") => rename_company(),
        ("PATCH", "/accounts/{accountId}/members/{memberId}") => rename_member(),
        ("DELETE", "/accounts/{accountId}") => close_account(),
        ("POST", "/login") => login(),
        ("GET", "/support/feedback") => support_feedback(),
        ("DELETE", "/support/suppressions/{email}") => lift_suppression(),
        _ => return None,
    };
    Some(operation)
}

fn list() -> Operation {
    let query = |name: &str, description: &str, schema: Value, example: &str| {
        json!({
            "name": name,
            "in": "query",
            "description": description,
            "schema": schema,
            "example": example,
        })
    };
    Operation {
        id: "list",
        tag: "members",
        summary: "List the people in the account",
        description: "First the owner, then active people, then invited people, each sorted by name. \
            `status=removed` lists removed people, the last one removed first. A page can have \
            fewer people than `limit`; the last page is the one without a `cursor`.",
        parameters: vec![
            query(
                "status",
                "Only people with this status.",
                json!({ "type": "string", "enum": ["active", "invited", "expired", "removed"] }),
                "active",
            ),
            query(
                "delivery",
                "Only people whose newest invite e-mail has this delivery status.",
                delivery_status(),
                "bounced",
            ),
            query(
                "q",
                "Only people whose name or address contains this text. Case does not matter.",
                json!({ "type": "string", "maxLength": 254 }),
                "kim",
            ),
            json!({
                "name": "limit",
                "in": "query",
                "description": "The most people on a page.",
                "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 50 },
                "example": 50,
            }),
            json!({
                "name": "cursor",
                "in": "query",
                "description": "The `cursor` of the previous page, with the same account, `status`, \
                    `delivery` and `q`.",
                "schema": { "type": "string" },
            }),
        ],
        body: None,
        success: Success {
            status: 200,
            description: "A page of the list.",
            schema: schema("Members"),
        },
        own: &[],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes the call safe to repeat: for 24 hours, the same request with the same key \
            gets the first answer again.",
        "schema": { "type": "string", "pattern": "^[!-+.-~-]{1,255}$" },
        "example": "0191f2c4-7c1e",
    })
}

fn invite() -> Operation {
    Operation {
        id: "invite",
        tag: "members",
        summary: "Invite a person",
        description: "Sends an invite by e-mail. If the e-mail cannot be sent, the call still succeeds: \
            `delivery` says so, and the owner can resend the invite. For the owner of an account \
            with a pro-level plan.",
        parameters: vec![idempotency_key()],
        body: Some(Body {
            is_required: true,
            schema: json!({
                "type": "object",
                "required": ["firstName", "lastName", "email"],
                "additionalProperties": false,
                "properties": {
                    "firstName": person_name(),
                    "lastName": person_name(),
                    "email": { "type": "string", "format": "email", "maxLength": 254 },
                },
            }),
            example: json!({ "firstName": "Kim", "lastName": "Lee", "email": "kim@example.com" }),
        }),
        success: Success {
            status: 201,
            description: "The invited person.",
            schema: schema("Member"),
        },
        own: &[
            Code::OwnerOnly,
            Code::IdempotencyKeyReused,
            Code::AlreadyMember,
            Code::AlreadyInvited,
            Code::AddressInUse,
            Code::SendLimitReached,
        ],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn resend() -> Operation {
    Operation {
        id: "resend",
        tag: "members",
        summary: "Resend an invite",
        description: "The e-mail has a new link; earlier links stop working. With an `email`, the \
            invite goes to that address instead: the person in the path is removed, the answer is \
            the new one, and it does not matter what happened to e-mail to the old address. For \
            the owner of an account with a pro-level plan.",
        parameters: vec![idempotency_key()],
        body: Some(Body {
            is_required: false,
            schema: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "email": or_null(json!({
                        "type": "string",
                        "format": "email",
                        "maxLength": 254,
                        "description": "The right address, if the invite went to a wrong one.",
                    })),
                },
            }),
            example: json!({ "email": "kim.lee@example.com" }),
        }),
        success: Success {
            status: 200,
            description: "The invited person.",
            schema: schema("Member"),
        },
        own: &[
            Code::OwnerOnly,
            Code::IdempotencyKeyReused,
            Code::MemberNotFound,
            Code::NotInvited,
            Code::AlreadyMember,
            Code::AlreadyInvited,
            Code::AddressInUse,
            Code::AddressUndeliverable,
            Code::ResendTooSoon,
            Code::SendLimitReached,
        ],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn remove() -> Operation {
    Operation {
        id: "remove",
        tag: "members",
        summary: "Remove a person, or cancel an invite",
        description: "Takes effect at once and cannot be reversed. Removing a person who is already \
            removed gets the first answer again. For the owner, on any plan.",
        parameters: Vec::new(),
        body: None,
        success: Success {
            status: 200,
            description: "The removal.",
            schema: schema("Removal"),
        },
        own: &[
            Code::OwnerOnly,
            Code::MemberNotFound,
            Code::OwnerCannotBeRemoved,
        ],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

/// A field that may be missing or null.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a schema is written in place"
)]
fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn rename_company() -> Operation {
    Operation {
        id: "updateCompany",
        tag: "account",
        summary: "Rename the company",
        description: "For the owner, on any plan.",
        parameters: Vec::new(),
        body: Some(Body {
            is_required: true,
            schema: json!({
                "type": "object",
                "required": ["company"],
                "additionalProperties": false,
                "properties": { "company": company() },
            }),
            example: json!({ "company": "Acme & Sons" }),
        }),
        success: Success {
            status: 200,
            description: "The account with its new name.",
            schema: schema("Account"),
        },
        own: &[Code::OwnerOnly],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn rename_member() -> Operation {
    Operation {
        id: "updateName",
        tag: "account",
        summary: "Rename a person",
        description: "Changes the first name, the last name or both. For the owner, on any plan.",
        parameters: Vec::new(),
        body: Some(Body {
            is_required: true,
            schema: json!({
                "type": "object",
                "minProperties": 1,
                "additionalProperties": false,
                "properties": {
                    "firstName": or_null(person_name()),
                    "lastName": or_null(person_name()),
                },
            }),
            example: json!({ "firstName": "Kim", "lastName": "Lee-Olsen" }),
        }),
        success: Success {
            status: 200,
            description: "The person with their new name.",
            schema: schema("Member"),
        },
        own: &[Code::OwnerOnly, Code::MemberNotFound],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn close_account() -> Operation {
    Operation {
        id: "closeAccount",
        tag: "account",
        summary: "Close the account",
        description: "Nobody can log in to a closed account, not even its owner; only the product's \
            billing can reopen it. If the owner closes it again, for example because an answer was \
            lost, they get the first answer again. For the owner, on any plan.",
        parameters: Vec::new(),
        body: None,
        success: Success {
            status: 200,
            description: "The closed account.",
            schema: schema("Account"),
        },
        own: &[Code::OwnerOnly],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn support_feedback() -> Operation {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    Operation {
        id: "supportFeedback",
        tag: "support",
        summary: "Find out why a person can't get in, or read recent feedback",
        description: "With `email`: a verdict in one sentence, the person's accounts, all feedback on \
            e-mails to them, newest first, and whether the address is on the mail service's \
            suppression list. Without it: the feedback on all e-mails from the last seven days, or \
            since `since`, newest first. For the product's support staff; the log records who \
            asked.",
        parameters: vec![
            query(
                "email",
                "The address of the person. It cannot be combined with other parameters.",
                json!({ "type": "string", "format": "email", "maxLength": 254 }),
            ),
            query(
                "since",
                "The earliest feedback to return, at most 90 days old.",
                json!({ "type": "string", "format": "date-time" }),
            ),
            query(
                "cursor",
                "The `cursor` of the previous page.",
                json!({ "type": "string" }),
            ),
        ],
        body: None,
        success: Success {
            status: 200,
            description: "What is known about the person, or recent feedback.",
            schema: json!({ "anyOf": [schema("Person"), schema("RecentFeedback")] }),
        },
        own: &[Code::SupportOnly],
        common: &[SIGNED_IN],
    }
}

fn lift_suppression() -> Operation {
    Operation {
        id: "liftSuppression",
        tag: "support",
        summary: "Lift the block on an address",
        description: "Takes the address off the mail service's suppression list and lets the owners of \
            the person's accounts resend their invites. Repeating the call changes nothing. For \
            the product's support staff; the log records who did it.",
        parameters: Vec::new(),
        body: None,
        success: Success {
            status: 200,
            description: "The address is no longer blocked.",
            schema: schema("Lift"),
        },
        own: &[Code::SupportOnly],
        common: &[SIGNED_IN],
    }
}

fn login() -> Operation {
    Operation {
        id: "login",
        tag: "login",
        summary: "Log in, or accept an invite",
        description: "The product calls this after its single sign-on. `inviteToken`, from the link in \
            the e-mail, accepts an invite and names its account. With neither `inviteToken` nor \
            `accountId`, the caller is logged in to their only account.",
        parameters: Vec::new(),
        body: Some(Body {
            is_required: false,
            schema: json!({
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "accountId": or_null(schema("AccountId")),
                    "inviteToken": or_null(json!({ "type": "string" })),
                },
            }),
            example: json!({ "accountId": "acme" }),
        }),
        success: Success {
            status: 200,
            description: "The account that the caller is logged in to.",
            schema: schema("Login"),
        },
        own: &[
            Code::WrongAccount,
            Code::ChooseAccount,
            Code::InviteExpired,
            Code::InviteSuperseded,
            Code::InviteInvalid,
        ],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}
