//! Who may do what in an account, decided from what the table says at that moment.

use crate::Refusal;
use crate::ability::Ability;
use crate::account::{Account, AccountStatus, ProPlans};
use crate::address::EmailAddress;
use crate::member::{Active, Identity, Member, Role, State};

/// The verified identity on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The address, which the identity provider vouches for.
    pub email: EmailAddress,
    /// Who it is.
    pub identity: Identity,
}

/// Proof that a caller may use an account now. [`authorize`] alone makes it.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    account: &'a Account,
    member: &'a Member,
    active: &'a Active,
    has_pro: bool,
}

/// Lets a caller into an account, or says why not.
///
/// `account` and `member` are what one consistent read found: the account, and the caller's own
/// row in it. The order of the refusals is part of the API.
///
/// # Errors
///
/// Every refusal of a login without an invite token.
pub fn authorize<'a>(
    caller: &Caller,
    account: Option<&'a Account>,
    member: Option<&'a Member>,
    pro_plans: &ProPlans,
) -> Result<Access<'a>, Refusal> {
    let (Some(account), Some(member)) = (account, member) else {
        return Err(Refusal::NoAccess);
    };
    match account.status {
        AccountStatus::Closed { .. } => return Err(Refusal::AccountClosed),
        AccountStatus::Active => {}
    }
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

/// Whether the issuer that vouched for the member now calls this address somebody else.
///
/// Another issuer is fine: products change their identity provider, and the address is verified.
fn is_somebody_else(active: &Active, identity: &Identity) -> bool {
    active
        .identity
        .as_ref()
        .is_some_and(|bound| bound.issuer == identity.issuer && bound.subject != identity.subject)
}

impl<'a> Access<'a> {
    /// The account.
    #[must_use]
    pub fn account(&self) -> &'a Account {
        self.account
    }

    /// The caller's own row.
    #[must_use]
    pub fn member(&self) -> &'a Member {
        self.member
    }

    /// The caller's membership.
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
