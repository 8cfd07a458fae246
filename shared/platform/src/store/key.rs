//! The keys of the table. Every key is built here, from types that cannot hold a `#`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::feedback::Feedback;
use domain::id::{AccountId, EmailKey, FeedbackId, MemberId};
use domain::identity::IdentityKey;
use domain::limits::day_of;
use domain::request::IdempotencyKey;

use jiff::civil::Date;

use super::Item;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn account(account: &AccountId) -> Self {
        Self {
            pk: account_partition(account),
            sk: "ACCOUNT".to_owned(),
        }
    }

    pub(super) fn member(account: &AccountId, member: &MemberId) -> Self {
        Self {
            pk: account_partition(account),
            sk: format!("MEMBER#{member}"),
        }
    }

    /// Mails of an account in the hour of the clock that `now` is in.
    pub(super) fn account_sends(account: &AccountId, now: Timestamp) -> Self {
        let sk = format!("SENDS#{}", now.strftime("%Y-%m-%dT%H"));
        Self {
            pk: account_partition(account),
            sk,
        }
    }

    /// DynamoDB deletes this item when the link of a person's invite stops working.
    pub(super) fn expiry(account: &AccountId, member: &MemberId) -> Self {
        Self {
            pk: account_partition(account),
            sk: format!("{EXPIRY}{member}"),
        }
    }

    pub(super) fn request(account: &AccountId, key: &IdempotencyKey) -> Self {
        Self {
            pk: account_partition(account),
            sk: format!("REQUEST#{}", key.hash()),
        }
    }

    /// Leads from a person to an account.
    pub(super) fn pointer(person: &EmailKey, account: &AccountId) -> Self {
        Self {
            pk: person_partition(person),
            sk: format!("{POINTER}{account}"),
        }
    }

    /// What leads from an identity to its row in an account.
    pub(super) fn identity_pointer(identity: &IdentityKey, account: &AccountId) -> Self {
        Self {
            pk: identity_partition(identity),
            sk: format!("{POINTER}{account}"),
        }
    }

    /// Mails to a person on the day (UTC) that `now` is in.
    pub(super) fn recipient_sends(person: &EmailKey, now: Timestamp) -> Self {
        Self {
            pk: person_partition(person),
            sk: format!("SENDS#{}", day_of(now)),
        }
    }

    pub(super) fn feedback(person: &EmailKey, at: Timestamp, id: &FeedbackId) -> Self {
        Self {
            pk: person_partition(person),
            sk: format!("{FEEDBACK}{}", feedback_order(at, id)),
        }
    }

    pub(super) fn of_feedback(feedback: &Feedback) -> Self {
        Self::feedback(&EmailKey::of(&feedback.email), feedback.at, &feedback.id)
    }

    /// A key that no item has.
    pub(super) fn nothing() -> Self {
        Self {
            pk: "NOTHING".to_owned(),
            sk: "NOTHING".to_owned(),
        }
    }

    pub(super) fn to_item(&self) -> Item {
        [("pk", &self.pk), ("sk", &self.sk)]
            .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.clone())))
            .into()
    }

    pub(super) fn of_item(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Self {
            pk: text("pk")?,
            sk: text("sk")?,
        })
    }
}

/// How the sort keys of the pointers from an address or an identity to accounts begin.
pub(super) const POINTER: &str = "ACCOUNT#";

/// The prefix of the sort keys of items that expire with an invite.
pub(super) const EXPIRY: &str = "EXPIRY#";

/// The prefix of the sort keys of feedback about a person.
pub(super) const FEEDBACK: &str = "FEEDBACK#";

/// Sorts reports by time, as text.
pub(super) fn feedback_order(at: Timestamp, id: &FeedbackId) -> String {
    format!("{}#{id}", at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

/// All feedback of a day (UTC), in the index `gsi1`.
pub(super) fn feedback_day(day: Date) -> String {
    format!("{FEEDBACK}{day}")
}

pub(super) fn account_partition(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

pub(super) fn identity_partition(identity: &IdentityKey) -> String {
    format!("IDENTITY#{identity}")
}

pub(super) fn person_partition(person: &EmailKey) -> String {
    format!("PERSON#{person}")
}
