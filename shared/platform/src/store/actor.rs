//! Callers who were let in.

use domain::Refusal;
use domain::access::{Access, Caller, authorize, authorize_closing};
use domain::account::{Account, ProPlans};
use domain::member::Member;

use super::{Stored, StoredMembership};

/// A caller who was let in, with the rows that prove it, as they were read. Rules decide on its
/// [`Access`], and [`super::Store::write_as`] writes for it.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    pub access: Access<'a>,
    seen: &'a StoredMembership,
    is_bound: bool,
}

impl<'a> Actor<'a> {
    /// Lets a caller in, by the rows of one consistent read.
    ///
    /// # Errors
    ///
    /// Those of [`authorize`], which every call of an account shares.
    pub fn admit(
        caller: &Caller,
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
        caller: &Caller,
        seen: Option<&'a StoredMembership>,
        pro_plans: &ProPlans,
    ) -> Result<Self, Refusal> {
        let access = authorize_closing(caller, seen.map(StoredMembership::as_ref), pro_plans)?;
        Self::with(caller, access, seen)
    }

    fn with(
        caller: &Caller,
        access: Access<'a>,
        seen: Option<&'a StoredMembership>,
    ) -> Result<Self, Refusal> {
        let seen = seen.ok_or(Refusal::NoAccess)?;
        let is_bound = caller.owns(&seen.member);
        Ok(Self {
            access,
            seen,
            is_bound,
        })
    }

    /// Whether the row belongs to the caller's identity. It does not before a first login.
    pub(super) fn is_bound(&self) -> bool {
        self.is_bound
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
