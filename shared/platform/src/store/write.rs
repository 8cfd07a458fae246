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
use domain::feedback::Feedback;
use domain::id::{AccountId, EmailKey, MemberId};
use domain::identity::{Identity, IdentityKey};
use domain::limits::{Limits, next_day, next_hour};
use domain::member::Member;
use domain::refusal::SendLimit;
use domain::request::{IdempotencyKey, RecordedRequest};
use tracing::warn;

use super::actor::Actor;
use super::error::{StoreError, unanswered};
use super::item::{Alias, Pointer, Stores, encode, expires};
use super::key::Key;
use super::memberships::Place;
use super::{Item, Store, Stored, next_version};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Attempt<T> {
    /// All of it is written, or there was nothing to write.
    Settled(T),
    /// Another writer was faster, or the answer was lost, so the result is unknown: read and decide
    /// again. A decision recognises its own write.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum CountedAttempt<T> {
    Settled(T),
    Lost,
    /// Nothing is written, because a limit on mail is reached.
    LimitReached(SendLimit),
}

/// A write to an account: of one item, or of several that change together or not at all.
#[derive(Debug)]
pub struct Write<'a> {
    store: &'a Store,
    account: AccountId,
    /// What an actor stands on whom a login has yet to bind: the row, which the first login binds, and the
    /// identity's pointer, since that login may bind the identity to another row. Other actors need no
    /// guard: only a handover takes an owner's rights away, and what the former owner was doing at that
    /// moment counts as done before.
    unbound_actor: Vec<(Key, Option<u64>)>,
    changes: Vec<ItemWrite>,
    broken: Option<StoreError>,
}

/// A write that counts mails, and is made only below their limits.
#[derive(Debug)]
pub struct CountingWrite<'a>(Write<'a>);

#[derive(Debug)]
struct ItemWrite {
    key: Key,
    condition: Condition,
    update: Expression,
}

#[derive(Debug, Clone, Copy)]
enum Condition {
    /// The item still has the version that was seen, or is still absent. The update makes it the
    /// next version.
    Seen,
    /// The same, but the update doesn't change the item.
    Unchanged,
    Below(SendLimit),
    /// None: writing it twice has the same result as writing it once.
    Idempotent,
}

