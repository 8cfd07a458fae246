//! The rows that a handover concerns.

use domain::account::Account;
use domain::handover::{HandedOver, Rows};
use domain::id::{EmailKey, MemberId};
use domain::identity::Identity;
use domain::member::Member;
use domain::provision::Owner;

use super::item::Pointer;
use super::{Attempt, Place, Store, StoreError, Stored};

/// The rows that a handover concerns, as they were read.
#[derive(Debug)]
pub struct HandoverRows {
    former: Stored<Member>,
    place: Place,
    /// As billing named it.
    identity: Option<Identity>,
    pointer: Option<Stored<Pointer>>,
    pointed: Option<Stored<Member>>,
}

impl HandoverRows {
    /// For the decision.
    #[must_use]
    pub fn as_ref(&self) -> Rows<'_> {
        let pointer = self.pointer.as_ref();
        let bound = pointer.and_then(|pointer| self.row(&pointer.member));
        Rows {
            former: &self.former,
            occupant: self.place.occupant().map(|row| &row.value),
            bound: bound
                .map(|row| &row.value)
                .filter(|row| row.identity() == self.identity.as_ref()),
        }
    }

    fn row(&self, id: &MemberId) -> Option<&Stored<Member>> {
        let rows = self.place.occupant().into_iter().chain(&self.pointed);
        rows.chain([&self.former]).find(|row| row.id == *id)
    }
}

impl Store {
    /// What a handover to `owner` has to know: one read, and another where an alias or the identity
    /// leads on.
    ///
    /// # Errors
    ///
    /// If an item is not what it should be, or DynamoDB does not answer.
    pub async fn handover_rows(
        &self,
        account: &Account,
        owner: &Owner,
    ) -> Result<HandoverRows, StoreError> {
        let mut read = self.read();
        let former = read.member(&account.id, &account.owner);
        let place = read.place(&account.id, &owner.email);
        let identity = owner.identity.clone();
        let pointer = identity
            .as_ref()
            .map(|identity| read.pointer(&account.id, identity));
        let mut found = read.run().await?;
        let former = found.take(former)?;
        let former = former.ok_or_else(|| StoreError::Broken("an owner has no row".to_owned()))?;
        let place = found.place(&account.id, Some(place)).await?;
        let pointer = pointer.map(|slot| found.take(slot)).transpose()?.flatten();
        let pointed = match &pointer {
            Some(pointer) if !place.is_of(&pointer.member) => {
                let mut read = self.read();
                let slot = read.member(&account.id, &pointer.member);
                read.run().await?.take(slot)?
            }
            Some(_) | None => None,
        };
        Ok(HandoverRows {
            former,
            place,
            identity,
            pointer,
            pointed,
        })
    }

    /// Commits a handover in one transaction, on the rows that were seen. The attempt settles with
    /// `value`.
    ///
    /// # Errors
    ///
    /// If DynamoDB finds the request wrong.
    pub async fn hand_over<T>(
        &self,
        seen: &Stored<Account>,
        rows: &HandoverRows,
        HandedOver {
            account,
            owner,
            former,
        }: &HandedOver,
        value: T,
    ) -> Result<Attempt<T>, StoreError> {
        let write = self.write_as_service(&account.id);
        let mut write = write.account(Some(seen), account);
        write = match rows.row(&owner.id) {
            Some(row) => write.member(Some(row), owner),
            None => write
                .place(&rows.place, owner)
                .pointer(&EmailKey::of(&owner.email)),
        };
        if let Some(former) = former {
            write = write.member(Some(&rows.former), former);
        }
        let pointer = rows.pointer.as_ref();
        if let Some(identity) = &rows.identity
            && pointer.is_none_or(|pointer| pointer.member != owner.id)
        {
            write = write.identity_pointer(identity, pointer, &owner.id);
        }
        write.commit(value).await
    }
}
