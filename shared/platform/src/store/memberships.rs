//! The accounts that a person has a row in.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::access::Membership;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::id::{AccountId, EmailKey, MemberId};
use domain::member::Member;
use futures_util::future::try_join_all;

use super::error::{StoreError, unanswered};
use super::key::{Key, POINTER, person_partition};
use super::{Found, Read, Slot, Store, Stored};

/// A person's place in an account, as it was read.
#[derive(Debug)]
pub struct StoredMembership {
    pub account: Stored<Account>,
    pub member: Stored<Member>,
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

/// The slots of a membership in a read.
#[derive(Debug)]
pub struct MembershipSlots(Slot<Account>, Slot<Member>);

/// Two items per account: DynamoDB reads at most 100 at once.
const ACCOUNTS_AT_ONCE: usize = 50;

impl Store {
    /// One read.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn membership(
        &self,
        account: &AccountId,
        email: &EmailAddress,
    ) -> Result<Option<StoredMembership>, StoreError> {
        let mut read = self.read();
        let slots = read.membership(account, email);
        read.run().await?.membership(slots)
    }

    /// A person's place in every account. One read finds the accounts, another one reads the rows.
    /// If there are too many rows for one read, several run side by side.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn memberships(
        &self,
        email: &EmailAddress,
    ) -> Result<Vec<StoredMembership>, StoreError> {
        let accounts = self.accounts_of(email).await?;
        let reads = accounts.chunks(ACCOUNTS_AT_ONCE).map(async |accounts| {
            let mut read = self.read();
            let slots: Vec<_> = accounts
                .iter()
                .map(|account| read.membership(account, email))
                .collect();
            let mut found = read.run().await?;
            let memberships = slots
                .into_iter()
                .filter_map(|slots| found.membership(slots).transpose());
            memberships.collect::<Result<Vec<_>, _>>()
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    /// The accounts that a person has a row in. Only one page of pointers (some 10,000) is read:
    /// nobody is in more accounts.
    async fn accounts_of(&self, email: &EmailAddress) -> Result<Vec<AccountId>, StoreError> {
        let partition = person_partition(&EmailKey::of(email));
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
        output
            .items()
            .iter()
            .map(|item| {
                Key::of_item(item)
                    .and_then(|key| key.sk.strip_prefix(POINTER)?.parse().ok())
                    .ok_or_else(|| StoreError::Broken("a pointer cannot be read".to_owned()))
            })
            .collect()
    }
}

impl Read<'_> {
    pub fn membership(&mut self, account: &AccountId, email: &EmailAddress) -> MembershipSlots {
        let member = MemberId::of(account, email);
        MembershipSlots(self.account(account), self.member(account, &member))
    }
}

impl Found {
    /// The membership, if account and row both exist.
    ///
    /// # Errors
    ///
    /// If an item can't be decoded.
    pub fn membership(
        &mut self,
        MembershipSlots(account, member): MembershipSlots,
    ) -> Result<Option<StoredMembership>, StoreError> {
        let (account, member) = (self.take(account)?, self.take(member)?);
        let membership = account.zip(member);
        Ok(membership.map(|(account, member)| StoredMembership { account, member }))
    }
}
