//! What a role may do: data, served with login and list, and asked by every operation.

use serde::{Serialize, Serializer};

use crate::member::Role;

/// One thing that a person of an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ability {
    /// Use the product.
    AccountUse,
    /// See who is in the account.
    MembersList,
    /// Invite somebody.
    MembersInvite,
    /// Send an invite again.
    MembersResend,
    /// Remove somebody, or cancel an invite.
    MembersRemove,
    /// Change the account's details.
    AccountUpdate,
    /// Close the account.
    AccountClose,
}

impl Ability {
    /// The ability as answers say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountUse => "account:use",
            Self::MembersList => "members:list",
            Self::MembersInvite => "members:invite",
            Self::MembersResend => "members:resend",
            Self::MembersRemove => "members:remove",
            Self::AccountUpdate => "account:update",
            Self::AccountClose => "account:close",
        }
    }

    /// All that a role may do.
    ///
    /// Members do what owners do, but they neither add nor remove users, nor change the account.
    #[must_use]
    pub fn of(role: Role) -> &'static [Ability] {
        match role {
            Role::Owner => &[
                Ability::AccountUse,
                Ability::MembersList,
                Ability::MembersInvite,
                Ability::MembersResend,
                Ability::MembersRemove,
                Ability::AccountUpdate,
                Ability::AccountClose,
            ],
            Role::Member => &[Ability::AccountUse, Ability::MembersList],
        }
    }
}

impl Serialize for Ability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
