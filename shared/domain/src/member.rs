//! The people of an account, and the states they can be in.

use std::slice;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::delivery::{Delivery, DeliveryStatus};
use crate::id::MemberId;
use crate::identity::{Binding, Identity};
use crate::limits::{Limits, day_of};
use crate::name::PersonName;
use crate::text::named_enum;
use crate::token::TokenHash;

/// A person in an account: its owner, an invited person, a member, or a former one. Its serialised
/// form is the item in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    #[serde(rename = "memberId")]
    pub id: MemberId,
    pub first_name: PersonName,
    pub last_name: PersonName,
    /// Where mail goes. Up to the first login it also leads to the person; then it follows the
    /// address that the identity provider vouches for. The id stays.
    pub email: EmailAddress,
    pub role: Role,
    #[serde(flatten)]
    pub state: State,
    /// The number of the newest send to this person. It goes on counting over invites, so that
    /// what the mail system reports about a mail of a cancelled invite never meets a later one.
    pub last_send: u32,
}

/// What a person is in an account. Only the table says so: no request can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The main account holder.
    Owner,
    /// An additional user.
    Member,
}

/// Where a person stands. Only a new invite makes a removed person active again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum State {
    /// Invited, and has not logged in yet.
    #[serde(with = "open_invite")]
    Invited(Invite),
    /// Can log in.
    Active(Active),
    /// Was removed, or had the invite cancelled.
    Removed(Removal),
}

/// An open invite stands in the item under its own name, as an accepted one does.
mod open_invite {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Invite;

    #[derive(Serialize, Deserialize)]
    struct Open<T> {
        invite: T,
    }

    pub(super) fn serialize<S: Serializer>(invite: &Invite, to: S) -> Result<S::Ok, S::Error> {
        Open { invite }.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Invite, D::Error> {
        Open::deserialize(from).map(|Open { invite }| invite)
    }
}

/// An unaccepted membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    pub invited_at: Timestamp,
    pub invited_by: MemberId,
    /// From when on the newest link no longer works.
    pub expires_at: Timestamp,
    /// The tokens sent so far.
    pub tokens: Tokens,
    /// How many mails of this invite were sent.
    pub sends: u32,
    /// When the newest one was sent.
    pub last_sent_at: Timestamp,
    /// How many of today's (the day of `last_sent_at`) sends were resends.
    pub resends_that_day: u32,
    /// What became of the newest mail.
    pub delivery: Delivery,
}

/// The hashes of an invite's tokens, newest first; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TokenHash>", into = "Vec<TokenHash>")]
pub struct Tokens {
    newest: TokenHash,
    earlier: Vec<TokenHash>,
}

impl Tokens {
    /// How many earlier tokens are remembered. A token older than that is an unknown one.
    const REMEMBERED: usize = 30;

    /// The tokens of a new invite.
    #[must_use]
    pub fn first(newest: TokenHash) -> Self {
        Self {
            newest,
            earlier: Vec::new(),
        }
    }

    /// The tokens after one more send.
    #[must_use]
    pub fn followed_by(&self, newest: TokenHash) -> Self {
        let earlier = self.iter().take(Self::REMEMBERED).copied().collect();
        Self { newest, earlier }
    }

    /// The one that opens the account.
    #[must_use]
    pub fn newest(&self) -> TokenHash {
        self.newest
    }

    /// Whether a token was sent with this invite, however long ago.
    #[must_use]
    pub fn contain(&self, token: TokenHash) -> bool {
        self.iter().any(|known| *known == token)
    }

    fn iter(&self) -> impl Iterator<Item = &TokenHash> {
        slice::from_ref(&self.newest).iter().chain(&self.earlier)
    }
}

impl TryFrom<Vec<TokenHash>> for Tokens {
    type Error = crate::Invalid;

    fn try_from(hashes: Vec<TokenHash>) -> Result<Self, Self::Error> {
        let mut hashes = hashes.into_iter();
        let newest = hashes.next().ok_or(crate::Invalid("must not be empty"))?;
        Ok(Self {
            newest,
            earlier: hashes.collect(),
        })
    }
}

impl From<Tokens> for Vec<TokenHash> {
    fn from(tokens: Tokens) -> Self {
        tokens.iter().copied().collect()
    }
}

/// Membership in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    #[serde(rename = "activeSince")]
    pub since: Timestamp,
    /// Who the person is, from the first login on. Absent only for an owner before it.
    #[serde(rename = "identity", default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// The invite that was accepted. Absent for the owner.
    #[serde(rename = "invite", default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Invite>,
}

/// The end of a membership or an invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    #[serde(rename = "removedAt")]
    pub at: Timestamp,
    #[serde(rename = "removedBy")]
    pub by: MemberId,
    /// Who got the invite in this one's place, if its address was corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<MemberId>,
}

impl Removal {
    #[must_use]
    pub fn new(at: Timestamp, by: MemberId) -> Self {
        Self {
            at,
            by,
            replaced_by: None,
        }
    }
}

named_enum! {
    /// Where a person stands at a certain time, as answers and the list's filter say it.
    pub enum Status {
        /// Can log in.
        Active = "active",
        /// Invited, and the link works.
        Invited = "invited",
        /// Invited, and the link no longer works.
        Expired = "expired",
        Removed = "removed",
    }
}

