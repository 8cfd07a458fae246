//! Logging in: the one place where an invite is accepted.

use jiff::Timestamp;

use crate::Refusal;
use crate::access::{Access, Caller, Membership, authorize};
use crate::account::{Account, ProPlans};
use crate::member::{Active, Invite, Member, Role, State};
use crate::refusal::AccountChoice;
use crate::token::{InviteToken, TokenHash};

/// An invite token that came with a login, and the row that it names.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    pub token: &'a InviteToken,
    /// The person whom the token names.
    pub invited: Option<&'a Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub account: Account,
    /// The caller's row after the login.
    pub member: Member,
    /// The row must be written: the first login binds the identity.
    pub is_first: bool,
}

/// Decides about a login to an account that the request names, by its id or by an invite token.
///
/// # Errors
///
/// In this order: wrong account, the refusals of [`authorize`], and those of an invite's token.
pub fn decide(
    caller: &Caller,
    membership: Option<Membership<'_>>,
    presented: Option<Presented<'_>>,
    pro_plans: &ProPlans,
    now: Timestamp,
) -> Result<Login, Refusal> {
    if let Some(invited) = presented.and_then(|presented| presented.made_for_another(caller)) {
        return Err(Refusal::WrongAccount {
            invited: invited.email.masked(),
        });
    }
    let token = presented.map(|presented| presented.token);
    match (authorize(caller, membership, pro_plans), membership) {
        (Ok(access), _) => Ok(enter(caller, access)),
        (Err(Refusal::InviteLinkRequired), Some(membership)) => {
            accept(caller, membership, token, now)
        }
        (Err(refusal), _) => Err(refusal),
    }
}

/// Decides about a login that names no account.
///
/// # Errors
///
/// [`Refusal::ChooseAccount`] if several accounts are open to the caller. If none is, the refusal
/// of the account that the caller can do most about.
pub fn decide_without_account(
    caller: &Caller,
    memberships: &[Membership<'_>],
    pro_plans: &ProPlans,
) -> Result<Login, Refusal> {
    only_access(caller, memberships, pro_plans).map(|access| enter(caller, access))
}

/// Lets the caller in, if exactly one of the accounts is open to them.
///
/// # Errors
///
/// Those of [`decide_without_account`].
pub fn only_access<'a>(
    caller: &Caller,
    memberships: &[Membership<'a>],
    pro_plans: &ProPlans,
) -> Result<Access<'a>, Refusal> {
    let mut open = Vec::new();
    let mut refusals = Vec::new();
    for membership in memberships {
        match authorize(caller, Some(*membership), pro_plans) {
            Ok(access) => open.push(access),
            Err(refusal) => refusals.push(refusal),
        }
    }
    match open.as_slice() {
        [] => Err(most_helpful(refusals)),
        [access] => Ok(*access),
        several => Err(Refusal::ChooseAccount(several.iter().map(choice).collect())),
    }
}

fn choice(access: &Access<'_>) -> AccountChoice {
    let account = access.account();
    AccountChoice {
        id: account.id.clone(),
        company: account.company.clone(),
    }
}

/// Prefers a refusal that the caller can act on: accept an invite, or upgrade a plan.
fn most_helpful(refusals: Vec<Refusal>) -> Refusal {
    let rank = |refusal: &Refusal| match refusal {
        Refusal::InviteLinkRequired => 0,
        Refusal::UpgradeRequired => 1,
        Refusal::IdentityMismatch => 2,
        Refusal::AccessRevoked => 3,
        Refusal::AccountClosed => 4,
        _ => 5,
    };
    refusals
        .into_iter()
        .min_by_key(rank)
        .unwrap_or(Refusal::NoAccess)
}

/// Lets an active person in. An owner's first login binds the identity.
fn enter(caller: &Caller, access: Access<'_>) -> Login {
    let active = access.active();
    let is_first = active.identity.is_none();
    let identity = active
        .identity
        .clone()
        .unwrap_or_else(|| caller.identity.clone());
    let state = State::Active(Active {
        identity: Some(identity),
        ..active.clone()
    });
    Login {
        account: access.account().clone(),
        member: access.member().with_state(state),
        is_first,
    }
}

/// Accepts an invite, if the token is its newest one and in time.
fn accept(
    caller: &Caller,
    Membership { account, member }: Membership<'_>,
    token: Option<&InviteToken>,
    now: Timestamp,
) -> Result<Login, Refusal> {
    let (Role::Member, State::Invited(invite)) = (member.role, &member.state) else {
        return Err(Refusal::InviteLinkRequired);
    };
    let token = token.ok_or(Refusal::InviteLinkRequired)?;
    // The right secret under another name is an altered link.
    if token.member != member.id {
        return Err(Refusal::InviteInvalid);
    }
    check(invite, token.hash(), now)?;
    let state = State::Active(Active {
        since: now,
        identity: Some(caller.identity.clone()),
        accepted: Some(invite.clone()),
    });
    Ok(Login {
        account: account.clone(),
        member: member.with_state(state),
        is_first: true,
    })
}

fn check(invite: &Invite, token: TokenHash, now: Timestamp) -> Result<(), Refusal> {
    if invite.tokens.newest() != token {
        return Err(if invite.tokens.contain(token) {
            Refusal::InviteSuperseded
        } else {
            Refusal::InviteInvalid
        });
    }
    if invite.is_expired(now) {
        return Err(Refusal::InviteExpired);
    }
    Ok(())
}

impl<'a> Presented<'a> {
    /// The person that a genuine token was sent to, if that is not the caller.
    ///
    /// A forged token gets the same answers as no token, so forging one reveals nothing.
    fn made_for_another(self, caller: &Caller) -> Option<&'a Member> {
        self.invited
            .filter(|invited| invited.email != caller.email)
            .filter(|invited| {
                invited
                    .invite()
                    .is_some_and(|invite| invite.tokens.contain(self.token.hash()))
            })
    }
}
