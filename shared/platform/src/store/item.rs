//! The shapes of the items, and their ways to and from the domain.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::account::{Account, AccountStatus, Plan, Provisioned};
use domain::address::EmailAddress;
use domain::delivery::{Delivery, DeliveryStatus};
use domain::feedback::{Feedback, FeedbackKind, Send, Words};
use domain::id::{AccountId, FeedbackId, MemberId};
use domain::limits::day_of;
use domain::member::{Active, Identity, Invite, Member, Removal, Role, State, Tokens};
use domain::name::{CompanyName, PersonName};
use domain::request::{Fingerprint, RecordedRequest};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::key::{Key, feedback_day, feedback_order};
use super::{Item, StoreError, Stored};

/// A type that has items of its own in the table.
pub(super) trait Stores: Sized {
    /// Its item, without key and version.
    type Shape: Serialize + for<'de> Deserialize<'de> + for<'a> From<&'a Self> + Into<Self>;
}

/// The attributes of a value, without key and version.
pub(super) fn encode<T: Stores>(value: &T) -> Result<Item, StoreError> {
    serde_dynamo::to_item(T::Shape::from(value))
        .map_err(|error| StoreError::Broken(format!("an item cannot be written: {error}")))
}

/// The value of an item. What is wrong with it stays out of the log: it could quote a name.
pub(super) fn decode<T: Stores>(key: &Key, item: Item) -> Result<Stored<T>, StoreError> {
    let broken = || StoreError::Broken(format!("the item {} {} cannot be read", key.pk, key.sk));
    let version = version(&item).ok_or_else(broken)?;
    let shape: T::Shape = serde_dynamo::from_item(item).map_err(|_| broken())?;
    Ok(Stored {
        value: shape.into(),
        version,
    })
}

fn version(item: &Item) -> Option<u64> {
    item.get("version")?.as_n().ok()?.parse().ok()
}

