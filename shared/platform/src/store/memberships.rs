//! The pointers from a person to the accounts that the person is, was or is invited to be in.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::address::EmailAddress;
use domain::id::AccountId;

use super::key::{Key, MEMBERSHIP, person_partition};
use super::write::unanswered;
use super::{Store, StoreError};

impl Store {
    /// The accounts that a person has a row in. More than one page of pointers (some 10,000) is
    /// not read: nobody is in so many accounts.
    ///
    /// # Errors
    ///
    /// If DynamoDB does not answer.
    pub async fn memberships(&self, email: &EmailAddress) -> Result<Vec<AccountId>, StoreError> {
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
