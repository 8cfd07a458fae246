//! Sending an invite again, with a new link.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::{Caller, authorize};
use crate::account::Account;
use crate::delivery::DeliveryStatus;
use crate::invite::{Decision, Rules, limit_reached, newest_token_is, within_send_limits};
use crate::limits::Limits;
use crate::member::{Invite, Member, State};
use crate::refusal::SendLimit;
use crate::request::{Fingerprint, RecordedRequest, first_answer};
use crate::token::TokenHash;

/// What one consistent read found.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The account.
    pub account: Option<&'a Account>,
    /// The caller's own row.
    pub caller: Option<&'a Member>,
    /// The row of the invited person.
    pub member: Option<&'a Member>,
    /// The request that the idempotency key stands for.
    pub request: Option<&'a RecordedRequest>,
    /// Mails of the account in this hour.
    pub account_sends: u32,
}

/// Decides about sending an invite again with the given token.
///
/// How much mail the recipient got today is not known before the row is read, so that limit is
/// left to the condition of the commit.
///
/// # Errors
///
/// The refusals of [`authorize`]; then, in this order, owner only, reused key, upgrade required,
/// member not found, not invited, address undeliverable, too soon, send limits.
pub fn decide(
    caller: &Caller,
    token: TokenHash,
    fingerprint: &Fingerprint,
    seen: Seen<'_>,
    rules: &Rules,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let limits = &rules.limits;
    let access = authorize(caller, seen.account, seen.caller, &rules.pro_plans)?;
    access.require(Ability::MembersResend)?;

    if let Some(member) = seen.member.filter(|member| newest_token_is(member, token)) {
        return Ok(Decision::Committed(member.clone()));
    }
    if let Some(answer) = first_answer(seen.request, fingerprint, now)? {
        return Ok(Decision::Replay(answer));
    }
    access.require_pro()?;
    let member = seen.member.ok_or(Refusal::MemberNotFound)?;
    let State::Invited(invite) = &member.state else {
        return Err(Refusal::NotInvited);
    };
    if invite.delivery.is_undeliverable() {
        return Err(Refusal::AddressUndeliverable(invite.delivery.clone()));
    }
    not_too_soon(invite, limits, now)?;
    if invite.resends_on_day_of(now) >= limits.resends_per_day {
        return Err(limit_reached(SendLimit::Invite, now));
    }
    within_send_limits(seen.account_sends, 0, limits, now)?;

    let resent = invite.resent(token, limits, now);
    let expires_at = resent.expires_at;
    let member = Member {
        last_send: member.last_send.saturating_add(1),
        ..member.with_state(State::Invited(resent))
    };
    Ok(Decision::Commit(member, expires_at))
}

/// The cooldown spares the recipient. A mail that was never taken has bothered nobody, and resend
/// is its remedy.
fn not_too_soon(invite: &Invite, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
    if let DeliveryStatus::Failed { .. } = invite.delivery.status {
        return Ok(());
    }
    let retry_at = invite
        .last_sent_at
        .saturating_add(limits.resend_cooldown)
        .unwrap_or(Timestamp::MAX);
    if now < retry_at {
        Err(Refusal::ResendTooSoon { retry_at })
    } else {
        Ok(())
    }
}