/// What a counter has counted.
pub(super) fn count(item: &Item) -> u32 {
    item.get("count")
        .and_then(|n| n.as_n().ok())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

/// The attribute that DynamoDB deletes an item by, some time after it is past. Only tidies: what
/// counts is decided in code.
pub(super) fn expires(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountItem {
    account_id: AccountId,
    company: CompanyName,
    provisioned_company: CompanyName,
    plan: Plan,
    #[serde(flatten)]
    status: AccountStatusItem,
    owner_id: MemberId,
    provisioned_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provisioned_revision: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    tag = "status",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum AccountStatusItem {
    Active,
    Closed { closed_at: Timestamp },
}

impl Stores for Account {
    type Shape = AccountItem;
}

impl From<&Account> for AccountItem {
    fn from(account: &Account) -> Self {
        Self {
            account_id: account.id.clone(),
            company: account.company.clone(),
            provisioned_company: account.provisioned_company.clone(),
            plan: account.plan.clone(),
            status: match account.status {
                AccountStatus::Active => AccountStatusItem::Active,
                AccountStatus::Closed { at } => AccountStatusItem::Closed { closed_at: at },
            },
            owner_id: account.owner.clone(),
            provisioned_at: account.provisioned.at,
            provisioned_revision: account.provisioned.revision,
        }
    }
}

impl From<AccountItem> for Account {
    fn from(item: AccountItem) -> Self {
        Self {
            id: item.account_id,
            company: item.company,
            provisioned_company: item.provisioned_company,
            plan: item.plan,
            status: match item.status {
                AccountStatusItem::Active => AccountStatus::Active,
                AccountStatusItem::Closed { closed_at } => AccountStatus::Closed { at: closed_at },
            },
            owner: item.owner_id,
            provisioned: Provisioned {
                at: item.provisioned_at,
                revision: item.provisioned_revision,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberItem {
    member_id: MemberId,
    first_name: PersonName,
    last_name: PersonName,
    email: EmailAddress,
    role: Role,
    last_send: u32,
    /// Sort key of the index `rank`: the order of the list.
    rank: String,
    #[serde(flatten)]
    state: StateItem,
}

#[derive(Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum StateItem {
    Invited {
        invite: InviteItem,
    },
    Active {
        active_since: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<IdentityItem>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<InviteItem>,
    },
    Removed {
        removed_at: Timestamp,
        removed_by: MemberId,
    },
}

#[derive(Serialize, Deserialize)]
struct IdentityItem {
    issuer: String,
    subject: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InviteItem {
    invited_at: Timestamp,
    invited_by: MemberId,
    expires_at: Timestamp,
    tokens: Tokens,
    sends: u32,
    last_sent_at: Timestamp,
    resends_that_day: u32,
    delivery: DeliveryItem,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryItem {
    #[serde(flatten)]
    status: DeliveryStatus,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lifted_at: Option<Timestamp>,
}

impl Stores for Member {
    type Shape = MemberItem;
}

impl From<&Member> for MemberItem {
    fn from(member: &Member) -> Self {
        Self {
            member_id: member.id.clone(),
            first_name: member.first_name.clone(),
            last_name: member.last_name.clone(),
            email: member.email.clone(),
            role: member.role,
            last_send: member.last_send,
            rank: super::members::rank(member),
            state: StateItem::from(&member.state),
        }
    }
}

impl From<MemberItem> for Member {
    fn from(item: MemberItem) -> Self {
        Self {
            id: item.member_id,
            first_name: item.first_name,
            last_name: item.last_name,
            email: item.email,
            role: item.role,
            last_send: item.last_send,
            state: item.state.into(),
        }
    }
}

impl From<&State> for StateItem {
    fn from(state: &State) -> Self {
        match state {
            State::Invited(invite) => Self::Invited {
                invite: invite.into(),
            },
            State::Active(active) => Self::Active {
                active_since: active.since,
                identity: active.identity.as_ref().map(|identity| IdentityItem {
                    issuer: identity.issuer.clone(),
                    subject: identity.subject.clone(),
                }),
                invite: active.accepted.as_ref().map(InviteItem::from),
            },
            State::Removed(removal) => Self::Removed {
                removed_at: removal.at,
                removed_by: removal.by.clone(),
            },
        }
    }
}

impl From<StateItem> for State {
    fn from(item: StateItem) -> Self {
        match item {
            StateItem::Invited { invite } => Self::Invited(invite.into()),
            StateItem::Active {
                active_since,
                identity,
                invite,
            } => Self::Active(Active {
                since: active_since,
                identity: identity
                    .map(|IdentityItem { issuer, subject }| Identity { issuer, subject }),
                accepted: invite.map(Invite::from),
            }),
            StateItem::Removed {
                removed_at,
                removed_by,
            } => Self::Removed(Removal {
                at: removed_at,
                by: removed_by,
            }),
        }
    }
}

impl From<&Invite> for InviteItem {
    fn from(invite: &Invite) -> Self {
        Self {
            invited_at: invite.invited_at,
            invited_by: invite.invited_by.clone(),
            expires_at: invite.expires_at,
            tokens: invite.tokens.clone(),
            sends: invite.sends,
            last_sent_at: invite.last_sent_at,
            resends_that_day: invite.resends_that_day,
            delivery: DeliveryItem {
                status: invite.delivery.status,
                at: invite.delivery.at,
                lifted_at: invite.delivery.lifted_at,
            },
        }
    }
}

impl From<InviteItem> for Invite {
    fn from(item: InviteItem) -> Self {
        Self {
            invited_at: item.invited_at,
            invited_by: item.invited_by,
            expires_at: item.expires_at,
            tokens: item.tokens,
            sends: item.sends,
            last_sent_at: item.last_sent_at,
            resends_that_day: item.resends_that_day,
            delivery: Delivery {
                status: item.delivery.status,
                at: item.delivery.at,
                lifted_at: item.delivery.lifted_at,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestItem {
    fingerprint: Fingerprint,
    answer: String,
    /// Seconds since 1970, as DynamoDB's TTL wants them.
    expires: i64,
}

impl Stores for RecordedRequest {
    type Shape = RequestItem;
}

impl From<&RecordedRequest> for RequestItem {
    fn from(request: &RecordedRequest) -> Self {
        Self {
            fingerprint: request.fingerprint.clone(),
            answer: request.answer.clone(),
            expires: request.expires_at.as_second(),
        }
    }
}

impl From<RequestItem> for RecordedRequest {
    fn from(item: RequestItem) -> Self {
        Self {
            fingerprint: item.fingerprint,
            answer: item.answer,
            expires_at: Timestamp::from_second(item.expires).unwrap_or(Timestamp::MIN),
        }
    }
}

/// How long a report of the mail system is kept.
const FEEDBACK_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedbackItem {
    feedback_id: FeedbackId,
    at: Timestamp,
    email: EmailAddress,
    account_id: AccountId,
    member_id: MemberId,
    send: u32,
    kind: FeedbackKind,
    delivery: DeliveryStatus,
    #[serde(flatten)]
    words: Words,
    /// The day, in the index of recent feedback.
    gsi1pk: String,
    /// The order on that day.
    gsi1sk: String,
    /// Seconds since 1970, as DynamoDB's TTL wants them.
    expires: i64,
}

impl Stores for Feedback {
    type Shape = FeedbackItem;
}

impl From<&Feedback> for FeedbackItem {
    fn from(feedback: &Feedback) -> Self {
        let expires = feedback.at.saturating_add(FEEDBACK_LIFETIME);
        Self {
            feedback_id: feedback.id.clone(),
            at: feedback.at,
            email: feedback.email.clone(),
            account_id: feedback.send.account.clone(),
            member_id: feedback.send.member.clone(),
            send: feedback.send.number,
            kind: feedback.kind,
            delivery: feedback.status,
            words: feedback.words.clone(),
            gsi1pk: feedback_day(day_of(feedback.at)),
            gsi1sk: feedback_order(feedback.at, &feedback.id),
            expires: expires.unwrap_or(Timestamp::MAX).as_second(),
        }
    }
}

impl From<FeedbackItem> for Feedback {
    fn from(item: FeedbackItem) -> Self {
        Self {
            id: item.feedback_id,
            at: item.at,
            email: item.email,
            send: Send {
                account: item.account_id,
                member: item.member_id,
                number: item.send,
            },
            kind: item.kind,
            status: item.delivery,
            words: item.words,
        }
    }
}
