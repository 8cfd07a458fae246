//! Who may do what in an account, decided from what the table says at that moment.

use crate::Refusal;
use crate::ability::Ability;
use crate::account::{Account, AccountStatus, ProPlans};
use crate::address::EmailAddress;
use crate::id::MemberId;
use crate::identity::Identity;
use crate::member::{Active, Member, Role, State};

/// Who sent a request, as a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub identity: Identity,
    pub address: Address,
    /// The row that the client takes for the caller's. It saves a read if that is so, and means
    /// nothing if it is not.
    pub hint: Option<MemberId>,
}

/// What a token says about its sender's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The identity provider vouches for it.
    Proven(EmailAddress),
    /// Only the link of an invite that was sent to it can prove it, once.
    Claimed(EmailAddress),
    /// The identity provider vouches for an address that no invite can be sent to.
    Unusable,
    /// Nobody vouches for one, or there is none.
    Unproven,
}

impl Caller {
    /// The address, if the token proves it.
    #[must_use]
    pub fn email(&self) -> Option<&EmailAddress> {
        match &self.address {
            Address::Proven(email) => Some(email),
            Address::Claimed(_) | Address::Unusable | Address::Unproven => None,
        }
    }

    /// The address that the token names, proven or not.
    #[must_use]
    pub fn named_email(&self) -> Option<&EmailAddress> {
        match &self.address {
            Address::Proven(email) | Address::Claimed(email) => Some(email),
            Address::Unusable | Address::Unproven => None,
        }
    }

    /// Whether a row belongs to the caller's identity.
    #[must_use]
    pub fn owns(&self, member: &Member) -> bool {
        member.identity() == Some(&self.identity)
    }

    /// Whether the issuer that vouches for the caller vouched for another person at the first login.
    ///
    /// Another issuer is fine: products change their identity provider, and the address, which led to
    /// the row, is proven. The next login binds the row to the new identity.
    fn is_not(&self, member: &Member) -> bool {
        member.identity().is_some_and(|bound| {
            bound.issuer == self.identity.issuer && bound.subject != self.identity.subject
        })
    }

    /// Why somebody whom the table does not know gets nowhere.
    pub(crate) fn unknown(&self) -> Refusal {
        match self.address {
            Address::Proven(_) => Refusal::NoAccess,
            // Everybody hears the same, so that nobody learns who is invited.
            Address::Claimed(_) => Refusal::InviteLinkRequired,
            Address::Unusable => Refusal::EmailUnusable,
            Address::Unproven => Refusal::EmailUnverified,
        }
    }
}

/// The rows of an account that may be the caller's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Candidates<'a> {
    /// The row of the person who has the caller's address.
    pub at_address: Option<&'a Member>,
    /// The row that the caller's identity was bound to last.
    pub pointed: Option<&'a Member>,
}

impl<'a> Candidates<'a> {
    /// The caller's row, in the only place that decides it. The identity comes before the address:
    /// an address can change, and can pass to another person.
    #[must_use]
    pub fn own(self, caller: &Caller) -> Option<&'a Member> {
        let Self {
            at_address,
            pointed,
        } = self;
        let is_removed = |row: &&Member| matches!(row.state, State::Removed(_));
        let somebody_elses = at_address.filter(|row| caller.is_not(row));
        if let Some(own) = at_address.filter(|row| caller.owns(row)) {
            return Some(own);
        }
        if let Some(own) = pointed.filter(|row| caller.owns(row)) {
            // Two people cannot have one address: whoever had it first keeps it.
            return somebody_elses.or(Some(own));
        }
        if at_address.is_some() && somebody_elses.is_none() {
            return at_address;
        }
        pointed.filter(is_removed).or(at_address)
    }
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
    let membership = membership.ok_or_else(|| caller.unknown())?;
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
    let membership = membership.ok_or_else(|| caller.unknown())?;
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
        State::Active(_) if caller.is_not(member) => Err(Refusal::IdentityMismatch),
        State::Active(active) => Ok(Access {
            account,
            member,
            active,
            has_pro,
        }),
    }
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
