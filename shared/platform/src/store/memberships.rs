//! The accounts that a person is, was or is invited to be in.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::id::{AccountId, MemberId};
use domain::member::Member;
use futures_util::future::try_join_all;

use super::key::{Key, MEMBERSHIP, person_partition};
use super::write::unanswered;
use super::{Found, Read, Slot, Store, StoreError, Stored};

/// An account that somebody may have access to, and that person's own row in it.
#[derive(Debug)]
pub struct Candidate {
    /// The account.
    pub account: Option<Stored<Account>>,
    /// The person's row.
    pub member: Option<Stored<Member>>,
}

impl Candidate {
    /// The account and the row, if there are both.
    #[must_use]
    pub fn membership(self) -> Option<(Stored<Account>, Stored<Member>)> {
        Some((self.account?, self.member?))
    }
}

/// How many accounts are read at once: two items each, and DynamoDB reads at most 100.
const ACCOUNTS_AT_ONCE: usize = 50;

impl Store {
    /// An account, and a person's row in it: one read.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn candidate(
        &self,
        account: &AccountId,
        email: &EmailAddress,
    ) -> Result<Candidate, StoreError> {
        let mut read = self.read();
        let slots = read.candidate(account, email);
        read.run().await?.candidate(slots)
    }

    /// Every account that a person has a row in: one read finds the accounts, another one all that
    /// matters about them. Where there are too many for one, several run side by side.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn candidates(&self, email: &EmailAddress) -> Result<Vec<Candidate>, StoreError> {
        let accounts = self.memberships(email).await?;
        let reads = accounts.chunks(ACCOUNTS_AT_ONCE).map(async |accounts| {
            let mut read = self.read();
            let slots: Vec<_> = accounts
                .iter()
                .map(|account| read.candidate(account, email))
                .collect();
            let mut found = read.run().await?;
            let candidates = slots.into_iter().map(|slots| found.candidate(slots));
            candidates.collect::<Result<Vec<_>, _>>()
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    /// The accounts that a person has a row in. More than one page of pointers (some 10,000) is
    /// not read: nobody is in so many accounts.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    async fn memberships(&self, email: &EmailAddress) -> Result<Vec<AccountId>, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(person_partition(email)))
            .expression_attribute_values(":prefix", AttributeValue::S(MEMBERSHIP.to_owned()))
            .send()
            .await
            .map_err(|error| unanswered(&error))?;
        output
            .items()
            .iter()
            .map(|item| {
                Key::of_item(item)
                    .and_then(|key| key.sk.strip_prefix(MEMBERSHIP)?.parse().ok())
                    .ok_or_else(|| StoreError::Broken("a pointer cannot be read".to_owned()))
            })
            .collect()
    }
}

/// The places of a candidate in a read.
type Slots = (Slot<Account>, Slot<Member>);

impl Read<'_> {
    fn candidate(&mut self, account: &AccountId, email: &EmailAddress) -> Slots {
        let member = MemberId::of(account, email);
        (self.account(account), self.member(account, &member))
    }
}

impl Found {
    fn candidate(&mut self, (account, member): Slots) -> Result<Candidate, StoreError> {
        Ok(Candidate {
            account: self.take(account)?,
            member: self.take(member)?,
        })
    }
}
