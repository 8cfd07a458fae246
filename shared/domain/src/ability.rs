//! The abilities of each role: data that login and list return, and that every operation checks.

use crate::member::Role;
use crate::text::named_enum;

named_enum! {
    /// One thing that a person of an account may do.
    pub enum Ability {
        /// Use the product.
        AccountUse = "account:use",
        MembersList = "members:list",
        MembersInvite = "members:invite",
        MembersResend = "members:resend",
        /// Remove a person, or cancel an invite.
        MembersRemove = "members:remove",
        AccountUpdate = "account:update",
        AccountClose = "account:close",
    }
}

impl Ability {
    /// All that a role may do.
    ///
    /// Members do what owners do, but they neither add nor remove users, nor change the account.
    #[must_use]
    pub fn of(role: Role) -> &'static [Ability] {
        match role {
            Role::Owner => Ability::ALL,
            Role::Member => &[Ability::AccountUse, Ability::MembersList],
        }
    }
}
