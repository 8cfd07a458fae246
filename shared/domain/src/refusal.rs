//! The ways in which a rule says no.

use crate::delivery::Delivery;
use crate::id::AccountId;
use crate::name::CompanyName;

/// Why a rule refused an operation. The platform chooses the words for callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The caller's token proves no address, and no row belongs to the caller's identity.
    EmailUnverified,
    /// The same, with a verified address that no invite can be sent to.
    EmailUnusable,
    /// The caller has nothing to do with this account, or there is no such account: the two are
    /// one, so that nobody can find out which accounts exist.
    NoAccess,
    AccountClosed,
    /// The caller was removed from the account.
    AccessRevoked,
    /// The account's plan does not include multi-user access.
    UpgradeRequired,
    /// The caller is invited and hasn't used the link of the invite yet.
    InviteLinkRequired,
    /// The row that the caller's address leads to belongs to another identity.
    IdentityMismatch,
    OwnerOnly,
    MemberNotFound,
    AlreadyMember,
    AlreadyInvited,
    /// Someone who was invited with this address, and has another one now, is in the account.
    AddressInUse,
    /// The person was removed since this call looked first, perhaps after it had invited the person
    /// and its answer got lost. A new call can invite.
    RemovedMeanwhile,
    /// The person has no open invite.
    NotInvited,
    /// The newest mail to the person bounced for good, or the person complained about it.
    AddressUndeliverable(Delivery),
    OwnerCannotBeRemoved,
    /// The idempotency key was used for a different request.
    IdempotencyKeyReused,
    ResendTooSoon {
        /// In seconds.
        retry_after: u64,
    },
    SendLimitReached {
        limit: SendLimit,
        /// In seconds.
        retry_after: u64,
    },
    /// The caller is in several accounts and named none of them.
    ChooseAccount(Vec<AccountChoice>),
    /// The invite was made for another address.
    WrongAccount {
        /// The invited address, masked.
        invited: String,
    },
    /// No invite has this token.
    InviteInvalid,
    /// The token belongs to an earlier send.
    InviteSuperseded,
    InviteExpired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendLimit {
    /// Resends of one invite on one day.
    Invite,
    /// Mails of one account in one hour.
    Account,
    /// Mails to one person on one day.
    Recipient,
}

/// An account that a person can choose to log in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountChoice {
    pub id: AccountId,
    pub company: CompanyName,
}