#[derive(Debug, Default)]
struct Expression {
    update: String,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl<'a> Write<'a> {
    pub(super) fn by_service(store: &'a Store, account: &AccountId) -> Self {
        Self {
            store,
            account: account.clone(),
            unbound_actor: Vec::new(),
            changes: Vec::new(),
            broken: None,
        }
    }

    pub(super) fn by_actor(store: &'a Store, actor: &Actor<'_>) -> Self {
        let (account, member) = (&actor.account().id, actor.member());
        let mut write = Self::by_service(store, account);
        if let Some((identity, pointer)) = actor.unbound() {
            let row = Key::member(account, &member.id);
            let leads = Key::identity_pointer(&IdentityKey::of(identity), account);
            let pointer = pointer.map(|pointer| pointer.version);
            write.unbound_actor = vec![(row, Some(member.version)), (leads, pointer)];
        }
        write
    }

    /// Writes an account over the version that was seen.
    #[must_use]
    pub fn account(self, seen: Option<&Stored<Account>>, account: &Account) -> Self {
        let key = Key::account(&account.id);
        self.item(key, seen, account)
    }

    /// Demands that the account still has the version that was seen.
    #[must_use]
    pub fn account_unchanged(self, seen: &Stored<Account>) -> Self {
        self.unchanged(Key::account(&seen.value.id), Some(seen.version))
    }

    fn unchanged(mut self, key: Key, version: Option<u64>) -> Self {
        let mut expression = Expression::default();
        expression.require_version(version);
        self.changes.push(ItemWrite {
            key,
            condition: Condition::Unchanged,
            update: expression,
        });
        self
    }

    /// Writes a person over the version that was seen.
    #[must_use]
    pub fn member(self, seen: Option<&Stored<Member>>, member: &Member) -> Self {
        let key = Key::member(&self.account, &member.id);
        self.item(key, seen, member)
    }

    /// Writes a person over what was seen where the person's address leads.
    #[must_use]
    pub fn place(self, seen: &Place, member: &Member) -> Self {
        match seen.stale_alias() {
            Some(alias) => {
                let key = Key::member(&self.account, &member.id);
                self.item(key, Some(alias), member)
            }
            None => self.member(seen.occupant(), member),
        }
    }

    /// Has the later address of a person lead to the person's row and to the account. `seen` is what
    /// stands where that address leads: only an alias that leads nowhere now makes way.
    #[must_use]
    pub fn address(self, seen: &Place, member: &Member) -> Self {
        let email = &member.email;
        let write = self.pointer(&EmailKey::of(email));
        let key = Key::member(&write.account, &MemberId::of(&write.account, email));
        let alias = Alias {
            alias: member.id.clone(),
        };
        match seen {
            Place::Empty => write.item::<Alias, _>(key, None, &alias),
            Place::Alias(stale, None) => write.item(key, Some(stale), &alias),
            Place::Alias(_, Some(_)) | Place::Row(_) => write,
        }
    }

    /// Has an identity lead to a row, over what was seen of where it led.
    #[must_use]
    pub fn identity_pointer(
        self,
        identity: &Identity,
        seen: Option<&Stored<Pointer>>,
        row: &MemberId,
    ) -> Self {
        let key = Key::identity_pointer(&IdentityKey::of(identity), &self.account);
        let member = row.clone();
        self.item(key, seen, &Pointer { member })
    }

    /// Writes what leads from a person to the account.
    #[must_use]
    pub fn pointer(mut self, person: &EmailKey) -> Self {
        let mut expression = Expression::default();
        let (version, one) = (expression.name("version"), expression.value(number(1)));
        expression.update = format!("SET {version} = {one}");
        self.changes.push(ItemWrite {
            key: Key::pointer(person, &self.account),
            condition: Condition::Idempotent,
            update: expression,
        });
        self
    }

    /// Makes DynamoDB delete an item when the newest link of an invite stops working. The deletion
    /// reaches the table's stream, so the rest of the product learns of the expiry.
    #[must_use]
    pub fn expiry(mut self, member: &MemberId, at: Timestamp) -> Self {
        let mut expression = Expression::default();
        let (expiry, at) = (expression.name("expires"), expression.value(expires(at)));
        expression.update = format!("SET {expiry} = {at}");
        self.changes.push(ItemWrite {
            key: Key::expiry(&self.account, member),
            condition: Condition::Idempotent,
            update: expression,
        });
        self
    }

    /// Writes the record of a request over the version that was seen, if the request has a key.
    #[must_use]
    pub fn request(
        self,
        key: Option<&IdempotencyKey>,
        seen: Option<&Stored<RecordedRequest>>,
        request: &RecordedRequest,
    ) -> Self {
        match key {
            Some(key) => {
                let key = Key::request(&self.account, key);
                self.item(key, seen, request)
            }
            None => self,
        }
    }

    /// Records a report of the mail system, unless it is recorded already.
    #[must_use]
    pub fn feedback(self, person: &EmailKey, feedback: &Feedback) -> Self {
        let key = Key::feedback(person, feedback.at, &feedback.id);
        self.item::<Feedback, _>(key, None, feedback)
    }

    /// Counts a mail of the account and of its recipient, if both are below their limits: the
    /// account in this hour, the recipient on this day.
    #[must_use]
    pub fn count_send(
        self,
        recipient: &EmailKey,
        limits: &Limits,
        now: Timestamp,
    ) -> CountingWrite<'a> {
        let account = Key::account_sends(&self.account, now);
        let person = Key::recipient_sends(recipient, now);
        let (hourly, daily) = (limits.sends_per_hour, limits.sends_per_recipient_per_day);
        let counted = self
            .count(account, SendLimit::Account, hourly, next_hour(now))
            .count(person, SendLimit::Recipient, daily, next_day(now));
        CountingWrite(counted)
    }

