//! Logging in: the one place where an invite is accepted, and where a row follows its person to
//! another address or another identity provider.

use jiff::Timestamp;

use crate::Refusal;
use crate::access::{Access, Address, Caller, Candidates, Membership, authorize};
use crate::account::{Account, ProPlans};
use crate::identity::Binding;
use crate::member::{Active, Invite, Member, Removal, Role, State};
use crate::refusal::AccountChoice;
use crate::token::{InviteToken, TokenHash};

/// An invite token that came with a login, and the row that it names.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    pub token: &'a InviteToken,
    /// The person whom the token names.
    pub invited: Option<&'a Member>,
}

/// An account, and what a login to it can find there.
#[derive(Debug, Clone, Copy)]
pub struct Entrance<'a> {
    pub account: &'a Account,
    pub candidates: Candidates<'a>,
}

/// Where a login leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    pub account: Account,
    /// The caller's row after the login.
    pub member: Member,
    /// The row that the caller gives up by accepting an invite to another one, as it is to be: an
    /// identity has one membership in an account.
    pub left: Option<Member>,
}

/// Decides about a login to an account that the request names, by its id or by an invite token.
///
/// # Errors
///
/// In this order: wrong account, the refusals of [`authorize`], and those of an invite's token.
pub fn decide(
    caller: &Caller,
    entrance: Option<Entrance<'_>>,
    presented: Option<Presented<'_>>,
    pro_plans: &ProPlans,
    now: Timestamp,
) -> Result<Login, Refusal> {
    if let Some(invited) = presented.and_then(|presented| presented.made_for_another(caller)) {
        return Err(match caller.named_email() {
            Some(_) => Refusal::WrongAccount {
                invited: invited.email.masked(),
            },
            None => caller.unknown(),
        });
    }
    let by_link = presented.and_then(|presented| presented.vouch_for(caller));
    let known = by_link.as_ref().unwrap_or(caller);
    let Entrance {
        account,
        candidates,
    } = entrance.ok_or_else(|| known.unknown())?;
    let candidates = Candidates {
        at_address: candidates.at_address.filter(|_| known.email().is_some()),
        ..candidates
    };
    let membership = |member| Membership { account, member };
    let own = candidates.own(known);
    let token = presented.map(|presented| presented.token);

    if let (Some(own), Some(invited)) = (own, candidates.at_address)
        && own.id != invited.id
        && own.role == Role::Member
        && let Err(Refusal::InviteLinkRequired) =
            authorize(known, Some(membership(invited)), pro_plans)
        && let Ok(login) = accept(caller, membership(invited), token, now)
    {
        let removal = Removal::new(now, own.id.clone());
        let left = Some(own.with_state(State::Removed(removal)));
        return Ok(Login { left, ..login });
    }
    match (authorize(known, own.map(membership), pro_plans), own) {
        (Ok(access), _) => Ok(enter(caller, access, candidates)),
        (Err(Refusal::InviteLinkRequired), Some(own)) => {
            accept(caller, membership(own), token, now)
        }
        (Err(Refusal::AccessRevoked), Some(own)) if is_replaced(own, token) => {
            Err(Refusal::InviteSuperseded)
        }
        (Err(refusal), _) => Err(refusal),
    }
}

/// Whether a token is of an invite that was sent again to a corrected address.
fn is_replaced(member: &Member, token: Option<&InviteToken>) -> bool {
    let State::Removed(removal) = &member.state else {
        return false;
    };
    removal.replaced_by.is_some() && token.is_some_and(|token| token.member == member.id)
}

/// Decides about a login that names no account.
///
/// # Errors
///
/// [`Refusal::ChooseAccount`] if several accounts are open to the caller. If none is, the refusal
/// of the account that the caller can do most about.
pub fn decide_without_account(
    caller: &Caller,
    entrances: &[Entrance<'_>],
    pro_plans: &ProPlans,
    now: Timestamp,
) -> Result<Login, Refusal> {
    let logins = entrances
        .iter()
        .map(|entrance| decide(caller, Some(*entrance), None, pro_plans, now));
    only(caller, logins, |login| &login.account)
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
    let accesses = memberships
        .iter()
        .map(|membership| authorize(caller, Some(*membership), pro_plans));
    only(caller, accesses, |access| access.account())
}

fn only<T>(
    caller: &Caller,
    outcomes: impl Iterator<Item = Result<T, Refusal>>,
    account: impl Fn(&T) -> &Account,
) -> Result<T, Refusal> {
    let mut open = Vec::new();
    let mut refusals = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(outcome) => open.push(outcome),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if open.len() > 1 {
        let choices = open.iter().map(|open| choice(account(open)));
        return Err(Refusal::ChooseAccount(choices.collect()));
    }
    open.pop().ok_or_else(|| most_helpful(caller, refusals))
}

fn choice(account: &Account) -> AccountChoice {
    AccountChoice {
        id: account.id.clone(),
        company: account.company.clone(),
    }
}

/// The refusal that leads on, if one does: an invite can be accepted, a plan can be upgraded.
fn most_helpful(caller: &Caller, refusals: Vec<Refusal>) -> Refusal {
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
        .unwrap_or_else(|| caller.unknown())
}

/// Lets an active person in. The row is bound to the identity, anew if another issuer vouches for the
/// person now, and follows the address unless that is another person's.
fn enter(caller: &Caller, access: Access<'_>, candidates: Candidates<'_>) -> Login {
    let (member, active) = (access.member(), access.active());
    let state = State::Active(Active {
        binding: Some(Binding::to(&caller.identity)),
        ..active.clone()
    });
    let is_taken = candidates
        .at_address
        .is_some_and(|other| other.id != member.id && matches!(other.state, State::Active(_)));
    let email = caller.email().filter(|_| !is_taken);
    Login {
        account: access.account().clone(),
        member: Member {
            email: email.unwrap_or(&member.email).clone(),
            ..member.with_state(state)
        },
        left: None,
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
    check(invite, token.hash(), now)?;
    // The right secret under another name is an altered link.
    if token.member != member.id {
        return Err(Refusal::InviteInvalid);
    }
    let state = State::Active(Active {
        since: now,
        binding: Some(Binding::to(&caller.identity)),
        accepted: Some(invite.clone()),
    });
    Ok(Login {
        account: account.clone(),
        member: member.with_state(state),
        left: None,
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
    /// The person that a genuine token was sent to, if that is not the caller: neither by the identity
    /// nor by the address.
    ///
    /// A forged token gets the same answers as no token, so forging one reveals nothing.
    fn made_for_another(self, caller: &Caller) -> Option<&'a Member> {
        self.invited
            .filter(|invited| !caller.owns(invited) && caller.named_email() != Some(&invited.email))
            .filter(|invited| {
                invited
                    .invite()
                    .is_some_and(|invite| invite.tokens.contain(self.token.hash()))
            })
    }

    /// The caller with a proven address, if the token names the address of an open invite and a
    /// genuine link of it. Once the invite is accepted, its links prove nothing.
    fn vouch_for(self, caller: &Caller) -> Option<Caller> {
        let Address::Claimed(email) = &caller.address else {
            return None;
        };
        let State::Invited(invite) = &self.invited?.state else {
            return None;
        };
        let is_genuine = invite.tokens.contain(self.token.hash());
        (is_genuine && self.invited?.email == *email).then(|| Caller {
            address: Address::Proven(email.clone()),
            ..caller.clone()
        })
    }
}
