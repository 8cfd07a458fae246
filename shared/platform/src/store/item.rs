//! Conversions between values of the domain and items.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::account::Account;
use domain::feedback::Feedback;
use domain::id::MemberId;
use domain::limits::day_of;
use domain::member::Member;
use domain::request::RecordedRequest;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::key::{Key, feedback_day, feedback_order};
use super::rank::rank;
use super::{Item, Stored};

/// A type that has items of its own in the table: its serialised form, a key, a version, and what
/// [`Stores::beside`] adds.
pub(super) trait Stores: Serialize + for<'de> Deserialize<'de> {
    /// Attributes that the table needs and the value does not have: sort keys of indexes, and the
    /// time after which DynamoDB deletes the item.
    fn beside(&self) -> Vec<(&'static str, AttributeValue)> {
        Vec::new()
    }

    /// Whether an item is one of this type, where two types can stand at one key.
    fn is(_item: &Item) -> bool {
        true
    }
}

/// Leads from a later address of a person to the person's row. It stands where the row of the address
/// would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    pub alias: MemberId,
}

/// Leads from an identity to the row that it was bound to last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    pub member: MemberId,
}

/// What an alias has and a row does not.
const ALIAS: &str = "alias";

impl Stores for Alias {
    fn is(item: &Item) -> bool {
        item.contains_key(ALIAS)
    }
}

impl Stores for Pointer {}

impl Stores for Account {}

impl Stores for RecordedRequest {}

impl Stores for Member {
    fn beside(&self) -> Vec<(&'static str, AttributeValue)> {
        vec![("rank", AttributeValue::S(rank(self)))]
    }

    fn is(item: &Item) -> bool {
        !item.contains_key(ALIAS)
    }
}

impl Stores for Feedback {
    fn beside(&self) -> Vec<(&'static str, AttributeValue)> {
        let (day, order) = (
            feedback_day(day_of(self.at)),
            feedback_order(self.at, &self.id),
        );
        let until = self.at.saturating_add(Self::LIFETIME);
        vec![
            ("gsi1pk", AttributeValue::S(day)),
            ("gsi1sk", AttributeValue::S(order)),
            ("expires", expires(until.unwrap_or(Timestamp::MAX))),
        ]
    }
}

/// The attributes of a value, without key and version.
pub(super) fn encode<T: Stores>(value: &T) -> Result<Item, StoreError> {
    let mut item: Item = serde_dynamo::to_item(value)
        .map_err(|error| StoreError::Broken(format!("an item cannot be written: {error}")))?;
    let beside = value.beside().into_iter();
    item.extend(beside.map(|(name, attribute)| (name.to_owned(), attribute)));
    Ok(item)
}

/// Decodes an item. The reason of a failure stays out of the log: it could quote a name.
pub(super) fn decode<T: Stores>(key: &Key, item: Item) -> Result<Stored<T>, StoreError> {
    let broken = || StoreError::Broken(format!("the item {} {} cannot be read", key.pk, key.sk));
    let version = version(&item).ok_or_else(broken)?;
    let value = serde_dynamo::from_item(item).map_err(|_| broken())?;
    Ok(Stored { value, version })
}

fn version(item: &Item) -> Option<u64> {
    item.get("version")?.as_n().ok()?.parse().ok()
}

pub(super) fn count(item: &Item) -> u32 {
    item.get("count")
        .and_then(|n| n.as_n().ok())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

/// DynamoDB deletes an item some time after this attribute has passed. That is only tidying: the
/// code decides which items count.
pub(super) fn expires(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_second().to_string())
}
