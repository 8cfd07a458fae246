//! Writing on the condition that what was seen still holds.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, TransactWriteItem, Update,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::Timestamp;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::feedback::Feedback;
use domain::id::{AccountId, MemberId};
use domain::limits::{next_day, next_hour};
use domain::member::Member;
use domain::refusal::SendLimit;
use domain::request::{IdempotencyKey, RecordedRequest};
use tracing::warn;

use super::item::{Stores, encode, expires};
use super::key::Key;
use super::{Item, Store, StoreError, Stored, next_version};
use crate::aws::cause;

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Commit {
    /// All of it is written.
    Done,
    /// Another writer was faster, or the answer was lost and nobody knows: read and decide again.
    /// A decision recognises its own write.
    Lost,
    /// Nothing is written, because a limit on mail is reached.
    LimitReached(SendLimit),
}

/// A write of one item, or of several that change together or not at all.
#[derive(Debug)]
pub struct Write<'a> {
    store: &'a Store,
    changes: Vec<Change>,
    broken: Option<StoreError>,
}

/// One item's part in a write.
#[derive(Debug)]
struct Change {
    key: Key,
    condition: Condition,
    update: Expression,
}

#[derive(Debug, Clone, Copy)]
enum Condition {
    /// The item is as it was seen: at that version, or absent. The update makes it the next one.
    Seen,
    /// As above, but the item stays as it is.
    Unchanged,
    /// The counter is below its limit.
    Below(SendLimit),
    /// None: writing it twice is the same as writing it once.
    Idempotent,
}

