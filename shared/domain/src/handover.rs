//! Another owner for an account: the product's billing says who, and nobody in the account can.

use jiff::Timestamp;

use crate::Refusal;
use crate::account::Account;
use crate::id::MemberId;
use crate::identity::Binding;
use crate::member::{Active, Member, Removal, Role, State};
use crate::provision::{Owner, Provisioning};
use crate::text::named_enum;

named_enum! {
    /// What becomes of the former owner.
    pub enum Former {
        /// Stays, as a member.
        Member = "member",
        /// Is removed.
        Removed = "remove",
    }
}

/// The rows of an account that a handover concerns.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The owner so far.
    pub former: &'a Member,
    /// The row that stands where the new owner's address leads, whoever has that address now.
    pub occupant: Option<&'a Member>,
    /// The row that the new owner's identity is bound to, if billing names the identity.
    pub bound: Option<&'a Member>,
}

/// An account after a handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    pub account: Account,
    pub owner: Member,
    /// None, if the owner is the same person.
    pub former: Option<Member>,
}

/// Decides who the owner is, and what becomes of the former one. None, if this very message has already
/// done that: a repetition must not unbind an owner who has logged in since.
///
/// A person of the account changes roles with the owner. Somebody else becomes the owner at once, and
/// the first login binds the row. The same owner is unbound, so that the next login binds anew: the
/// person was created again at the identity provider.
///
/// # Errors
///
/// [`Refusal::AddressInUse`] if the address leads to another person than the identity, or to somebody
/// who signs in with another address now.
pub fn hand_over(
    wanted: &Provisioning,
    owner: &Owner,
    seen: &Account,
    rows: Rows<'_>,
    now: Timestamp,
) -> Result<Option<HandedOver>, Refusal> {
    let known = rows.person(owner)?;
    let is_same = known.is_some_and(|person| person.id == rows.former.id);
    let named = owner.identity.as_ref();
    let is_bound = named.is_none() || named == known.and_then(Member::identity);
    if is_same && is_bound && seen.handed_over == Some(wanted.mark()) {
        return Ok(None);
    }
    let active = known.and_then(Member::active);
    let binding = match (named, active) {
        (Some(identity), _) => Some(Binding::to(identity)),
        (None, Some(active)) if !is_same => active.binding.clone(),
        (None, _) => None,
    };
    let state = State::Active(Active {
        since: active.map_or(now, |active| active.since),
        binding,
        accepted: active.and_then(|active| active.accepted.clone()),
    });
    let new_owner = match known.filter(|_| active.is_some()) {
        // People's names belong to the account.
        Some(person) => person.with_state(state),
        None => Member {
            id: known.map_or_else(
                || MemberId::of(&seen.id, &owner.email),
                |person| person.id.clone(),
            ),
            last_send: known.map_or(0, |person| person.last_send),
            ..owner.row(&seen.id, state)
        },
    };
    let new_owner = Member {
        role: Role::Owner,
        ..new_owner
    };
    let former_state = match wanted.handover {
        Some(Former::Member) | None => rows.former.state.clone(),
        Some(Former::Removed) => State::Removed(Removal::new(now, new_owner.id.clone())),
    };
    let former = (!is_same).then(|| Member {
        role: Role::Member,
        ..rows.former.with_state(former_state)
    });
    let account = Account {
        owner: new_owner.id.clone(),
        handed_over: Some(wanted.mark()),
        ..wanted.applied_to(seen)
    };
    Ok(Some(HandedOver {
        account,
        owner: new_owner,
        former,
    }))
}

impl<'a> Rows<'a> {
    /// The new owner's row, if there is one.
    fn person(self, owner: &Owner) -> Result<Option<&'a Member>, Refusal> {
        let at_address = self.occupant.filter(|row| row.email == owner.email);
        match (self.bound, at_address) {
            (Some(bound), Some(other)) if other.id != bound.id && other.active().is_some() => {
                Err(Refusal::AddressInUse)
            }
            (Some(bound), _) => Ok(Some(bound)),
            (None, Some(person)) => Ok(Some(person)),
            (None, None) if self.occupant.is_some() => Err(Refusal::AddressInUse),
            (None, None) => Ok(None),
        }
    }
}
