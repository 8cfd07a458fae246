//! Inviting a person into an account.

use crate::Refusal;
use crate::ability::Ability;
use crate::access::Access;
use crate::account::ProPlans;
use crate::address::EmailAddress;
use crate::id::MemberId;
use crate::limits::Limits;
use crate::member::{Invite, Member, Role, State};
use crate::name::PersonName;
use crate::sending::{Decision, Invited, Sending};

/// The deployment sets these parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub pro_plans: ProPlans,
    pub limits: Limits,
}

/// The person to invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitee {
    /// The id of a person who has not been in the account.
    pub id: MemberId,
    pub first_name: PersonName,
    pub last_name: PersonName,
    /// Where the invite goes, and what the person signs in with.
    pub email: EmailAddress,
}

/// Decides about an invite.
///
/// # Errors
///
/// In this order: owner only, reused key, upgrade required, already member or invited, address
/// in use, removed meanwhile, send limits.
pub fn decide(
    access: Access<'_>,
    sending: &Sending<'_>,
    invitee: &Invitee,
) -> Result<Decision, Refusal> {
    access.require(Ability::MembersInvite)?;
    if let Some(decision) = sending.done_before()? {
        return Ok(decision);
    }
    access.require_pro()?;
    let last_send = sending.vacant_for(&invitee.email)?;
    sending.within_limits()?;

    let by = access.member().id.clone();
    let invite = Invite::new(by, sending.token, sending.limits, sending.now);
    let member = Member {
        id: sending
            .member
            .map_or(&invitee.id, |member| &member.id)
            .clone(),
        first_name: invitee.first_name.clone(),
        last_name: invitee.last_name.clone(),
        email: invitee.email.clone(),
        role: Role::Member,
        state: State::Invited(invite.clone()),
        last_send,
    };
    let invited = Invited::sent(&member, invite, last_send.saturating_add(1));
    Ok(Decision::Commit(invited))
}
