//! What inviting and resending share: both commit an invite with a fresh token, and then mail it.

use jiff::Timestamp;

use crate::Refusal;
use crate::limits::{Limits, next_day, next_hour, seconds_until};
use crate::member::{Invite, Member, State};
use crate::refusal::SendLimit;
use crate::request::{Fingerprint, RecordedRequest, first_answer};
use crate::token::TokenHash;

/// A call that sends an invite: its own data, and the results of one consistent read.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The mail will carry this token.
    pub token: TokenHash,
    pub fingerprint: &'a Fingerprint,
    /// The recorded request with the call's idempotency key.
    pub request: Option<&'a RecordedRequest>,
    /// The recipient's row.
    pub member: Option<&'a Member>,
    /// The number of the send ([`Member::last_send`]) that the first attempt of this call tried to
    /// commit.
    pub tried_send: Option<u32>,
    /// Mails of the account in this hour.
    pub account_sends: u32,
    /// Mails to the recipient on this day. None, if the address is unknown before the row is read.
    pub recipient_sends: Option<u32>,
    pub limits: &'a Limits,
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this row, count the mail, then send it.
    Commit(Invited),
    /// An earlier attempt of this call wrote this row: go on with the mail.
    Committed(Invited),
    /// Give the answer that the same request got before.
    Replay(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    member: Member,
    invite: Invite,
}

impl Invited {
    /// A person about to be sent an invite, with the number of that send.
    pub(crate) fn sent(member: &Member, invite: Invite, number: u32) -> Self {
        let member = Member {
            last_send: number,
            ..member.with_state(State::Invited(invite.clone()))
        };
        Self { member, invite }
    }

    #[must_use]
    pub fn member(&self) -> &Member {
        &self.member
    }

    #[must_use]
    pub fn invite(&self) -> &Invite {
        &self.invite
    }
}

impl Sending<'_> {
    /// Recognises a call that was carried out before, by an earlier attempt or under the same
    /// idempotency key.
    ///
    /// # Errors
    ///
    /// [`Refusal::IdempotencyKeyReused`].
    pub(crate) fn done_before(&self) -> Result<Option<Decision>, Refusal> {
        if let Some(member) = self.member
            && let State::Invited(invite) = &member.state
            && invite.tokens.newest() == self.token
        {
            let (member, invite) = (member.clone(), invite.clone());
            return Ok(Some(Decision::Committed(Invited { member, invite })));
        }
        let answer = first_answer(self.request, self.fingerprint, self.now)?;
        Ok(answer.map(Decision::Replay))
    }

    /// Refuses if a limit on mail is reached.
    pub(crate) fn within_limits(&self) -> Result<(), Refusal> {
        if self.account_sends >= self.limits.sends_per_hour {
            return Err(limit_reached(SendLimit::Account, self.now));
        }
        let most = self.limits.sends_per_recipient_per_day;
        if self.recipient_sends.is_some_and(|sends| sends >= most) {
            return Err(limit_reached(SendLimit::Recipient, self.now));
        }
        Ok(())
    }
}

#[must_use]
pub fn limit_reached(limit: SendLimit, now: Timestamp) -> Refusal {
    let retry_at = match limit {
        SendLimit::Account => next_hour(now),
        SendLimit::Invite | SendLimit::Recipient => next_day(now),
    };
    Refusal::SendLimitReached {
        limit,
        retry_after: seconds_until(retry_at, now),
    }
}