/// A DynamoDB expression with its placeholders.
#[derive(Debug, Default)]
struct Expression {
    update: String,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl<'a> Write<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            changes: Vec::new(),
            broken: None,
        }
    }

    /// Writes an account over what was seen of it.
    #[must_use]
    pub fn account(self, seen: Option<&Stored<Account>>, account: &Account) -> Self {
        let key = Key::account(&account.id);
        self.item(key, seen, account)
    }

    /// Demands that an account is still as it was seen.
    #[must_use]
    pub fn account_unchanged(self, seen: &Stored<Account>) -> Self {
        self.unchanged(Key::account(&seen.value.id), seen.version)
    }

    /// Demands that a caller who has never logged in still has not: the first login binds who that
    /// is, and nobody else can act after it. Of other callers it demands nothing, since rights do
    /// not change while a call is under way but by a removal, and an owner is not removed. To be
    /// said last, because the caller's row can be among those that are written.
    #[must_use]
    pub fn still_unbound(self, account: &AccountId, caller: Option<&Stored<Member>>) -> Self {
        let Some(unbound) = caller.filter(|caller| caller.value.is_unbound()) else {
            return self;
        };
        let key = Key::member(account, &unbound.value.id);
        if self.changes.iter().any(|change| change.key == key) {
            return self;
        }
        self.unchanged(key, unbound.version)
    }

    fn unchanged(mut self, key: Key, version: u64) -> Self {
        let mut expression = Expression::default();
        expression.require_version(Some(version));
        self.changes.push(Change {
            key,
            condition: Condition::Unchanged,
            update: expression,
        });
        self
    }

    /// Writes a person over what was seen of that person.
    #[must_use]
    pub fn member(
        self,
        account: &AccountId,
        seen: Option<&Stored<Member>>,
        member: &Member,
    ) -> Self {
        let key = Key::member(account, &member.id);
        self.item(key, seen, member)
    }

    /// Writes the pointer from a person to an account.
    #[must_use]
    pub fn membership(mut self, email: &EmailAddress, account: &AccountId) -> Self {
        let mut expression = Expression::default();
        let (version, one) = (expression.name("version"), expression.value(number(1)));
        expression.update = format!("SET {version} = {one}");
        self.changes.push(Change {
            key: Key::membership(email, account),
            condition: Condition::Idempotent,
            update: expression,
        });
        self
    }

    /// Has DynamoDB delete an item when the newest link of an invite stops working. The table's
    /// stream tells of that, and so the rest of the product learns it.
    #[must_use]
    pub fn expiry(mut self, account: &AccountId, member: &MemberId, at: Timestamp) -> Self {
        let mut expression = Expression::default();
        let (expiry, at) = (expression.name("expires"), expression.value(expires(at)));
        expression.update = format!("SET {expiry} = {at}");
        self.changes.push(Change {
            key: Key::expiry(account, member),
            condition: Condition::Idempotent,
            update: expression,
        });
        self
    }

    /// Writes the record of a request over what was seen of it, if the request has a key.
    #[must_use]
    pub fn request(
        self,
        account: &AccountId,
        key: Option<&IdempotencyKey>,
        seen: Option<&Stored<RecordedRequest>>,
        request: &RecordedRequest,
    ) -> Self {
        match key {
            Some(key) => self.item(Key::request(account, key), seen, request),
            None => self,
        }
    }

    /// Counts a mail of an account, if it has sent fewer than `limit` in this hour.
    #[must_use]
    pub fn account_send(self, account: &AccountId, limit: u32, now: Timestamp) -> Self {
        let key = Key::account_sends(account, now);
        self.count(key, SendLimit::Account, limit, next_hour(now))
    }

    /// Counts a mail to a person, if that person got fewer than `limit` on this day.
    #[must_use]
    pub fn recipient_send(self, email: &EmailAddress, limit: u32, now: Timestamp) -> Self {
        let key = Key::recipient_sends(email, now);
        self.count(key, SendLimit::Recipient, limit, next_day(now))
    }

    /// Records a report of the mail system, if it is not recorded.
    #[must_use]
    pub fn feedback(self, feedback: &Feedback) -> Self {
        self.item(Key::feedback(feedback), None, feedback)
    }

    fn item<T: Stores>(mut self, key: Key, seen: Option<&Stored<T>>, value: &T) -> Self {
        let version = seen.map(|seen| seen.version);
        let before = seen.map_or_else(|| Ok(Item::new()), |seen| encode(&seen.value));
        match (before, encode(value)) {
            (Ok(before), Ok(after)) => self.changes.push(Change {
                key,
                condition: Condition::Seen,
                update: Expression::changing(&before, after, version),
            }),
            (Err(error), _) | (_, Err(error)) => self.broken = Some(error),
        }
        self
    }

    fn count(mut self, key: Key, which: SendLimit, limit: u32, until: Timestamp) -> Self {
        let mut expression = Expression::default();
        let (count, one) = (expression.name("count"), expression.value(number(1)));
        let (expiry, until) = (expression.name("expires"), expression.value(expires(until)));
        let limit = expression.value(number(u64::from(limit)));
        expression.update = format!("ADD {count} {one} SET {expiry} = {until}");
        expression.condition = Some(format!(
            "attribute_not_exists({count}) OR {count} < {limit}"
        ));
        self.changes.push(Change {
            key,
            condition: Condition::Below(which),
            update: expression,
        });
        self
    }

    /// Writes: one item by `UpdateItem`, several by `TransactWriteItems`.
    ///
    /// # Errors
    ///
    /// If DynamoDB finds the request wrong. If it does not answer, the write counts as
    /// [`Commit::Lost`], because it may have happened.
    pub async fn commit(mut self) -> Result<Commit, StoreError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        if self.changes.len() > 1 {
            return transact(self.store, self.changes).await;
        }
        match self.changes.pop() {
            Some(change) => update(self.store, change).await,
            None => Ok(Commit::Done),
        }
    }
}

async fn update(store: &Store, change: Change) -> Result<Commit, StoreError> {
    let result = store
        .client
        .update_item()
        .table_name(&store.table)
        .set_key(Some(change.key.to_item()))
        .update_expression(change.update.update)
        .set_condition_expression(change.update.condition)
        .set_expression_attribute_names(Some(change.update.names))
        .set_expression_attribute_values(Some(change.update.values))
        .send()
        .await;
    match result {
        Ok(_) => Ok(Commit::Done),
        Err(SdkError::ServiceError(error))
            if matches!(
                error.err(),
                UpdateItemError::ConditionalCheckFailedException(_)
            ) =>
        {
            Ok(Commit::Lost)
        }
        Err(error) => lost_or_broken(&error),
    }
}

async fn transact(store: &Store, changes: Vec<Change>) -> Result<Commit, StoreError> {
    let conditions: Vec<Condition> = changes.iter().map(|change| change.condition).collect();
    let items = changes
        .into_iter()
        .map(|change| transact_item(&store.table, change))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| StoreError::Broken(error.to_string()))?;
    let result = store
        .client
        .transact_write_items()
        .set_transact_items(Some(items))
        .send()
        .await;
    match result {
        Ok(_) => Ok(Commit::Done),
        Err(SdkError::ServiceError(error)) => match error.err() {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                why_cancelled(&conditions, cancelled.cancellation_reasons())
            }
            _ => lost_or_broken(&SdkError::ServiceError(error)),
        },
        Err(error) => lost_or_broken(&error),
    }
}

