//! Sending an invite again, with a new link.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::Access;
use crate::delivery::DeliveryStatus;
use crate::limits::seconds_until;
use crate::member::{Invite, State};
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
    if invite.resends_on_day_of(now) >= limits.resends_per_day {
        return Err(limit_reached(SendLimit::Invite, now));
    }
    sending.within_limits()?;

    let resent = invite.resent(sending.token, limits, now);
    let number = member.last_send.saturating_add(1);
    Ok(Decision::Commit(Invited::sent(member, resent, number)))
}

/// The cooldown protects the recipient. A mail that the mail service refused has bothered nobody,
/// and a resend is its remedy.
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
