//! The table's stream: rows before and after a write.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::account::Account;
use domain::change::{Change, of_account, of_member};
use domain::id::{AccountId, MemberId};
use domain::member::Member;
use serde_json::Value;

use super::item::{Stores, decode};
use super::key::{EXPIRY, Key};
use super::{Item, StoreError, Stored};

/// The write of one row, as a record of the stream
/// (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>).
#[derive(Debug)]
pub struct Record<'a>(&'a Value);

/// The changes that one write made to an account or a person.
#[derive(Debug)]
pub struct Changes {
    pub account: AccountId,
    /// Rises with every write of the same row.
    pub version: u64,
    /// Often empty: most writes change nothing that others need to know.
    pub changes: Vec<Change>,
}

impl<'a> Record<'a> {
    pub fn of_event(event: &'a Value) -> impl Iterator<Item = Self> {
        let records = event.get("Records").and_then(Value::as_array);
        records.into_iter().flatten().map(Self)
    }

    /// Lambda identifies the record by this place in the stream.
    #[must_use]
    pub fn sequence_number(&self) -> &'a str {
        self.text("/dynamodb/SequenceNumber")
    }

    /// Stays the same when the record comes again.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.text("/eventID")
    }

    /// The time of the write, in seconds since 1970. It is not exact.
    #[must_use]
    pub fn time(&self) -> i64 {
        let time = self.0.pointer("/dynamodb/ApproximateCreationDateTime");
        time.and_then(Value::as_f64).unwrap_or_default() as i64
    }

    /// The changes, if the row is an account's or a person's.
    ///
    /// # Errors
    ///
    /// If the row can't be decoded.
    pub fn changes(&self) -> Result<Option<Changes>, StoreError> {
        let Some(after) = self.image("NewImage") else {
            return Ok(None);
        };
        let before = self.image("OldImage");
        let key = Key::of_item(&after).unwrap_or_else(Key::nothing);
        let account = key.pk.strip_prefix("ACCOUNT#").map(str::parse);
        let Some(Ok(account)) = account else {
            return Ok(None);
        };
        let (version, changes) = if key.sk == "ACCOUNT" {
            let (before, after) = states::<Account>(&key, before, after)?;
            let changes = before.map(|before| of_account(&before, &after));
            (after.version, changes.unwrap_or_default())
        } else if key.sk.starts_with("MEMBER#") && Member::is(&after) {
            let before = before.filter(Member::is);
            let (before, after) = states::<Member>(&key, before, after)?;
            let change = of_member(before.as_deref(), &after);
            (after.version, change.into_iter().collect())
        } else {
            return Ok(None);
        };
        Ok(Some(Changes {
            account,
            version,
            changes,
        }))
    }

    /// The expired invite, if DynamoDB deleted the item that expires with it: the account, the
    /// person, and the end of the invite.
    #[must_use]
    pub fn expired_invite(&self) -> Option<(AccountId, MemberId, Timestamp)> {
        if self.text("/userIdentity/principalId") != "dynamodb.amazonaws.com" {
            return None;
        }
        let gone = self.image("OldImage")?;
        let key = Key::of_item(&gone)?;
        let account = key.pk.strip_prefix("ACCOUNT#")?.parse().ok()?;
        let member = key.sk.strip_prefix(EXPIRY)?.parse().ok()?;
        let expires = gone.get("expires")?.as_n().ok()?.parse().ok()?;
        Some((account, member, Timestamp::from_second(expires).ok()?))
    }

    fn text(&self, pointer: &str) -> &'a str {
        let text = self.0.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    }

    fn image(&self, name: &str) -> Option<Item> {
        let image = self.0.get("dynamodb")?.get(name)?.as_object()?;
        image
            .iter()
            .map(|(name, value)| Some((name.clone(), attribute(value)?)))
            .collect()
    }
}

fn states<T: Stores>(
    key: &Key,
    before: Option<Item>,
    after: Item,
) -> Result<(Option<Stored<T>>, Stored<T>), StoreError> {
    let before = before.map(|before| decode(key, before)).transpose()?;
    Ok((before, decode(key, after)?))
}

/// An attribute in DynamoDB's JSON. None, if rows don't have its type.
fn attribute(value: &Value) -> Option<AttributeValue> {
    let (kind, value) = value.as_object()?.iter().next()?;
    Some(match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text.clone()),
        ("N", Value::String(number)) => AttributeValue::N(number.clone()),
        ("BOOL", Value::Bool(flag)) => AttributeValue::Bool(*flag),
        ("NULL", _) => AttributeValue::Null(true),
        ("L", Value::Array(items)) => {
            AttributeValue::L(items.iter().map(attribute).collect::<Option<_>>()?)
        }
        ("M", Value::Object(fields)) => {
            let fields = fields
                .iter()
                .map(|(name, value)| Some((name.clone(), attribute(value)?)));
            AttributeValue::M(fields.collect::<Option<HashMap<_, _>>>()?)
        }
        _ => return None,
    })
}
