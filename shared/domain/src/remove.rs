//! Taking somebody's access away, or cancelling an invite.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::{Caller, authorize};
use crate::account::{Account, ProPlans};
use crate::member::{Member, Removal, Role, State};

/// What one consistent read found.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The account.
    pub account: Option<&'a Account>,
    /// The caller's own row.
    pub caller: Option<&'a Member>,
    /// The row of the person to remove.
    pub member: Option<&'a Member>,
    /// The same row as this call saw it first, if it looks again.
    pub at_first: Option<&'a Member>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this row, whose state is the given removal.
    Commit(Member, Removal),
    /// The person was removed already, by this very call or another one.
    Removed(Removal),
}

/// Decides about a removal.
///
/// The plan does not matter: who leaves the pro level must still be able to take access away.
///
/// # Errors
///
/// The refusals of [`authorize`]; then, in this order, owner only, member not found, owner cannot
/// be removed.
pub fn decide(
    caller: &Caller,
    seen: Seen<'_>,
    pro_plans: &ProPlans,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let access = authorize(caller, seen.account, seen.caller, pro_plans)?;
    access.require(Ability::MembersRemove)?;
    let member = seen.member.ok_or(Refusal::MemberNotFound)?;
    match member.role {
        Role::Owner => return Err(Refusal::OwnerCannotBeRemoved),
        Role::Member => {}
    }
    match &member.state {
        State::Removed(removal) => Ok(Decision::Removed(removal.clone())),
        State::Invited(_) | State::Active(_) => {
            let removal = Removal {
                at: now,
                by: access.member().id.clone(),
            };
            // Removed and invited anew in the meantime: the removal may have been this call's, whose
            // answer was lost. The new invite is not what the owner asked to take away.
            if seen.at_first.is_some_and(|first| !member.is_still(first)) {
                return Ok(Decision::Removed(removal));
            }
            let removed = member.with_state(State::Removed(removal.clone()));
            Ok(Decision::Commit(removed, removal))
        }
    }
}
