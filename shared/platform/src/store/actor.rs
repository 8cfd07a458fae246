//! Callers who were let in.

use domain::Refusal;
use domain::access::{Access, Caller, authorize, authorize_closing};
use domain::account::{Account, ProPlans};
use domain::identity::Identity;
use domain::member::Member;

use super::{Pointer, Stored, StoredMembership};

/// A caller who was let in, with the rows that prove it, as they were read. Rules decide on its
/// [`Access`], and [`super::Store::write_as`] writes for it.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    pub access: Access<'a>,
    seen: &'a StoredMembership,
    /// The caller's identity, unless the row belongs to it.
    unbound: Option<&'a Identity>,
}

impl<'a> Actor<'a> {
    /// Lets a caller in, by the rows of one consistent read.
    ///
    /// # Errors
    ///
    /// Those of [`authorize`], which every call of an account shares.
    pub fn admit(
        caller: &'a Caller,
        seen: Option<&'a StoredMembership>,
        pro_plans: &ProPlans,
    ) -> Result<Self, Refusal> {
        let access = authorize(caller, seen.map(StoredMembership::as_ref), pro_plans)?;
        Self::with(caller, access, seen)
    }

    /// The same for closing the account.
    ///
    /// # Errors
    ///
    /// Those of [`authorize_closing`].
    pub fn admit_to_close(
        caller: &'a Caller,
        seen: Option<&'a StoredMembership>,
        pro_plans: &ProPlans,
    ) -> Result<Self, Refusal> {
        let access = authorize_closing(caller, seen.map(StoredMembership::as_ref), pro_plans)?;
        Self::with(caller, access, seen)
    }

    fn with(
        caller: &'a Caller,
        access: Access<'a>,
        seen: Option<&'a StoredMembership>,
    ) -> Result<Self, Refusal> {
        let seen = seen.ok_or(Refusal::NoAccess)?;
        let unbound = (!caller.owns(&seen.member)).then_some(&caller.identity);
        Ok(Self {
            access,
            seen,
            unbound,
        })
    }

    /// The caller's identity, and where it led, unless the row belongs to it. Before a first login, it
    /// does not.
    pub(super) fn unbound(&self) -> Option<(&'a Identity, Option<&'a Stored<Pointer>>)> {
        let identity = self.unbound?;
        Some((identity, self.seen.pointer.as_ref()))
    }

    #[must_use]
    pub fn account(&self) -> &'a Stored<Account> {
        &self.seen.account
    }

    #[must_use]
    pub fn member(&self) -> &'a Stored<Member> {
        &self.seen.member
    }
}