fn transact_item(
    table: &str,
    change: Change,
) -> Result<TransactWriteItem, aws_smithy_types::error::operation::BuildError> {
    let Change {
        key,
        condition,
        update: expression,
    } = change;
    let item = TransactWriteItem::builder();
    let item = match condition {
        Condition::Unchanged => item.condition_check(
            ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(key.to_item()))
                .set_condition_expression(expression.condition)
                .set_expression_attribute_names(Some(expression.names))
                .set_expression_attribute_values(Some(expression.values))
                .build()?,
        ),
        Condition::Seen | Condition::Below(_) | Condition::Idempotent => item.update(
            Update::builder()
                .table_name(table)
                .set_key(Some(key.to_item()))
                .update_expression(expression.update)
                .set_condition_expression(expression.condition)
                .set_expression_attribute_names(Some(expression.names))
                .set_expression_attribute_values(Some(expression.values))
                .build()?,
        ),
    };
    Ok(item.build())
}

/// Reads the reasons, which stand in the order of the changes. A limit counts only if everything
/// else was as seen: otherwise the next attempt will tell.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
fn why_cancelled(
    conditions: &[Condition],
    reasons: &[CancellationReason],
) -> Result<Commit, StoreError> {
    let mut limit_reached = None;
    let mut lost = false;
    for (condition, reason) in conditions.iter().zip(reasons) {
        match (reason.code(), condition) {
            (None | Some("None"), _) => {}
            (Some("ConditionalCheckFailed"), Condition::Below(limit)) => {
                limit_reached = Some(*limit);
            }
            (
                Some(
                    "ConditionalCheckFailed"
                    | "TransactionConflict"
                    | "ThrottlingError"
                    | "ProvisionedThroughputExceeded",
                ),
                _,
            ) => lost = true,
            (Some(code), _) => {
                return Err(StoreError::Broken(format!(
                    "a transaction was cancelled: {code}"
                )));
            }
        }
    }
    match limit_reached {
        Some(limit) if !lost => Ok(Commit::LimitReached(limit)),
        _ => Ok(Commit::Lost),
    }
}

/// A write without an answer may have happened: whoever decides next will see.
fn lost_or_broken<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
) -> Result<Commit, StoreError> {
    match unanswered(error) {
        StoreError::Unavailable(cause) => {
            warn!(cause, "a write got no answer");
            Ok(Commit::Lost)
        }
        broken @ StoreError::Broken(_) => Err(broken),
    }
}

/// Tells what may pass from what will not. DynamoDB's client errors (HTTP 400) are final, but for
/// throttling and conflicts
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
pub(super) fn unanswered<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> StoreError {
    const PASSING: [&str; 6] = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ReplicatedWriteConflictException",
    ];
    let is_final = match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or_default();
            service.raw().status().is_client_error() && !PASSING.contains(&code)
        }
        SdkError::ConstructionFailure(_) => true,
        _ => false,
    };
    if is_final {
        StoreError::Broken(cause(error))
    } else {
        StoreError::Unavailable(cause(error))
    }
}

impl Expression {
    /// The update that makes one item out of another. What neither has stays as it is: a newer
    /// release may have written attributes that this one does not know.
    fn changing(before: &Item, after: Item, version: Option<u64>) -> Self {
        let mut expression = Self::default();
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        let gone: Vec<String> = gone.map(|name| expression.name(name)).collect();
        let new = number(next_version(version));
        let mut changed: Vec<(String, AttributeValue)> = after
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .collect();
        changed.push(("version".to_owned(), new));
        let set: Vec<String> = changed
            .into_iter()
            .map(|(name, value)| {
                format!("{} = {}", expression.name(&name), expression.value(value))
            })
            .collect();
        expression.update = format!("SET {}", set.join(", "));
        if !gone.is_empty() {
            expression.update += &format!(" REMOVE {}", gone.join(", "));
        }
        expression.require_version(version);
        expression
    }

    fn require_version(&mut self, version: Option<u64>) {
        self.condition = Some(match version {
            Some(version) => {
                let (name, seen) = (self.name("version"), self.value(number(version)));
                format!("{name} = {seen}")
            }
            None => "attribute_not_exists(pk)".to_owned(),
        });
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
