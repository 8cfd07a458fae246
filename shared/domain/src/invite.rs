//! Inviting somebody into an account.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::{Caller, authorize};
use crate::account::{Account, ProPlans};
use crate::address::EmailAddress;
use crate::id::MemberId;
use crate::limits::{Limits, next_day, next_hour};
use crate::member::{Invite, Member, Role, State};
use crate::name::PersonName;
use crate::refusal::SendLimit;
use crate::request::{Fingerprint, RecordedRequest, first_answer};
use crate::token::TokenHash;

/// What inviting is governed by. The deployment sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The plans that include multi-user access.
    pub pro_plans: ProPlans,
    /// How much mail may be sent, and how long invites live.
    pub limits: Limits,
}

/// The person to invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitee {
    /// The id that the person has in the account, invited or not.
    pub id: MemberId,
    /// First name.
    pub first_name: PersonName,
    /// Last name.
    pub last_name: PersonName,
    /// Where the invite goes, and what the person signs in with.
    pub email: EmailAddress,
}

/// What one consistent read found.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The account.
    pub account: Option<&'a Account>,
    /// The caller's own row.
    pub caller: Option<&'a Member>,
    /// The row of the person to invite.
    pub invitee: Option<&'a Member>,
    /// The number of the send ([`Member::last_send`]) that this call tried to commit first, if it
    /// looks again.
    pub tried_send: Option<u32>,
    /// The request that the idempotency key stands for.
    pub request: Option<&'a RecordedRequest>,
    /// Mails of the account in this hour.
    pub account_sends: u32,
    /// Mails to the person on this day.
    pub recipient_sends: u32,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this row, whose invite is in force until then, count the mail, then send it.
    Commit(Member, Timestamp),
    /// The row is as this very call wrote it: go on with the mail.
    Committed(Member),
    /// Give the answer that the same request got before.
    Replay(String),
}

/// Decides about an invite with the given token.
///
/// # Errors
///
/// The refusals of [`authorize`]; then, in this order, owner only, reused key, upgrade required,
/// already member or invited, removed meanwhile, send limits.
pub fn decide(
    caller: &Caller,
    invitee: &Invitee,
    token: TokenHash,
    fingerprint: &Fingerprint,
    seen: Seen<'_>,
    rules: &Rules,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let access = authorize(caller, seen.account, seen.caller, &rules.pro_plans)?;
    access.require(Ability::MembersInvite)?;

    if let Some(member) = seen.invitee.filter(|member| newest_token_is(member, token)) {
        return Ok(Decision::Committed(member.clone()));
    }
    if let Some(answer) = first_answer(seen.request, fingerprint, now)? {
        return Ok(Decision::Replay(answer));
    }
    access.require_pro()?;
    match seen.invitee.map(|member| &member.state) {
        Some(State::Active(_)) => return Err(Refusal::AlreadyMember),
        Some(State::Invited(_)) => return Err(Refusal::AlreadyInvited),
        Some(State::Removed(_)) | None => {}
    }
    let last_send = seen.invitee.map_or(0, |member| member.last_send);
    if seen.tried_send.is_some_and(|tried| tried <= last_send) {
        return Err(Refusal::RemovedMeanwhile);
    }
    within_send_limits(seen.account_sends, seen.recipient_sends, &rules.limits, now)?;

    let invite = Invite::new(access.member().id.clone(), token, &rules.limits, now);
    let expires_at = invite.expires_at;
    let invited = Member {
        id: invitee.id.clone(),
        first_name: invitee.first_name.clone(),
        last_name: invitee.last_name.clone(),
        email: invitee.email.clone(),
        role: Role::Member,
        state: State::Invited(invite),
        last_send: last_send.saturating_add(1),
    };
    Ok(Decision::Commit(invited, expires_at))
}

/// Whether the row is what a call with this fresh token wrote: its answer got lost on the way.
pub(crate) fn newest_token_is(member: &Member, token: TokenHash) -> bool {
    matches!(&member.state, State::Invited(invite) if invite.tokens.newest() == token)
}

/// Whether one more mail may be sent.
pub(crate) fn within_send_limits(
    account_sends: u32,
    recipient_sends: u32,
    limits: &Limits,
    now: Timestamp,
) -> Result<(), Refusal> {
    if account_sends >= limits.sends_per_hour {
        return Err(limit_reached(SendLimit::Account, now));
    }
    if recipient_sends >= limits.sends_per_recipient_per_day {
        return Err(limit_reached(SendLimit::Recipient, now));
    }
    Ok(())
}

/// The refusal of a mail that a limit does not allow.
#[must_use]
pub fn limit_reached(limit: SendLimit, now: Timestamp) -> Refusal {
    let retry_at = match limit {
        SendLimit::Account => next_hour(now),
        SendLimit::Invite | SendLimit::Recipient => next_day(now),
    };
    Refusal::SendLimitReached { limit, retry_at }
}
