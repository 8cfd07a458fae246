//! Answers that say yes, and the accounts and members in them.

mod support;

use domain::Timestamp;
use domain::ability::Ability;
use domain::access::Access;
use domain::account::{Account, AccountStatus, ProPlans};
use domain::delivery::Delivery;
use domain::id::{AccountId, MemberId};
use domain::member::{Member, Removal, Role, State, Status};
use domain::misspelling::did_you_mean;
use http::StatusCode;
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::problem::Problem;
use crate::response::json_response;

pub use support::{LiftAnswer, PersonAnswer, RecentFeedbackAnswer};

#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: String,
}

impl Answer {
    /// 200 with a JSON body.
    ///
    /// # Errors
    ///
    /// An internal problem if the body does not serialize.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::ok_text(to_json(body)?))
    }

    /// 200 with a body that is JSON already.
    #[must_use]
    pub fn ok_text(body: String) -> Self {
        Self {
            status: StatusCode::OK,
            body,
        }
    }

    /// 201 with a JSON body.
    ///
    /// # Errors
    ///
    /// An internal problem if the body does not serialize.
    pub fn created(body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::created_text(to_json(body)?))
    }

    /// 201 with a body that is JSON already.
    #[must_use]
    pub fn created_text(body: String) -> Self {
        Self {
            status: StatusCode::CREATED,
            body,
        }
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        json_response(self.status, "application/json", self.body, request_id)
    }
}

/// The JSON text of an answer's body.
///
/// # Errors
///
/// An internal problem if it does not serialize.
pub fn to_json(body: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(body).map_err(Problem::internal)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountAnswer {
    id: AccountId,
    company: String,
    plan: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Timestamp>,
    pro_level: bool,
}

impl AccountAnswer {
    #[must_use]
    pub fn new(account: &Account, pro_plans: &ProPlans) -> Self {
        Self {
            id: account.id.clone(),
            company: account.company.to_string(),
            plan: account.plan.to_string(),
            status: account.status.as_str(),
            closed_at: match account.status {
                AccountStatus::Active => None,
                AccountStatus::Closed { at } => Some(at),
            },
            pro_level: pro_plans.include(&account.plan),
        }
    }
}

/// A person in an answer. Fields that don't apply are left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberAnswer {
    id: MemberId,
    first_name: String,
    last_name: String,
    email: String,
    role: Role,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sent_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sends: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<MemberId>,
}

impl MemberAnswer {
    /// A person who has just been invited. If the address looks misspelt, the answer suggests
    /// another.
    #[must_use]
    pub fn of_invite(member: &Member, now: Timestamp) -> Self {
        Self {
            did_you_mean: did_you_mean(&member.email),
            ..Self::new(member, now)
        }
    }

    /// The same in place of another person, whose invite went to a mistaken address.
    #[must_use]
    pub(crate) fn replacing(self, replaced: Option<&MemberId>) -> Self {
        let replaces = replaced.cloned();
        Self { replaces, ..self }
    }

    /// A person as seen at a time, which decides whether an invite has expired.
    #[must_use]
    pub fn new(member: &Member, now: Timestamp) -> Self {
        let invite = member.invite();
        let mut answer = Self {
            id: member.id.clone(),
            first_name: member.first_name.to_string(),
            last_name: member.last_name.to_string(),
            email: member.email.to_string(),
            role: member.role,
            status: member.status(now),
            invited_at: invite.map(|invite| invite.invited_at),
            last_sent_at: invite.map(|invite| invite.last_sent_at),
            sends: invite.map(|invite| invite.sends),
            expires_at: None,
            active_since: None,
            removed_at: None,
            delivery: member.shown_delivery().map(DeliveryAnswer::new),
            did_you_mean: None,
            replaces: None,
        };
        match &member.state {
            State::Invited(invite) => answer.expires_at = Some(invite.expires_at),
            State::Active(active) => answer.active_since = Some(active.since),
            State::Removed(removal) => answer.removed_at = Some(removal.at),
        }
        answer
    }
}

#[derive(Debug, Serialize)]
pub struct DeliveryAnswer {
    status: &'static str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

impl DeliveryAnswer {
    fn new(delivery: &Delivery) -> Self {
        Self {
            status: delivery.status.name(),
            at: delivery.at,
            reason: delivery.status.reason(),
            advice: delivery.advice(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalAnswer {
    id: MemberId,
    status: Status,
    removed_at: Timestamp,
}

impl RemovalAnswer {
    #[must_use]
    pub fn new(id: MemberId, removal: &Removal) -> Self {
        Self {
            id,
            status: Status::Removed,
            removed_at: removal.at,
        }
    }
}

/// The answer to a login: the account, and the caller's abilities in it.
#[derive(Debug, Serialize)]
pub struct LoginAnswer {
    account: AccountAnswer,
    member: MemberAnswer,
    abilities: &'static [Ability],
}

impl LoginAnswer {
    #[must_use]
    pub fn new(account: &Account, member: &Member, pro_plans: &ProPlans, now: Timestamp) -> Self {
        Self {
            account: AccountAnswer::new(account, pro_plans),
            member: MemberAnswer::new(member, now),
            abilities: Ability::of(member.role),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct MembersAnswer {
    account: AccountAnswer,
    abilities: &'static [Ability],
    members: Vec<MemberAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl MembersAnswer {
    #[must_use]
    pub fn new(
        access: Access<'_>,
        members: &[Member],
        cursor: Option<String>,
        pro_plans: &ProPlans,
        now: Timestamp,
    ) -> Self {
        Self {
            account: AccountAnswer::new(access.account(), pro_plans),
            abilities: Ability::of(access.member().role),
            members: members
                .iter()
                .map(|member| MemberAnswer::new(member, now))
                .collect(),
            cursor,
        }
    }
}
