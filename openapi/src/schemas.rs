//! The schemas of accounts, members and the rest.

use domain::ability::Ability;
use domain::delivery::DeliveryStatus;
use domain::member::Role;
use serde_json::{Value, json};

/// A reference to one of [`all`].
pub(crate) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema of a path parameter.
pub(crate) fn path(name: &str) -> Value {
    match name {
        "accountId" => of("AccountId"),
        "memberId" => of("MemberId"),
        "email" => json!({ "type": "string", "format": "email", "maxLength": 254 }),
        _ => json!({ "type": "string" }),
    }
}

fn time(description: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": description })
}

pub(crate) fn person_name() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 64,
        "description": "A name in any script, without links and with at most three digits.",
    })
}

pub(crate) fn delivery_status() -> Value {
    json!({ "type": "string", "enum": DeliveryStatus::NAMES })
}

pub(crate) fn company() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 100 })
}

fn abilities() -> Value {
    let names: Vec<&str> = Ability::of(Role::Owner)
        .iter()
        .map(|ability| ability.as_str())
        .collect();
    json!({
        "description": "What the caller may do in the account.",
        "type": "array",
        "items": { "type": "string", "enum": names },
    })
}

pub(crate) fn all() -> Value {
    json!({
        "AccountId": {
            "description": "The product's id of the account.",
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,64}$",
            "examples": ["acme"],
        },
        "MemberId": {
            "description": "The id of a person in an account. It never changes.",
            "type": "string",
            "pattern": "^[a-z2-7]{26}$",
            "examples": ["zrmljr2rvyf6alrmqgxw4gdqpm"],
        },
        "Account": {
            "type": "object",
            "required": ["id", "company", "plan", "status", "proLevel"],
            "properties": {
                "id": of("AccountId"),
                "company": company(),
                "plan": { "type": "string", "examples": ["pro"] },
                "status": { "type": "string", "enum": ["active", "closed"] },
                "closedAt": time("When the owner closed the account."),
                "proLevel": {
                    "type": "boolean",
                    "description": "Whether the plan includes multi-user access.",
                },
            },
        },
        "Member": {
            "description": "A person in an account. Fields that do not apply are left out.",
            "type": "object",
            "required": ["id", "firstName", "lastName", "email", "role", "status"],
            "properties": {
                "id": of("MemberId"),
                "firstName": person_name(),
                "lastName": person_name(),
                "email": { "type": "string", "format": "email" },
                "role": { "type": "string", "enum": ["owner", "member"] },
                "status": {
                    "type": "string",
                    "enum": ["active", "invited", "expired", "removed"],
                },
                "invitedAt": time("When the person was invited."),
                "lastSentAt": time("When the newest e-mail of the invite was sent."),
                "sends": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "How many e-mails of the invite were sent.",
                },
                "expiresAt": time("When the newest link stops working."),
                "activeSince": time("When the invite was accepted."),
                "removedAt": time("When the person was removed."),
                "delivery": of("Delivery"),
                "didYouMean": {
                    "type": "string",
                    "format": "email",
                    "description": "In the answer to an invite whose address looks misspelt: the \
                                    address that was probably meant. The invite was sent to the \
                                    address in the request.",
                },
                "replaces": {
                    "type": "string",
                    "description": "In the answer to a resend to a corrected address: the `id` of the \
                                    person whose invite this one replaces.",
                },
            },
        },
        "Delivery": {
            "description": "What is known about the newest e-mail of an invite.",
            "type": "object",
            "required": ["status", "at"],
            "properties": {
                "status": delivery_status(),
                "at": time("When this happened."),
                "reason": { "type": "string", "description": "What happened, in a sentence." },
                "advice": { "type": "string", "description": "What to do, in a sentence." },
            },
        },
        "Members": {
            "description": "One page of the list.",
            "type": "object",
            "required": ["account", "abilities", "members"],
            "properties": {
                "account": of("Account"),
                "abilities": abilities(),
                "members": { "type": "array", "items": of("Member"), "maxItems": 100 },
                "cursor": {
                    "type": "string",
                    "description": "For the next page. The last page has none.",
                },
            },
        },
        "Removal": {
            "type": "object",
            "required": ["id", "status", "removedAt"],
            "properties": {
                "id": of("MemberId"),
                "status": { "type": "string", "const": "removed" },
                "removedAt": time("When the person was removed."),
            },
        },
        "Login": {
            "description": "The account that the caller is logged in to, and their place in it.",
            "type": "object",
            "required": ["account", "member", "abilities"],
            "properties": {
                "account": of("Account"),
                "member": of("Member"),
                "abilities": abilities(),
            },
        },
        "Person": {
            "description": "What support can see about a person.",
            "type": "object",
            "required": ["email", "verdict", "suppression", "accounts", "feedback"],
            "properties": {
                "email": { "type": "string", "format": "email" },
                "verdict": {
                    "type": "string",
                    "description": "Why the person can't get in, and what to do. If they belong to \
                        several accounts, it is about the one with the latest event.",
                },
                "suppression": {
                    "description": "What the mail service's suppression list says.",
                    "type": "object",
                    "properties": {
                        "listed": {
                            "type": "boolean",
                            "description": "Left out if the mail service did not say.",
                        },
                        "reason": { "type": "string", "enum": ["bounce", "complaint"] },
                        "since": time("When the address was put on the list."),
                    },
                },
                "accounts": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["account", "member", "verdict"],
                        "properties": {
                            "account": of("Account"),
                            "member": of("Member"),
                            "verdict": {
                                "type": "string",
                                "description": "The same for this account.",
                            },
                        },
                    },
                },
                "feedback": {
                    "description": "All stored feedback, newest first.",
                    "type": "array",
                    "items": of("Feedback"),
                },
            },
        },
        "Feedback": {
            "description": "What the mail system reported about one e-mail of an invite.",
            "type": "object",
            "required": ["id", "at", "email", "accountId", "memberId", "send", "kind", "status"],
            "properties": {
                "id": { "type": "string" },
                "at": time("When it happened."),
                "email": { "type": "string", "format": "email" },
                "accountId": of("AccountId"),
                "memberId": of("MemberId"),
                "send": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "The number of the e-mail among those sent to the person, from 1.",
                },
                "kind": {
                    "type": "string",
                    "enum": ["send", "delay", "delivery", "bounce", "complaint", "reject"],
                },
                "status": delivery_status(),
                "reason": { "type": "string", "description": "What happened, in a sentence." },
                "advice": { "type": "string", "description": "What to do, in a sentence." },
                "label": { "type": "string", "description": "The mail service's own type." },
                "sublabel": { "type": "string", "description": "The mail service's own subtype." },
                "smtpStatus": {
                    "type": "string",
                    "description": "The enhanced status code of the recipient's mail server (RFC 3463).",
                },
                "diagnostic": {
                    "type": "string",
                    "description": "What the recipient's mail server said.",
                },
            },
        },
        "RecentFeedback": {
            "type": "object",
            "required": ["feedback"],
            "properties": {
                "feedback": { "type": "array", "items": of("Feedback"), "maxItems": 50 },
                "cursor": {
                    "type": "string",
                    "description": "For the next page. The last page has none.",
                },
            },
        },
        "Lift": {
            "type": "object",
            "required": ["email", "lifted"],
            "properties": {
                "email": { "type": "string", "format": "email" },
                "lifted": { "type": "boolean", "const": true },
            },
        },
        "Problem": {
            "description": "Why a call was refused (RFC 9457).",
            "type": "object",
            "required": ["type", "title", "status", "detail", "code", "requestId"],
            "properties": {
                "type": { "type": "string", "format": "uri-reference" },
                "title": { "type": "string", "description": "The same for all problems with this code." },
                "status": { "type": "integer" },
                "detail": { "type": "string", "description": "A sentence to show to the person." },
                "code": { "type": "string", "description": "A stable code for programs to act on." },
                "requestId": { "type": "string" },
                "errors": {
                    "description": "With `invalid_request`: what is wrong with each field.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {
                            "field": { "type": "string" },
                            "message": { "type": "string" },
                        },
                    },
                },
                "accounts": {
                    "description": "With `choose_account`: the accounts that are open to the caller.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["id", "company"],
                        "properties": { "id": of("AccountId"), "company": company() },
                    },
                },
            },
        },
    })
}
