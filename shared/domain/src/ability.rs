//! What a role may do: data, served with login and list, and asked by every operation.

use serde::Serialize;

use crate::member::Role;

/// One thing that a person of an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Ability {
    /// Use the product.
    #[serde(rename = "account:use")]
    AccountUse,
    /// See who is in the account.
    #[serde(rename = "members:list")]
    MembersList,
    /// Invite somebody.
    #[serde(rename = "members:invite")]
    MembersInvite,
    /// Send an invite again.
    #[serde(rename = "members:resend")]
    MembersResend,
    /// Remove somebody, or cancel an invite.
    #[serde(rename = "members:remove")]
    MembersRemove,
    /// Change the account's details.
    #[serde(rename = "account:update")]
    AccountUpdate,
    /// Close the account.
    #[serde(rename = "account:close")]
    AccountClose,
}

impl Ability {
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