impl Member {
    /// Where the person stands now. Whether an invite has expired is computed, never stored.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        match &self.state {
            State::Invited(invite) if invite.is_expired(now) => Status::Expired,
            State::Invited(_) => Status::Invited,
            State::Active(_) => Status::Active,
            State::Removed(_) => Status::Removed,
        }
    }

    /// The identity that the row belongs to: only active rows belong to one.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.binding().map(|binding| &binding.identity)
    }

    /// Whether that identity leads to the row.
    #[must_use]
    pub fn has_pointer(&self) -> bool {
        self.binding().is_some_and(|binding| binding.has_pointer)
    }

    fn binding(&self) -> Option<&Binding> {
        match &self.state {
            State::Active(active) => active.binding.as_ref(),
            State::Invited(_) | State::Removed(_) => None,
        }
    }

    /// The invite, open or accepted.
    #[must_use]
    pub fn invite(&self) -> Option<&Invite> {
        match &self.state {
            State::Invited(invite) => Some(invite),
            State::Active(active) => active.accepted.as_ref(),
            State::Removed(_) => None,
        }
    }

    /// Whether the membership is the one that an earlier look at the row found, and no invite has
    /// begun anew since.
    #[must_use]
    pub fn is_still(&self, earlier: &Self) -> bool {
        match (self.invite(), earlier.invite()) {
            (Some(invite), Some(earlier)) => invite.tokens.contain(earlier.tokens.newest()),
            (None, None) => true,
            _ => false,
        }
    }

    /// What became of the newest mail, as far as it still matters: all about an open invite, and
    /// what is amiss with the address of somebody who signs in with it.
    #[must_use]
    pub fn shown_delivery(&self) -> Option<&Delivery> {
        let delivery = &self.invite()?.delivery;
        match (&self.state, delivery.status) {
            (State::Invited(_), _)
            | (_, DeliveryStatus::AutoReplied | DeliveryStatus::Complained { .. }) => {
                Some(delivery)
            }
            (State::Active(_) | State::Removed(_), _) => None,
        }
    }

    /// The same person with another state.
    #[must_use]
    pub fn with_state(&self, state: State) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    /// The same person once more is known about the newest mail of the invite. Nothing but
    /// `delivery` changes: mail decides nothing about access.
    #[must_use]
    pub fn with_delivery(&self, delivery: Delivery) -> Self {
        let known = |invite: &Invite| Invite {
            delivery,
            ..invite.clone()
        };
        self.with_state(match &self.state {
            State::Invited(invite) => State::Invited(known(invite)),
            State::Active(active) => State::Active(Active {
                accepted: active.accepted.as_ref().map(known),
                ..active.clone()
            }),
            State::Removed(removal) => State::Removed(removal.clone()),
        })
    }
}

impl Invite {
    /// A new invite, whose first mail is about to be sent.
    #[must_use]
    pub fn new(by: MemberId, token: TokenHash, limits: &Limits, now: Timestamp) -> Self {
        Self {
            invited_at: now,
            invited_by: by,
            expires_at: expiry(limits, now),
            tokens: Tokens::first(token),
            sends: 1,
            last_sent_at: now,
            resends_that_day: 0,
            delivery: Delivery::of_new_send(now),
        }
    }

    /// The same invite, about to be sent again with a new link.
    #[must_use]
    pub fn resent(&self, token: TokenHash, limits: &Limits, now: Timestamp) -> Self {
        Self {
            expires_at: expiry(limits, now),
            tokens: self.tokens.followed_by(token),
            sends: self.sends.saturating_add(1),
            last_sent_at: now,
            resends_that_day: self.resends_on_day_of(now).saturating_add(1),
            delivery: Delivery::of_new_send(now),
            ..self.clone()
        }
    }

    /// Whether the link has stopped working. It works up to the second before `expires_at`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// How often the invite was resent on the day that `now` is in.
    #[must_use]
    pub fn resends_on_day_of(&self, now: Timestamp) -> u32 {
        if day_of(self.last_sent_at) == day_of(now) {
            self.resends_that_day
        } else {
            0
        }
    }
}

fn expiry(limits: &Limits, now: Timestamp) -> Timestamp {
    now.saturating_add(limits.invite_lifetime)
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::Tokens;
    use crate::token::{InviteToken, TokenHash};

    fn hash(secret: u8) -> TokenHash {
        let account = "acme".parse().unwrap();
        let member = crate::id::MemberId::of(&account, &"kim@example.com".parse().unwrap());
        InviteToken::new(account, member, [secret; 32]).hash()
    }

    #[test]
    fn tokens_remember_a_bounded_number_newest_first() {
        let mut tokens = Tokens::first(hash(0));
        for secret in 1..=200 {
            tokens = tokens.followed_by(hash(secret));
            assert_eq!(tokens.newest(), hash(secret));
            assert!(tokens.contain(hash(secret - 1)));
        }
        assert!(!tokens.contain(hash(0)));
        let stored: Vec<TokenHash> = tokens.clone().into();
        assert_eq!(stored.len(), Tokens::REMEMBERED + 1);
        assert_eq!(Tokens::try_from(stored), Ok(tokens));
        assert!(Tokens::try_from(Vec::new()).is_err());
    }
}
