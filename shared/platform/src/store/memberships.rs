//! The callers' rows: by the identity of a caller, and by the address where a token proves one.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::access::{Caller, Candidates, Membership};
use domain::account::Account;
use domain::address::EmailAddress;
use domain::id::{AccountId, EmailKey, MemberId};
use domain::identity::{Identity, IdentityKey};
use domain::login::Entrance;
use domain::member::Member;
use futures_util::future::{try_join, try_join_all};

use super::error::{StoreError, unanswered};
use super::item::{Alias, Pointer, decode};
use super::key::{Key, POINTER, identity_partition, person_partition};
use super::read::PlaceSlot;
use super::{Found, Item, Read, Slot, Store, Stored};

/// A person's place in an account, as it was read.
#[derive(Debug)]
pub struct StoredMembership {
    pub account: Stored<Account>,
    pub member: Stored<Member>,
    /// Where the identity led, if the member's row does not belong to it.
    pub(super) pointer: Option<Stored<Pointer>>,
}

impl StoredMembership {
    #[must_use]
    pub fn as_ref(&self) -> Membership<'_> {
        Membership {
            account: &self.account,
            member: &self.member,
        }
    }
}

/// What stands where an address leads in an account.
#[derive(Debug, Default)]
pub enum Place {
    #[default]
    Empty,
    Row(Stored<Member>),
    /// A later address of a person, and that person's row if it still has the address.
    Alias(Stored<Alias>, Option<Stored<Member>>),
}

impl Place {
    /// The row of the person who has the address.
    fn row_of(&self, email: &EmailAddress) -> Option<&Stored<Member>> {
        self.occupant().filter(|row| row.email == *email)
    }

    /// The row that stands there, whoever has the address now.
    #[must_use]
    pub fn occupant(&self) -> Option<&Stored<Member>> {
        match self {
            Self::Row(row) | Self::Alias(_, Some(row)) => Some(row),
            Self::Alias(_, None) | Self::Empty => None,
        }
    }

    /// Whether a row stands there.
    pub(super) fn is_of(&self, row: &MemberId) -> bool {
        self.occupant().is_some_and(|occupant| occupant.id == *row)
    }

    /// The alias that no longer leads anywhere, and can be replaced.
    #[must_use]
    pub fn stale_alias(&self) -> Option<&Stored<Alias>> {
        match self {
            Self::Alias(alias, None) => Some(alias),
            Self::Alias(_, Some(_)) | Self::Row(_) | Self::Empty => None,
        }
    }

    /// What stands there once `member` was committed over it.
    #[must_use]
    pub fn taken_by(&self, member: Member) -> Self {
        Self::Row(match self.stale_alias() {
            Some(alias) => Stored::after(Some(alias), member),
            None => Stored::after(self.occupant(), member),
        })
    }

    fn into_occupant(self) -> Option<Stored<Member>> {
        match self {
            Self::Row(row) | Self::Alias(_, Some(row)) => Some(row),
            Self::Alias(_, None) | Self::Empty => None,
        }
    }
}

/// What an account holds that may be a caller's.
#[derive(Debug)]
pub struct Seen {
    pub account: Stored<Account>,
    pub place: Place,
    pub pointer: Option<Stored<Pointer>>,
    pointed: Option<Stored<Member>>,
}

impl Seen {
    /// For the decision about a login.
    #[must_use]
    pub fn entrance(&self, caller: &Caller) -> Entrance<'_> {
        Entrance {
            account: &self.account,
            candidates: self.candidates(caller),
        }
    }

    /// A row, by its id.
    #[must_use]
    pub fn row(&self, id: &MemberId) -> Option<&Stored<Member>> {
        let rows = self.place.occupant().into_iter().chain(&self.pointed);
        rows.into_iter().find(|row| row.id == *id)
    }

    fn candidates(&self, caller: &Caller) -> Candidates<'_> {
        let email = caller.named_email();
        let at_address = email.and_then(|email| self.place.row_of(email));
        let pointed = self
            .pointer
            .as_ref()
            .and_then(|pointer| self.row(&pointer.member));
        Candidates {
            at_address: at_address.map(|row| &row.value),
            pointed: pointed.or(self.pointed.as_ref()).map(|row| &row.value),
        }
    }

    /// The caller's membership, if there is one.
    fn into_own(self, caller: &Caller) -> Option<StoredMembership> {
        let own = self.candidates(caller).own(caller)?.id.clone();
        let rows = self.place.into_occupant().into_iter().chain(self.pointed);
        let member = rows.into_iter().find(|row| row.id == own)?;
        Some(StoredMembership {
            account: self.account,
            member,
            pointer: self.pointer,
        })
    }
}

/// The places of a caller in a read.
#[derive(Debug)]
pub struct CallerSlots<'a> {
    id: &'a AccountId,
    caller: &'a Caller,
    account: Slot<Account>,
    place: Option<PlaceSlot>,
    hinted: Option<Slot<Member>>,
    pointer: Option<Slot<Pointer>>,
    /// A login binds what is not bound, and needs to know all.
    is_login: bool,
}

