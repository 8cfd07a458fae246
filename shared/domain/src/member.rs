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
    /// The number of the newest send to this person. It continues across invites, so that feedback
    /// on a mail of a cancelled invite never counts for a later one.
    pub last_send: u32,
}

/// Only the table decides a person's role: no request can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The main account holder.
    Owner,
    /// An additional user.
    Member,
}

/// Only a new invite can make a removed person active again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum State {
    /// Invited, and has not logged in yet.
    #[serde(with = "open_invite")]
    Invited(Invite),
    Active(Active),
    /// Was removed, or had the invite cancelled.
    Removed(Removal),
}

/// The item stores an open invite under its own name, like an accepted one.
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    pub invited_at: Timestamp,
    pub invited_by: MemberId,
    /// From then on, the newest link doesn't work.
    pub expires_at: Timestamp,
    pub tokens: Tokens,
    pub sends: u32,
    pub last_sent_at: Timestamp,
    /// How many sends on the day of `last_sent_at` were resends.
    pub resends_that_day: u32,
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
    /// Older tokens count as unknown.
    const REMEMBERED: usize = 30;

    #[must_use]
    pub fn first(newest: TokenHash) -> Self {
        Self {
            newest,
            earlier: Vec::new(),
        }
    }

    #[must_use]
    pub fn followed_by(&self, newest: TokenHash) -> Self {
        let earlier = self.iter().take(Self::REMEMBERED).copied().collect();
        Self { newest, earlier }
    }

    /// The token that opens the account.
    #[must_use]
    pub fn newest(&self) -> TokenHash {
        self.newest
    }

    /// Whether a token was sent with this invite, even if it is not the newest.
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    #[serde(rename = "activeSince")]
    pub since: Timestamp,
    /// Who the person is, from the first login on. Absent only for an owner before it, and for a former
    /// owner who never logged in.
    #[serde(rename = "identity", default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// The invite that was accepted. Absent for whoever billing made the owner.
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
    /// A person's state at a certain time, for answers and for the list's filter.
    pub enum Status {
        Active = "active",
        /// Invited, and the link works.
        Invited = "invited",
        /// Invited, and the link no longer works.
        Expired = "expired",
        Removed = "removed",
    }
}

impl Member {
    /// Whether an invite has expired is computed, never stored.
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
        self.active()?.binding.as_ref()
    }

    /// The membership, if the person is in the account.
    #[must_use]
    pub fn active(&self) -> Option<&Active> {
        match &self.state {
            State::Active(active) => Some(active),
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

    /// Whether this is the same membership or invite as in an earlier read, and not a newer invite.
    #[must_use]
    pub fn is_still(&self, earlier: &Self) -> bool {
        match (self.invite(), earlier.invite()) {
            (Some(invite), Some(earlier)) => invite.tokens.contain(earlier.tokens.newest()),
            (None, None) => true,
            _ => false,
        }
    }

    /// The delivery of the newest mail, as long as it matters: always for an open invite, and for
    /// an active person only if there is a problem with the address.
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

    #[must_use]
    pub fn with_state(&self, state: State) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    /// Nothing but `delivery` changes: mail decides nothing about access.
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
