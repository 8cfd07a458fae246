//! Sending an invite again, with a new link: to the same address, or to a corrected one.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::Access;
use crate::address::EmailAddress;
use crate::delivery::DeliveryStatus;
use crate::id::MemberId;
use crate::limits::seconds_until;
use crate::member::{Invite, Member, Removal, State};
use crate::refusal::SendLimit;
use crate::sending::{Decision, Invited, Sending, limit_reached};

/// Decides about sending an invite again.
///
/// How much mail the recipient got today is not known before the row is read, so the condition of
/// the commit decides about that limit.
///
/// # Errors
///
/// In this order: owner only, reused key, upgrade required, member not found, not invited, address
/// undeliverable, too soon, send limits.
pub fn decide(access: Access<'_>, sending: &Sending<'_>) -> Result<Decision, Refusal> {
    access.require(Ability::MembersResend)?;
    if let Some(decision) = sending.done_before()? {
        return Ok(decision);
    }
    access.require_pro()?;
    let member = sending.member.ok_or(Refusal::MemberNotFound)?;
    let State::Invited(invite) = &member.state else {
        return Err(Refusal::NotInvited);
    };
    if invite.delivery.is_undeliverable() {
        return Err(Refusal::AddressUndeliverable(invite.delivery.clone()));
    }
    let (limits, now) = (sending.limits, sending.now);
    not_too_soon(invite, sending)?;
    not_too_often(invite, sending)?;
    sending.within_limits()?;

    let resent = invite.resent(sending.token, limits, now);
    let number = member.last_send.saturating_add(1);
    Ok(Decision::Commit(Invited::sent(member, resent, number)))
}

/// The address that an invite should have gone to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The id of a person who has not been in the account.
    pub id: MemberId,
    pub email: EmailAddress,
}

/// Decides about sending an invite to a corrected address. The mistaken one is cancelled, and its links
/// with it. What happened to mail there does not matter, and nobody there is bothered again; the limits
/// of the invite go on.
///
/// # Errors
///
/// In this order: owner only, reused key, upgrade required, member not found, not invited, already
/// member or invited, address in use, removed meanwhile, send limits.
pub fn decide_correction(
    access: Access<'_>,
    sending: &Sending<'_>,
    correction: &Correction,
) -> Result<Decision, Refusal> {
    access.require(Ability::MembersResend)?;
    if let Some(decision) = sending.done_before()? {
        return Ok(decision);
    }
    access.require_pro()?;
    let mistaken = sending.replaces.ok_or(Refusal::MemberNotFound)?;
    let State::Invited(invite) = &mistaken.state else {
        return Err(Refusal::NotInvited);
    };
    let last_send = sending.vacant_for(&correction.email)?;
    let (limits, now) = (sending.limits, sending.now);
    not_too_often(invite, sending)?;
    sending.within_limits()?;

    let id = sending.member.map_or(&correction.id, |member| &member.id);
    let removal = Removal {
        replaced_by: Some(id.clone()),
        ..Removal::new(now, access.member().id.clone())
    };
    let corrected = Member {
        id: id.clone(),
        email: correction.email.clone(),
        ..mistaken.clone()
    };
    let resent = invite.resent(sending.token, limits, now);
    let invited = Invited::sent(&corrected, resent, last_send.saturating_add(1));
    let invited = invited.replacing(mistaken.with_state(State::Removed(removal)));
    Ok(Decision::Commit(invited))
}

fn not_too_often(invite: &Invite, sending: &Sending<'_>) -> Result<(), Refusal> {
    if invite.resends_on_day_of(sending.now) >= sending.limits.resends_per_day {
        Err(limit_reached(SendLimit::Invite, sending.now))
    } else {
        Ok(())
    }
}

/// The cooldown spares the recipient. A mail that the mail service did not take has bothered
/// nobody, and a resend is its remedy.
fn not_too_soon(invite: &Invite, sending: &Sending<'_>) -> Result<(), Refusal> {
    if let DeliveryStatus::Failed { .. } = invite.delivery.status {
        return Ok(());
    }
    let retry_at = invite
        .last_sent_at
        .saturating_add(sending.limits.resend_cooldown)
        .unwrap_or(Timestamp::MAX);
    if sending.now < retry_at {
        let retry_after = seconds_until(retry_at, sending.now);
        Err(Refusal::ResendTooSoon { retry_after })
    } else {
        Ok(())
    }
}