/// How many accounts are read at once: three items each, and DynamoDB reads at most 100.
const ACCOUNTS_AT_ONCE: usize = 33;

impl Store {
    /// A caller's place in an account: one read if the address or the hint leads to a row that is
    /// bound to the caller, up to three if the identity has to.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn membership(
        &self,
        account: &AccountId,
        caller: &Caller,
    ) -> Result<Option<StoredMembership>, StoreError> {
        let mut read = self.read();
        let slots = read.caller(account, caller);
        read.run().await?.membership(slots).await
    }

    /// A caller's place in every account: two queries side by side find the accounts, another read
    /// has the rows. Where there are too many for one, several run side by side.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn memberships(&self, caller: &Caller) -> Result<Vec<StoredMembership>, StoreError> {
        let seen = self.seen_anywhere(caller).await?.into_iter();
        Ok(seen.filter_map(|seen| seen.into_own(caller)).collect())
    }

    /// The same with all that a login needs to know.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn seen_anywhere(&self, caller: &Caller) -> Result<Vec<Seen>, StoreError> {
        let (by_address, by_identity) = try_join(
            self.accounts_of(caller.email()),
            self.pointers_of(&caller.identity),
        )
        .await?;
        let mut accounts: BTreeMap<AccountId, Option<Stored<Pointer>>> = by_address
            .into_iter()
            .map(|account| (account, None))
            .collect();
        accounts.extend(
            by_identity
                .into_iter()
                .map(|(id, pointer)| (id, Some(pointer))),
        );
        let accounts: Vec<_> = accounts.into_iter().collect();
        self.seen_in(&accounts, caller.email()).await
    }

    /// The memberships of the person who has an address.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn memberships_at(
        &self,
        email: &EmailAddress,
    ) -> Result<Vec<StoredMembership>, StoreError> {
        let accounts = self.accounts_of(Some(email)).await?.into_iter();
        let accounts: Vec<_> = accounts.map(|account| (account, None)).collect();
        let seen = self.seen_in(&accounts, Some(email)).await?.into_iter();
        let memberships = seen.filter_map(|Seen { account, place, .. }| {
            let member = place.into_occupant().filter(|row| row.email == *email)?;
            Some(StoredMembership {
                account,
                member,
                pointer: None,
            })
        });
        Ok(memberships.collect())
    }

    /// What accounts hold of the person with an address, and of the one whom pointers lead to.
    async fn seen_in(
        &self,
        accounts: &[(AccountId, Option<Stored<Pointer>>)],
        email: Option<&EmailAddress>,
    ) -> Result<Vec<Seen>, StoreError> {
        let reads = accounts.chunks(ACCOUNTS_AT_ONCE).map(async |accounts| {
            let mut read = self.read();
            let slots: Vec<_> = accounts
                .iter()
                .map(|(id, pointer)| {
                    let place = email.map(|email| read.place(id, email));
                    let pointed = pointer
                        .as_ref()
                        .map(|pointer| read.member(id, &pointer.member));
                    (id, pointer, read.account(id), place, pointed)
                })
                .collect();
            let mut found = read.run().await?;
            let mut seen = Vec::new();
            for (id, pointer, account, place, pointed) in slots {
                let place = found.place(id, place).await?;
                let pointed = pointed.map(|pointed| found.take(pointed)).transpose()?;
                if let Some(account) = found.take(account)? {
                    seen.push(Seen {
                        account,
                        place,
                        pointer: pointer.clone(),
                        pointed: pointed.flatten(),
                    });
                }
            }
            Ok(seen)
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    /// The accounts that an address leads to.
    async fn accounts_of(
        &self,
        email: Option<&EmailAddress>,
    ) -> Result<Vec<AccountId>, StoreError> {
        let Some(email) = email else {
            return Ok(Vec::new());
        };
        let partition = person_partition(&EmailKey::of(email));
        let items = self.pointers_in(partition).await?;
        items.iter().map(|item| Ok(pointer_key(item)?.1)).collect()
    }

    /// The rows that an identity leads to.
    async fn pointers_of(
        &self,
        identity: &Identity,
    ) -> Result<Vec<(AccountId, Stored<Pointer>)>, StoreError> {
        let items = self
            .pointers_in(identity_partition(&IdentityKey::of(identity)))
            .await?;
        let pointer = |item: Item| {
            let (key, account) = pointer_key(&item)?;
            Ok((account, decode(&key, item)?))
        };
        items.into_iter().map(pointer).collect()
    }

    /// The pointers to accounts in a partition. Only one page of them (some 10,000) is read: nobody is
    /// in more accounts.
    async fn pointers_in(&self, partition: String) -> Result<Vec<Item>, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .expression_attribute_values(":prefix", AttributeValue::S(POINTER.to_owned()))
            .send()
            .await
            .map_err(|error| unanswered(&error))?;
        Ok(output.items.unwrap_or_default())
    }
}

fn pointer_key(item: &Item) -> Result<(Key, AccountId), StoreError> {
    let key = Key::of_item(item);
    let pointer = key.and_then(|key| {
        let account = key.sk.strip_prefix(POINTER)?.parse().ok()?;
        Some((key, account))
    });
    pointer.ok_or_else(|| StoreError::Broken("a pointer cannot be read".to_owned()))
}

impl Read<'_> {
    /// A caller in an account.
    pub fn caller<'c>(&mut self, account: &'c AccountId, caller: &'c Caller) -> CallerSlots<'c> {
        CallerSlots {
            id: account,
            caller,
            account: self.account(account),
            place: caller.email().map(|email| self.place(account, email)),
            hinted: caller.hint.as_ref().map(|hint| self.member(account, hint)),
            // Without an address or a hint, only the identity can lead on.
            pointer: (caller.email().is_none() && caller.hint.is_none())
                .then(|| self.pointer(account, &caller.identity)),
            is_login: false,
        }
    }

    /// A caller who logs in, for the first time if there is a token: then what the identity leads to is
    /// read at once.
    pub fn caller_at_login<'c>(
        &mut self,
        account: &'c AccountId,
        caller: &'c Caller,
        has_token: bool,
    ) -> CallerSlots<'c> {
        let slots = self.caller(account, caller);
        let pointer = slots
            .pointer
            .or_else(|| has_token.then(|| self.pointer(account, &caller.identity)));
        // The token may prove the address that the caller names.
        let named = caller.named_email().filter(|_| has_token);
        let place = slots
            .place
            .or_else(|| named.map(|email| self.place(account, email)));
        CallerSlots {
            place,
            pointer,
            is_login: true,
            ..slots
        }
    }
}

