//! What inviting and resending share: both commit an invite with a fresh token, and then mail it.

use jiff::Timestamp;

use crate::Refusal;
use crate::address::EmailAddress;
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
    /// The row of the invite that this one replaces, if it goes to a corrected address.
    pub replaces: Option<&'a Member>,
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
    replaced: Option<Member>,
}

impl Invited {
    /// A person about to be sent an invite, with the number of that send.
    pub(crate) fn sent(member: &Member, invite: Invite, number: u32) -> Self {
        let member = Member {
            last_send: number,
            ..member.with_state(State::Invited(invite.clone()))
        };
        Self {
            member,
            invite,
            replaced: None,
        }
    }

    /// The same in place of another invite, whose row becomes this.
    pub(crate) fn replacing(self, replaced: Member) -> Self {
        let replaced = Some(replaced);
        Self { replaced, ..self }
    }

    #[must_use]
    pub fn member(&self) -> &Member {
        &self.member
    }

    #[must_use]
    pub fn invite(&self) -> &Invite {
        &self.invite
    }

    /// The row of the invite that this one replaces.
    #[must_use]
    pub fn replaced(&self) -> Option<&Member> {
        self.replaced.as_ref()
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
            return Ok(Some(Decision::Committed(Invited {
                member,
                invite,
                replaced: None,
            })));
        }
        let answer = first_answer(self.request, self.fingerprint, self.now)?;
        Ok(answer.map(Decision::Replay))
    }

    /// Demands that nobody with this address, or invited with it, is in the account. Returns the number
    /// of the last mail to the person.
    pub(crate) fn vacant_for(&self, email: &EmailAddress) -> Result<u32, Refusal> {
        let Some(member) = self.member else {
            return Ok(0);
        };
        match member.state {
            State::Active(_) | State::Invited(_) if member.email != *email => {
                return Err(Refusal::AddressInUse);
            }
            State::Active(_) => return Err(Refusal::AlreadyMember),
            State::Invited(_) => return Err(Refusal::AlreadyInvited),
            State::Removed(_) => {}
        }
        if self
            .tried_send
            .is_some_and(|tried| tried <= member.last_send)
        {
            return Err(Refusal::RemovedMeanwhile);
        }
        Ok(member.last_send)
    }

    /// Demands that one more mail may be sent.
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
