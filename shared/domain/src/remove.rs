//! Taking a person's access away, or cancelling an invite.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::Access;
use crate::member::{Member, Removal, Role, State};

/// What one consistent read found.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub member: Option<&'a Member>,
    /// The same row at the first attempt of this call.
    pub at_first: Option<&'a Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this row, whose state is the given removal.
    Commit(Member, Removal),
    /// This call, or another one, removed the person before.
    Removed(Removal),
}

/// Decides about a removal.
///
/// The plan does not matter: an owner who leaves the pro level must still be able to take access away.
///
/// # Errors
///
/// In this order: owner only, member not found, owner cannot be removed.
pub fn decide(access: Access<'_>, seen: Seen<'_>, now: Timestamp) -> Result<Decision, Refusal> {
    access.require(Ability::MembersRemove)?;
    let member = seen.member.ok_or(Refusal::MemberNotFound)?;
    match member.role {
        Role::Owner => return Err(Refusal::OwnerCannotBeRemoved),
        Role::Member => {}
    }
    match &member.state {
        State::Removed(removal) => Ok(Decision::Removed(removal.clone())),
        State::Invited(_) | State::Active(_) => {
            let removal = Removal::new(now, access.member().id.clone());
            // Removed and invited again since this call first looked: the removal may have been this
            // call's own, with its answer lost. The owner did not ask to take the new invite away.
            if seen.at_first.is_some_and(|first| !member.is_still(first)) {
                return Ok(Decision::Removed(removal));
            }
            let removed = member.with_state(State::Removed(removal.clone()));
            Ok(Decision::Commit(removed, removal))
        }
    }
}
