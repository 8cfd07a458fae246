//! A person's place in the list of an account's people: the sort key of the index `rank`.

use domain::member::{Member, Role, State};

pub(super) const OWNER: &str = "1#";
pub(super) const ACTIVE: &str = "2#";
pub(super) const INVITED: &str = "3#";
pub(super) const REMOVED: &str = "4#";
/// Sorts after everything that begins with [`REMOVED`].
pub(super) const END: &str = "5";

/// Owner, active, invited, removed; each by name, the removed newest first. A `#` ends the name, and no
/// name contains one.
pub(super) fn rank(member: &Member) -> String {
    let (name, id) = (folded_name(member), &member.id);
    match (&member.state, member.role) {
        (State::Removed(removal), _) => format!("{REMOVED}{}#{id}", removal.at),
        (State::Active(_) | State::Invited(_), Role::Owner) => OWNER.to_owned(),
        (State::Active(_), Role::Member) => format!("{ACTIVE}{name}#{id}"),
        (State::Invited(_), Role::Member) => format!("{INVITED}{name}#{id}"),
    }
}

pub(super) fn folded_name(member: &Member) -> String {
    folded(&format!("{} {}", member.first_name, member.last_name))
}

/// A text without its case. Lower case alone is not enough: it distinguishes the two small sigmas,
/// and does not equate the sharp s with its capitals.
pub(super) fn folded(text: &str) -> String {
    let upper = text.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}
