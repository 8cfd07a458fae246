//! The named ways in which a rule says no.

use crate::delivery::Delivery;
use crate::id::AccountId;
use crate::name::CompanyName;

/// Why an operation was refused. What callers read about it is chosen once, at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The caller's token proves no address, and no row belongs to the caller's identity.
    EmailUnverified,
    /// The same, with a verified address that no invite can be sent to.
    EmailUnusable,
    /// The caller has nothing to do with this account, or there is no such account: the two are
    /// one, so that nobody can find out which accounts exist.
    NoAccess,
    /// The account is closed.
    AccountClosed,
    /// The caller was removed from the account.
    AccessRevoked,
    /// The account's plan does not include multi-user access.
    UpgradeRequired,
    /// The caller is invited and has not yet used the link of the invite.
    InviteLinkRequired,
    /// The row that the caller's address leads to belongs to another identity.
    IdentityMismatch,
    /// Only the owner may do this.
    OwnerOnly,
    /// No such person in this account.
    MemberNotFound,
    /// The person is in the account already.
    AlreadyMember,
    /// The person is invited already.
    AlreadyInvited,
    /// Somebody who was invited with this address, and has another one now, is in the account.
    AddressInUse,
    /// The person was removed since this call looked first, perhaps after it had invited the person
    /// and its answer got lost. A new call can invite.
    RemovedMeanwhile,
    /// The person has no open invite.
    NotInvited,
    /// The newest mail to the person bounced for good, or the person complained about it.
    AddressUndeliverable(Delivery),
    /// The owner cannot be removed.
    OwnerCannotBeRemoved,
    /// The idempotency key was used for a different request.
    IdempotencyKeyReused,
    /// The invite was sent a moment ago.
    ResendTooSoon {
        /// In how many seconds it may be sent again.
        retry_after: u64,
    },
    /// Too much mail was sent already.
    SendLimitReached {
        /// Which limit it was.
        limit: SendLimit,
        /// In how many seconds it allows more.
        retry_after: u64,
    },
    /// The person is in several accounts and did not say which one is meant.
    ChooseAccount(Vec<AccountChoice>),
    /// The invite was made for another address.
    WrongAccount {
        /// The invited address, all but unrecognisable.
        invited: String,
    },
    /// No invite has this token.
    InviteInvalid,
    /// The token is that of an earlier send.
    InviteSuperseded,
    /// The invite's time is over.
    InviteExpired,
}

/// A limit on mail.
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
    /// Its id.
    pub id: AccountId,
    /// Its company.
    pub company: CompanyName,
}