    fn item<S: Stores, T: Stores>(mut self, key: Key, seen: Option<&Stored<S>>, value: &T) -> Self {
        let version = seen.map(|seen| seen.version);
        let before = seen.map_or_else(|| Ok(Item::new()), |seen| encode(&seen.value));
        match (before, encode(value)) {
            (Ok(before), Ok(after)) => self.changes.push(ItemWrite {
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
        self.changes.push(ItemWrite {
            key,
            condition: Condition::Below(which),
            update: expression,
        });
        self
    }

    /// Writes one item by `UpdateItem`, and several by `TransactWriteItems`. The attempt settles
    /// with `value`.
    ///
    /// # Errors
    ///
    /// If DynamoDB finds the request wrong. If DynamoDB does not answer, the attempt counts as
    /// [`Attempt::Lost`], because the write may have happened.
    pub async fn commit<T>(self, value: T) -> Result<Attempt<T>, StoreError> {
        Ok(match self.outcome().await? {
            Written::Done => Attempt::Settled(value),
            // This write counts no mail.
            Written::Lost | Written::LimitReached(_) => Attempt::Lost,
        })
    }

    async fn outcome(mut self) -> Result<Written, StoreError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        for (key, version) in std::mem::take(&mut self.unbound_actor) {
            if !self.changes.iter().any(|change| change.key == key) {
                self = self.unchanged(key, version);
            }
        }
        if self.changes.len() > 1 {
            return transact(self.store, self.changes).await;
        }
        match self.changes.pop() {
            Some(change) => update(self.store, change).await,
            None => Ok(Written::Done),
        }
    }
}

impl CountingWrite<'_> {
    /// Like [`Write::commit`].
    ///
    /// # Errors
    ///
    /// Those of [`Write::commit`].
    pub async fn commit<T>(self, value: T) -> Result<CountedAttempt<T>, StoreError> {
        Ok(match self.0.outcome().await? {
            Written::Done => CountedAttempt::Settled(value),
            Written::Lost => CountedAttempt::Lost,
            Written::LimitReached(limit) => CountedAttempt::LimitReached(limit),
        })
    }
}

enum Written {
    Done,
    Lost,
    LimitReached(SendLimit),
}

async fn update(store: &Store, change: ItemWrite) -> Result<Written, StoreError> {
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
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(error))
            if matches!(
                error.err(),
                UpdateItemError::ConditionalCheckFailedException(_)
            ) =>
        {
            Ok(Written::Lost)
        }
        Err(error) => lost_or_broken(&error),
    }
}

async fn transact(store: &Store, changes: Vec<ItemWrite>) -> Result<Written, StoreError> {
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
        Ok(_) => Ok(Written::Done),
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
    change: ItemWrite,
) -> Result<TransactWriteItem, aws_smithy_types::error::operation::BuildError> {
    let ItemWrite {
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

/// Reads the reasons, which have the order of the changes. A limit counts only if all other
/// conditions held: otherwise the next attempt decides.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
fn why_cancelled(
    conditions: &[Condition],
    reasons: &[CancellationReason],
) -> Result<Written, StoreError> {
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
        Some(limit) if !lost => Ok(Written::LimitReached(limit)),
        _ => Ok(Written::Lost),
    }
}

/// A write without an answer may have happened: the next attempt finds out.
fn lost_or_broken<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
) -> Result<Written, StoreError> {
    match unanswered(error) {
        StoreError::Unavailable(cause) => {
            warn!(cause, "a write got no answer");
            Ok(Written::Lost)
        }
        broken @ StoreError::Broken(_) => Err(broken),
    }
}

impl Expression {
    /// The update that turns one item into another. It keeps attributes that neither has: a newer
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
