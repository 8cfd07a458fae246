//! Who may do what in an account, decided from what the table says at that moment.

use crate::Refusal;
use crate::ability::Ability;
use crate::account::{Account, AccountStatus, ProPlans};
use crate::address::EmailAddress;
use crate::member::{Active, Identity, Member, Role, State};

/// The verified identity on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The identity provider vouches for it.
    pub email: EmailAddress,
    pub identity: Identity,
}

/// A person's place in an account: the account, and the person's row in it.
#[derive(Debug, Clone, Copy)]
pub struct Membership<'a> {
    pub account: &'a Account,
    pub member: &'a Member,
}

/// Proof that a caller may use an account now. Only [`authorize`] and [`authorize_closing`] make it.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    account: &'a Account,
    member: &'a Member,
    active: &'a Active,
    has_pro: bool,
}

/// Lets a caller into an account, or says why not.
///
/// `membership` comes from one consistent read. The order of the refusals is part of the API.
///
/// # Errors
///
/// Every refusal of a login without an invite token.
pub fn authorize<'a>(
    caller: &Caller,
    membership: Option<Membership<'a>>,
    pro_plans: &ProPlans,
) -> Result<Access<'a>, Refusal> {
    let membership = membership.ok_or(Refusal::NoAccess)?;
    match membership.account.status {
        AccountStatus::Closed { .. } => Err(Refusal::AccountClosed),
        AccountStatus::Active => authorize_person(caller, membership, pro_plans),
    }
}

/// The same for closing the account, the one call that a closed account answers. An owner who lost
/// the answer asks again, and must not read that the call failed.
///
/// # Errors
///
/// Those of [`authorize`].
pub fn authorize_closing<'a>(
    caller: &Caller,
    membership: Option<Membership<'a>>,
    pro_plans: &ProPlans,
) -> Result<Access<'a>, Refusal> {
    let membership = membership.ok_or(Refusal::NoAccess)?;
    let access = authorize_person(caller, membership, pro_plans);
    match membership.account.status {
        AccountStatus::Closed { .. } => access.map_err(|_| Refusal::AccountClosed),
        AccountStatus::Active => access,
    }
}

fn authorize_person<'a>(
    caller: &Caller,
    Membership { account, member }: Membership<'a>,
    pro_plans: &ProPlans,
) -> Result<Access<'a>, Refusal> {
    if let State::Removed(_) = member.state {
        return Err(Refusal::AccessRevoked);
    }
    let has_pro = pro_plans.include(&account.plan);
    match member.role {
        Role::Owner => {}
        Role::Member if has_pro => {}
        Role::Member => return Err(Refusal::UpgradeRequired),
    }
    match &member.state {
        State::Removed(_) => Err(Refusal::AccessRevoked),
        State::Invited(_) => Err(Refusal::InviteLinkRequired),
        State::Active(active) if is_somebody_else(active, &caller.identity) => {
            Err(Refusal::IdentityMismatch)
        }
        State::Active(active) => Ok(Access {
            account,
            member,
            active,
            has_pro,
        }),
    }
}

/// Whether the issuer that vouched for the member now gives this address to another subject.
///
/// Another issuer is fine: products change their identity provider, and the address is verified.
fn is_somebody_else(active: &Active, identity: &Identity) -> bool {
    active
        .identity
        .as_ref()
        .is_some_and(|bound| bound.issuer == identity.issuer && bound.subject != identity.subject)
}

impl<'a> Access<'a> {
    #[must_use]
    pub fn account(&self) -> &'a Account {
        self.account
    }

    #[must_use]
    pub fn member(&self) -> &'a Member {
        self.member
    }

    #[must_use]
    pub fn active(&self) -> &'a Active {
        self.active
    }

    /// Demands that the caller's role has an ability.
    ///
    /// # Errors
    ///
    /// [`Refusal::OwnerOnly`].
    pub fn require(&self, ability: Ability) -> Result<(), Refusal> {
        if Ability::of(self.member.role).contains(&ability) {
            Ok(())
        } else {
            Err(Refusal::OwnerOnly)
        }
    }

    /// Demands that the account's plan includes multi-user access.
    ///
    /// # Errors
    ///
    /// [`Refusal::UpgradeRequired`].
    pub fn require_pro(&self) -> Result<(), Refusal> {
        if self.has_pro {
            Ok(())
        } else {
            Err(Refusal::UpgradeRequired)
        }
    }
}
