//! What happened to an account or a person, told from a row before and after a write.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, Plan};
use crate::delivery::Delivery;
use crate::id::MemberId;
use crate::member::{Member, State};

/// Something that happened, for the rest of the product to know.
///
/// That an invite expires is not among them: nothing is written then. Whoever was told of an invite
/// knows when it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Somebody was invited.
    MemberInvited {
        /// Who.
        member: MemberId,
        /// By whom.
        by: MemberId,
        /// From when on the link no longer works, unless the invite is sent again.
        expires_at: Timestamp,
    },
    /// Somebody accepted an invite.
    MemberActivated(MemberId),
    /// Somebody was removed, or an invite was cancelled.
    MemberRemoved(MemberId),
    /// Something became known about an invite's newest mail, or there is a newer mail.
    InviteDeliveryChanged(MemberId, Delivery),
    /// The account was closed.
    AccountClosed,
    /// The account was opened again.
    AccountReopened,
    /// The account has another plan.
    AccountPlanChanged {
        /// The plan until now.
        before: Plan,
        /// The plan from now on.
        after: Plan,
    },
}

impl Change {
    /// The kind, by which consumers ask for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MemberInvited { .. } => "member.invited",
            Self::MemberActivated(_) => "member.activated",
            Self::MemberRemoved(_) => "member.removed",
            Self::InviteDeliveryChanged(..) => "invite.delivery_changed",
            Self::AccountClosed => "account.closed",
            Self::AccountReopened => "account.reopened",
            Self::AccountPlanChanged { .. } => "account.plan_changed",
        }
    }
}

/// What happened to a person between two states of the row.
#[must_use]
pub fn of_member(before: Option<&Member>, after: &Member) -> Option<Change> {
    let id = after.id.clone();
    match (before.map(|before| &before.state), &after.state) {
        (None | Some(State::Removed(_)), State::Invited(invite)) => Some(Change::MemberInvited {
            member: id,
            by: invite.invited_by.clone(),
            expires_at: invite.expires_at,
        }),
        (Some(State::Invited(_)), State::Active(_)) => Some(Change::MemberActivated(id)),
        (Some(State::Invited(_) | State::Active(_)), State::Removed(_)) => {
            Some(Change::MemberRemoved(id))
        }
        (Some(State::Invited(before)), State::Invited(after))
            if before.delivery.status != after.delivery.status =>
        {
            Some(Change::InviteDeliveryChanged(id, after.delivery.clone()))
        }
        // An owner is there from the beginning; names and identities are nobody else's business.
        _ => None,
    }
}

/// What happened to an account between two states of the row.
#[must_use]
pub fn of_account(before: &Account, after: &Account) -> Vec<Change> {
    let plan = (before.plan != after.plan).then(|| Change::AccountPlanChanged {
        before: before.plan.clone(),
        after: after.plan.clone(),
    });
    let status = match (before.status, after.status) {
        (AccountStatus::Active, AccountStatus::Closed { .. }) => Some(Change::AccountClosed),
        (AccountStatus::Closed { .. }, AccountStatus::Active) => Some(Change::AccountReopened),
        (AccountStatus::Active, AccountStatus::Active)
        | (AccountStatus::Closed { .. }, AccountStatus::Closed { .. }) => None,
    };
    plan.into_iter().chain(status).collect()
}
