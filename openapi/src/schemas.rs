//! What accounts, members and the rest look like.

use domain::ability::Ability;
use domain::delivery::DeliveryStatus;
use domain::member::Role;
use serde_json::{Value, json};

/// A reference to one of [`all`].
pub(crate) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schema of a parameter of a path.
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
        "description": "What people are called, in any script. No links, and three digits at most.",
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
        "description": "What the caller may do here.",
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
            "description": "Stands for a person in an account, and stays the same.",
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
                "closedAt": time("When the owner closed it."),
                "proLevel": {
                    "type": "boolean",
                    "description": "Whether the plan includes multi-user access.",
                },
            },
        },
        "Member": {
            "description": "A person of an account. What does not apply is left out.",
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
                "lastSentAt": time("When the newest mail of the invite was sent."),
                "sends": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "How many mails of the invite were sent.",
                },
                "expiresAt": time("From when on the newest link no longer works."),
                "activeSince": time("When the invite was accepted."),
                "removedAt": time("When the person was removed."),
                "delivery": of("Delivery"),
                "didYouMean": {
                    "type": "string",
                    "format": "email",
                    "description": "In the answer to an invite whose address looks misspelt: the \
                                    address that was probably meant. The invite was sent all the \
                                    same.",
                },
            },
        },
        "Delivery": {
            "description": "What became of the newest mail of an invite.",
            "type": "object",
            "required": ["status", "at"],
            "properties": {
                "status": delivery_status(),
                "at": time("When that became known."),
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
                    "description": "Leads to the next page. The last page has none.",
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
            "description": "Where the caller is now.",
            "type": "object",
            "required": ["account", "member", "abilities"],
            "properties": {
                "account": of("Account"),
                "member": of("Member"),
                "abilities": abilities(),
            },
        },
        "Person": {
            "description": "What support sees about a person.",
            "type": "object",
            "required": ["email", "verdict", "suppression", "accounts", "feedback"],
            "properties": {
                "email": { "type": "string", "format": "email" },
                "verdict": {
                    "type": "string",
                    "description": "Why the person has not got in and what to do. Of several \
                        accounts, it is about the one where something happened last.",
                },
                "suppression": {
                    "description": "What the mail service's suppression list says.",
                    "type": "object",
                    "properties": {
                        "listed": {
                            "type": "boolean",
                            "description": "Left out if the mail service could not be asked.",
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
                                "description": "The same, about this account.",
                            },
                        },
                    },
                },
                "feedback": {
                    "description": "All that is kept, newest first.",
                    "type": "array",
                    "items": of("Feedback"),
                },
            },
        },
        "Feedback": {
            "description": "What the mail system reported about one mail of an invite.",
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
                    "description": "Which mail to the person it is about, from 1.",
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
                    "description": "The other mail server's enhanced status code (RFC 3463).",
                },
                "diagnostic": {
                    "type": "string",
                    "description": "What the other mail server said.",
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
                    "description": "Leads to the next page. The last page has none.",
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
                "title": { "type": "string", "description": "The same for every problem of a kind." },
                "status": { "type": "integer" },
                "detail": { "type": "string", "description": "A sentence to show to people." },
                "code": { "type": "string", "description": "Stable, to act on." },
                "requestId": { "type": "string" },
                "errors": {
                    "description": "With `invalid_request`: what is wrong with which field.",
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
