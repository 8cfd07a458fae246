//! The words of refusals for the caller. No other place chooses them.

use domain::refusal::{Refusal, SendLimit};

use super::{Code, Problem};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::EmailUnverified => Self::new(
                Code::EmailUnverified,
                "Your e-mail address isn't verified. Verify it where you sign in, then try again.",
            ),
            Refusal::EmailUnusable => Self::new(
                Code::EmailUnverified,
                "Your e-mail address is verified, but invites can't be sent to an address like it. \
                 Sign in with an address such as name@example.com.",
            ),
            Refusal::NoAccess => {
                Self::new(Code::NoAccess, "You don't have access to this account.")
            }
            Refusal::AccountClosed => Self::new(Code::AccountClosed, "This account is closed."),
            Refusal::AccessRevoked => Self::new(
                Code::AccessRevoked,
                "Your access to this account has been revoked.",
            ),
            Refusal::UpgradeRequired => Self::new(
                Code::UpgradeRequired,
                "Multi-user access is only available to pro-level accounts. \
                 Upgrade the account to use it.",
            ),
            Refusal::InviteLinkRequired => Self::new(
                Code::InviteLinkRequired,
                "Use the link in your invite e-mail to log in for the first time.",
            ),
            Refusal::IdentityMismatch => Self::new(
                Code::IdentityMismatch,
                "This address was first used with a different sign-in. Use that one, or contact \
                 support.",
            ),
            Refusal::OwnerOnly => Self::new(Code::OwnerOnly, "Only the account owner can do this."),
            Refusal::MemberNotFound => Self::new(
                Code::MemberNotFound,
                "There is no such person in this account.",
            ),
            Refusal::AlreadyMember => Self::new(
                Code::AlreadyMember,
                "This person is already in the account.",
            ),
            Refusal::AddressInUse => Self::new(
                Code::AddressInUse,
                "Someone who was invited with this address is still in the account, with another \
                 address now. Remove that person first, or invite this one with another address.",
            ),
            Refusal::AlreadyInvited => Self::new(
                Code::AlreadyInvited,
                "This person is already invited. Resend the invite to send it again.",
            ),
            Refusal::RemovedMeanwhile => {
                Self::unavailable("the person was removed while being invited")
            }
            Refusal::NotInvited => Self::new(
                Code::NotInvited,
                "This person has no open invite to resend.",
            ),
            Refusal::AddressUndeliverable(delivery) => {
                let reason = delivery.status.reason().unwrap_or_default();
                let detail = format!(
                    "This invite can't be resent to this address. {reason} Resend it to the right \
                     one, or contact support."
                );
                Self::new(Code::AddressUndeliverable, detail)
            }
            Refusal::OwnerCannotBeRemoved => {
                Self::new(Code::OwnerCannotBeRemoved, "The owner can't be removed.")
            }
            Refusal::IdempotencyKeyReused => Self::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key was used for a different request. Use a new one.",
            ),
            Refusal::ResendTooSoon {
                retry_after: seconds,
            } => {
                let unit = if seconds == 1 { "second" } else { "seconds" };
                let detail = format!(
                    "The invite was sent a moment ago. Wait {seconds} {unit}, then resend it."
                );
                Self::new(Code::ResendTooSoon, detail).retry_after(seconds)
            }
            Refusal::SendLimitReached { limit, retry_after } => {
                let detail = match limit {
                    SendLimit::Invite => {
                        "This invite has reached its limit of resends for today. Try again tomorrow."
                    }
                    SendLimit::Account => {
                        "This account has reached its limit of invites for this hour. Try again in \
                         the next hour."
                    }
                    SendLimit::Recipient => {
                        "This address has reached its limit of invites for today. Try again tomorrow."
                    }
                };
                Self::new(Code::SendLimitReached, detail).retry_after(retry_after)
            }
            Refusal::ChooseAccount(accounts) => Self {
                accounts,
                ..Self::new(
                    Code::ChooseAccount,
                    "You belong to several accounts. Choose the one to log in to.",
                )
            },
            Refusal::WrongAccount { invited } => Self::new(
                Code::WrongAccount,
                format!("This invite is for {invited}. Sign in with that address to accept it."),
            ),
            Refusal::InviteInvalid => Self::new(
                Code::InviteInvalid,
                "This invite link isn't valid. Use the link in your latest invite e-mail.",
            ),
            Refusal::InviteSuperseded => Self::new(
                Code::InviteSuperseded,
                "A newer invite was sent. Use the link in the latest e-mail.",
            ),
            Refusal::InviteExpired => Self::new(
                Code::InviteExpired,
                "This invite has expired. Ask the account owner to resend it.",
            ),
        }
    }
}
