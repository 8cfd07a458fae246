//! The accounts that a person is, was or is invited to be in.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::account::Account;
use domain::address::EmailAddress;
use domain::id::{AccountId, MemberId};
use domain::member::Member;

use super::key::{Key, MEMBERSHIP, person_partition};
use super::write::unanswered;
use super::{Store, StoreError, Stored};

/// How many accounts are read at once: two items each, and DynamoDB reads at most 100.
const ACCOUNTS_AT_ONCE: usize = 50;

impl Store {
    /// The accounts that a person has a row in, and these rows: one call finds the pointers,
    /// another one all that they point to.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn memberships(
        &self,
        email: &EmailAddress,
    ) -> Result<Vec<(Stored<Account>, Stored<Member>)>, StoreError> {
        let mut memberships = Vec::new();
        for accounts in self.accounts_of(email).await?.chunks(ACCOUNTS_AT_ONCE) {
            let mut read = self.read();
            let slots: Vec<_> = accounts
                .iter()
                .map(|account| {
                    let member = MemberId::of(account, email);
                    (read.account(account), read.member(account, &member))
                })
                .collect();
            let found = read.run().await?;
            for (account, member) in slots {
                if let (Some(account), Some(member)) = (found.get(&account)?, found.get(&member)?) {
                    memberships.push((account, member));
                }
            }
        }
        Ok(memberships)
    }

    /// The pointers. More than one page of them (some 10,000) is not read: nobody is in so many
    /// accounts.
    async fn accounts_of(&self, email: &EmailAddress) -> Result<Vec<AccountId>, StoreError> {
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