impl Found<'_> {
    /// The caller's membership, if there is one.
    ///
    /// # Errors
    ///
    /// If an item is not what it should be, or DynamoDB does not answer when the identity has to lead
    /// to the row.
    pub async fn membership(
        &mut self,
        slots: CallerSlots<'_>,
    ) -> Result<Option<StoredMembership>, StoreError> {
        let caller = slots.caller;
        let seen = self.caller(slots).await?;
        Ok(seen.and_then(|seen| seen.into_own(caller)))
    }

    /// All that an account holds of a caller, as far as it matters; nothing if there is no such
    /// account, after as many reads as if there were.
    ///
    /// # Errors
    ///
    /// Those of [`Found::membership`].
    pub async fn caller(&mut self, slots: CallerSlots<'_>) -> Result<Option<Seen>, StoreError> {
        let (id, caller) = (slots.id, slots.caller);
        let mut account = self.take(slots.account)?;
        let hinted = slots
            .hinted
            .map(|slot| self.take(slot))
            .transpose()?
            .flatten();
        let hinted = hinted.filter(|row| caller.owns(row));
        let place = self.place(id, slots.place).await?;

        let at_address = caller.email().and_then(|email| place.row_of(email));
        let at_address = at_address.filter(|row| caller.owns(row));
        let found = hinted.as_ref().or(at_address);
        let is_found = found.is_some_and(|row| !slots.is_login || row.has_pointer());
        let pointer = match slots.pointer {
            Some(slot) => self.take(slot)?,
            None if is_found => None,
            None => {
                let mut read = self.store.read();
                let slot = read.pointer(id, &caller.identity);
                read.run().await?.take(slot)?
            }
        };
        let pointed = match &pointer {
            Some(pointer) if place.is_of(&pointer.member) => None,
            Some(pointer) => {
                // The account again: it must not be older than the row.
                let mut read = self.store.read();
                let (again, row) = (read.account(id), read.member(id, &pointer.member));
                let mut found = read.run().await?;
                account = found.take(again)?;
                found.take(row)?
            }
            None => hinted,
        };
        Ok(account.map(|account| Seen {
            account,
            place,
            pointer,
            pointed,
        }))
    }

    /// What stands where an address leads.
    ///
    /// # Errors
    ///
    /// Those of [`Found::membership`].
    pub async fn place(
        &mut self,
        account: &AccountId,
        slot: Option<PlaceSlot>,
    ) -> Result<Place, StoreError> {
        let Some(PlaceSlot { row, alias }) = slot else {
            return Ok(Place::Empty);
        };
        if let Some(row) = self.take(row)? {
            return Ok(Place::Row(row));
        }
        let Some((alias, email)) = alias else {
            return Ok(Place::Empty);
        };
        let Some(alias) = self.take(alias)? else {
            return Ok(Place::Empty);
        };
        let mut read = self.store.read();
        let slot = read.member(account, &alias.alias);
        // An alias leads to a row, never to another alias.
        let row = read.run().await?.take(slot)?;
        Ok(Place::Alias(alias, row.filter(|row| row.email == email)))
    }
}
