//! What a call asks for, and what it gets.

use local::Route;
use platform::problem::Code;
use serde_json::{Value, json};

use crate::schemas::{company, delivery_status, of as schema, person_name};

/// One operation of the API, as far as the code cannot tell.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Those that are not in the path.
    pub(crate) parameters: Vec<Value>,
    pub(crate) body: Option<Body>,
    pub(crate) success: Success,
    /// The refusals that are this operation's own.
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

/// What every call can meet that needs a token.
const SIGNED_IN: &[Code] = &[
    Code::InvalidRequest,
    Code::Unauthenticated,
    Code::EmailUnverified,
    Code::BodyTooLarge,
    Code::Internal,
    Code::Unavailable,
];

/// What every call by a person of an account can meet.
const IN_ACCOUNT: &[Code] = &[
    Code::NoAccess,
    Code::AccountClosed,
    Code::AccessRevoked,
    Code::UpgradeRequired,
    Code::InviteLinkRequired,
    Code::IdentityMismatch,
];

impl Operation {
    /// Every code that the operation can answer with.
    pub(crate) fn codes(&self) -> Vec<Code> {
        let common = self.common.iter().copied().flatten();
        common.chain(self.own).copied().collect()
    }
}

/// Whether a route is no operation of the API: it leads to the web page, or to this description.
#[must_use]
pub fn is_no_operation(route: &Route) -> bool {
    let path = route.path.as_str();
    route.method == "GET"
        && (matches!(
            path,
            "/" | "/invite" | "/login" | "/support" | "/openapi.json"
        ) || path.starts_with("/assets/"))
}

/// The description of a route. One that is added to the template gets its own here.
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
        summary: "Who is in the account",
        description: "The owner, then active people, then invited ones, each by name. Removed \
            people are listed only by `status=removed`, the last removed first. A page can hold \
            fewer people than its limit; only one without a cursor is the last.",
        parameters: vec![
            query(
                "status",
                "Only people with this status.",
                json!({ "type": "string", "enum": ["active", "invited", "expired", "removed"] }),
                "active",
            ),
            query(
                "delivery",
                "Only people whose invite's newest mail fared so.",
                delivery_status(),
                "bounced",
            ),
            query(
                "q",
                "Only people whose name or address has this text, whatever its case.",
                json!({ "type": "string", "maxLength": 254 }),
                "kim",
            ),
            json!({
                "name": "limit",
                "in": "query",
                "description": "How many people a page holds.",
                "schema": { "type": "integer", "minimum": 1, "maximum": 100, "default": 50 },
                "example": 50,
            }),
            json!({
                "name": "cursor",
                "in": "query",
                "description": "The cursor of the page before. It is good for the same account, \
                    `status`, `delivery` and `q`.",
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
        "description": "Makes the call repeatable: for 24 hours, the same key and request get the \
            first answer again.",
        "schema": { "type": "string", "pattern": "^[!-+.-~-]{1,255}$" },
        "example": "0191f2c4-7c1e",
    })
}

fn invite() -> Operation {
    Operation {
        id: "invite",
        tag: "members",
        summary: "Invite somebody",
        description: "Sends an invite by e-mail. That the mail could not be sent is no error of the \
            call: `delivery` says so, and resend is the remedy. For the owner of an account whose \
            plan is pro-level.",
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
            description: "The person is invited.",
            schema: schema("Member"),
        },
        own: &[
            Code::OwnerOnly,
            Code::IdempotencyKeyReused,
            Code::AlreadyMember,
            Code::AlreadyInvited,
            Code::SendLimitReached,
        ],
        common: &[SIGNED_IN, IN_ACCOUNT],
    }
}

fn resend() -> Operation {
    Operation {
        id: "resend",
        tag: "members",
        summary: "Send an invite again",
        description: "The mail has a new link; earlier links stop working. For the owner of an \
            account whose plan is pro-level.",
        parameters: vec![idempotency_key()],
        body: None,
        success: Success {
            status: 200,
            description: "The invite is sent again.",
            schema: schema("Member"),
        },
        own: &[
            Code::OwnerOnly,
            Code::IdempotencyKeyReused,
            Code::MemberNotFound,
            Code::NotInvited,
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
        summary: "Remove somebody, or cancel an invite",
        description: "Takes effect at once and cannot be reversed. Removing somebody again gets the \
            first answer again. For the owner, whatever the plan.",
        parameters: Vec::new(),
        body: None,
        success: Success {
            status: 200,
            description: "The person is removed.",
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

/// A field that may be missing, which null says, too.
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
        description: "For the owner, whatever the plan.",
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
            description: "The account as it is now.",
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
        summary: "Rename somebody",
        description: "Changes the first name, the last name or both. For the owner, whatever the \
            plan.",
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
            description: "The person as the list has it now.",
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
        description: "From then on nobody gets in, the owner neither; only the product's billing \
            reopens the account. The owner who closes it again gets the first answer again, since \
            that may have been lost. For the owner, whatever the plan.",
        parameters: Vec::new(),
        body: None,
        success: Success {
            status: 200,
            description: "The account, which is closed.",
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
        summary: "Why somebody has not got in, or what happened to mail lately",
        description: "With `email`: a verdict in one sentence, the person's accounts, all feedback \
            about mail to the person, newest first, and whether the mail service's suppression \
            list holds the address. Without it: feedback about everybody's mail, newest first, of \
            the last seven days or back to `since`. For the product's support staff; the log says \
            who asked.",
        parameters: vec![
            query(
                "email",
                "The address of the person. It goes with no other parameter.",
                json!({ "type": "string", "format": "email", "maxLength": 254 }),
            ),
            query(
                "since",
                "How far back recent feedback goes, at most 90 days.",
                json!({ "type": "string", "format": "date-time" }),
            ),
            query(
                "cursor",
                "The cursor of the page before.",
                json!({ "type": "string" }),
            ),
        ],
        body: None,
        success: Success {
            status: 200,
            description: "What is known.",
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
        summary: "Let mail go to an address again",
        description: "Takes the address off the mail service's suppression list, and lets the \
            owners of the person's accounts resend their invites. Lifting again changes nothing. \
            For the product's support staff; the log says who did it.",
        parameters: Vec::new(),
        body: None,
        success: Success {
            status: 200,
            description: "Nothing keeps mail from the address.",
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
        summary: "Log in, and accept an invite",
        description: "The product calls this after its single sign-on. An invite is accepted by \
            its token, which is the end of the link in the mail; that names the account, too. \
            Without a token and an account, it is the only account of the caller.",
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
            description: "The caller is in.",
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
