//! Reading several items in one strongly consistent call.

use std::marker::PhantomData;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::Timestamp;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::feedback::Feedback;
use domain::id::{AccountId, EmailKey, FeedbackId, MemberId};
use domain::identity::{Identity, IdentityKey};
use domain::member::Member;
use domain::request::{IdempotencyKey, RecordedRequest};
use tokio::time::{sleep, timeout};

use super::error::{StoreError, unanswered};
use super::item::{Alias, Pointer, Stores, count, decode};
use super::key::Key;
use super::{Item, Store, Stored};
use crate::aws::DYNAMODB_TIMEOUTS;
use crate::random;

/// The most requests of one read: the first, and more for the keys that DynamoDB left unread.
const MOST_ROUNDS: u32 = 6;

/// The longest pause before the second request. It doubles with every further one. DynamoDB leaves
/// keys unread when it is throttling, and would refuse an immediate request, too
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
const PAUSE: Duration = Duration::from_millis(25);

/// The longest time of a read with all its requests: the same as for one request.
pub(crate) const LONGEST_READ: Duration = {
    let [_, request] = DYNAMODB_TIMEOUTS;
    request
};

/// A read that names its items first, and then asks for all of them at once.
///
/// At most 100 items: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
#[derive(Debug)]
pub struct Read<'a> {
    store: &'a Store,
    keys: Vec<Key>,
    /// Keys with more than one slot.
    shared: Vec<Key>,
}

/// The place of an item in a read.
#[derive(Debug)]
pub struct Slot<T> {
    /// None, if there is nothing to read.
    key: Option<Key>,
    holds: PhantomData<fn() -> T>,
}

/// The place of an address in a read: a row can stand there, or an alias.
#[derive(Debug)]
pub struct PlaceSlot {
    pub(super) row: Slot<Member>,
    pub(super) alias: Option<(Slot<Alias>, EmailAddress)>,
}

/// A counter of mails.
#[derive(Debug)]
pub struct SendCount;

#[derive(Debug)]
pub struct Found<'a> {
    pub(super) store: &'a Store,
    /// Few enough to look through.
    items: Vec<(Key, Item)>,
    shared: Vec<Key>,
}

impl<T> Slot<T> {
    /// The place of an item that another slot reads.
    fn at(key: Key) -> Self {
        Self {
            key: Some(key),
            holds: PhantomData,
        }
    }
}

impl<'a> Read<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            keys: Vec::new(),
            shared: Vec::new(),
        }
    }

    pub fn account(&mut self, account: &AccountId) -> Slot<Account> {
        self.slot(Key::account(account))
    }

    pub fn member(&mut self, account: &AccountId, member: &MemberId) -> Slot<Member> {
        self.slot(Key::member(account, member))
    }

    /// What stands where an address leads in an account.
    pub fn place(&mut self, account: &AccountId, email: &EmailAddress) -> PlaceSlot {
        let id = MemberId::of(account, email);
        self.place_of(account, &id, Some(email))
    }

    /// What stands at an id, and where that leads if it is the id of an address.
    pub fn place_of(
        &mut self,
        account: &AccountId,
        id: &MemberId,
        email: Option<&EmailAddress>,
    ) -> PlaceSlot {
        let key = Key::member(account, id);
        PlaceSlot {
            row: self.slot(key.clone()),
            alias: email.map(|email| (Slot::at(key), email.clone())),
        }
    }

    /// What an identity leads to in an account.
    pub fn pointer(&mut self, account: &AccountId, identity: &Identity) -> Slot<Pointer> {
        self.slot(Key::identity_pointer(&IdentityKey::of(identity), account))
    }

    /// The request that an idempotency key, if there is one, stands for in an account.
    pub fn request(
        &mut self,
        account: &AccountId,
        key: Option<&IdempotencyKey>,
    ) -> Slot<RecordedRequest> {
        match key {
            Some(key) => self.slot(Key::request(account, key)),
            None => Slot {
                key: None,
                holds: PhantomData,
            },
        }
    }

    /// The mails that an account sent in this hour.
    pub fn account_sends(&mut self, account: &AccountId, now: Timestamp) -> Slot<SendCount> {
        self.slot(Key::account_sends(account, now))
    }

    /// The mails that a person got on this day.
    pub fn recipient_sends(&mut self, person: &EmailKey, now: Timestamp) -> Slot<SendCount> {
        self.slot(Key::recipient_sends(person, now))
    }

    pub fn feedback(
        &mut self,
        person: &EmailKey,
        at: Timestamp,
        id: &FeedbackId,
    ) -> Slot<Feedback> {
        self.slot(Key::feedback(person, at, id))
    }

    fn slot<T>(&mut self, key: Key) -> Slot<T> {
        // DynamoDB refuses to read the same key twice in one call.
        let keys = if self.keys.contains(&key) {
            &mut self.shared
        } else {
            &mut self.keys
        };
        keys.push(key.clone());
        Slot::at(key)
    }

    /// Reads all items.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer, or leaves items out again and again because it is throttling.
    pub async fn run(self) -> Result<Found<'a>, StoreError> {
        timeout(LONGEST_READ, self.rounds())
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the read took too long".to_owned())))
    }

    /// Asks until nothing is left.
    async fn rounds(self) -> Result<Found<'a>, StoreError> {
        let mut items = Vec::new();
        let mut wanted = self.keys.iter().map(Key::to_item).collect::<Vec<_>>();
        for round in 0..MOST_ROUNDS {
            if round > 0 {
                sleep(random::up_to(PAUSE * 2_u32.pow(round - 1))).await;
            }
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| StoreError::Broken(error.to_string()))?;
            let mut output = self
                .store
                .client
                .batch_get_item()
                .request_items(&self.store.table, request)
                .send()
                .await
                .map_err(|error| unanswered(&error))?;
            let responses = output.responses.take().unwrap_or_default();
            for item in responses.into_values().flatten() {
                if let Some(key) = Key::of_item(&item) {
                    items.push((key, item));
                }
            }
            let left = output.unprocessed_keys.take().unwrap_or_default();
            wanted = left.into_values().flat_map(|left| left.keys).collect();
            if wanted.is_empty() {
                return Ok(Found {
                    store: self.store,
                    items,
                    shared: self.shared,
                });
            }
        }
        Err(StoreError::Unavailable(
            "DynamoDB left keys unread".to_owned(),
        ))
    }
}

impl Found<'_> {
    /// The item of a slot, if there is one. It is copied only if another slot has it, too.
    ///
    /// # Errors
    ///
    /// If the item can't be decoded.
    #[expect(
        private_bounds,
        reason = "slots are made for the types of the table alone"
    )]
    pub fn take<T: Stores>(&mut self, slot: Slot<T>) -> Result<Option<Stored<T>>, StoreError> {
        let Some(key) = slot.key else {
            return Ok(None);
        };
        let is_one = |found: &Key, item: &Item| *found == key && T::is(item);
        let mut items = self.items.iter();
        let item = if self.shared.contains(&key) {
            let found = items.find(|(found, item)| is_one(found, item));
            found.map(|(_, item)| item.clone())
        } else {
            let place = items.position(|(found, item)| is_one(found, item));
            place.map(|place| self.items.swap_remove(place).1)
        };
        item.map(|item| decode(&key, item)).transpose()
    }

    /// The value of a counter, or 0 if it does not exist.
    #[must_use]
    pub fn count(&self, slot: &Slot<SendCount>) -> u32 {
        let key = slot.key.as_ref();
        let mut items = self.items.iter();
        items
            .find(|(found, _)| Some(found) == key)
            .map_or(0, |(_, item)| count(item))
    }
}
