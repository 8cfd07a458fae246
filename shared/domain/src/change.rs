//! Changes of an account or a person, derived from a row before and after a write.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, Plan};
use crate::delivery::Delivery;
use crate::id::MemberId;
use crate::member::{Member, Removal, State};

/// A change that the rest of the product may need to know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    MemberInvited {
        member: MemberId,
        by: MemberId,
        /// From then on, the link doesn't work, unless the invite is sent again.
        expires_at: Timestamp,
    },
    /// A person accepted an invite.
    MemberActivated(MemberId),
    /// A person was removed, or an invite was cancelled.
    MemberRemoved(MemberId, Removal),
    /// Somebody signs in with another address now.
    MemberAddressChanged(MemberId),
    /// Somebody signs in through another identity provider now.
    MemberIdentityChanged(MemberId),
    /// Something became known about an invite's newest mail, or there is a newer mail.
    InviteDeliveryChanged(MemberId, Delivery),
    /// The newest link of an invite stopped working without being used.
    InviteExpired {
        member: MemberId,
        at: Timestamp,
    },
    AccountClosed,
    AccountReopened,
    /// Billing handed the account to another person.
    OwnerChanged {
        before: MemberId,
        after: MemberId,
    },
    AccountPlanChanged {
        before: Plan,
        after: Plan,
    },
}

impl Change {
    /// Consumers subscribe to changes by this name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::MemberInvited { .. } => "member.invited",
            Self::MemberActivated(_) => "member.activated",
            Self::MemberRemoved(..) => "member.removed",
            Self::MemberAddressChanged(_) => "member.address_changed",
            Self::MemberIdentityChanged(_) => "member.identity_changed",
            Self::InviteDeliveryChanged(..) => "invite.delivery_changed",
            Self::InviteExpired { .. } => "invite.expired",
            Self::AccountClosed => "account.closed",
            Self::AccountReopened => "account.reopened",
            Self::OwnerChanged { .. } => "owner.changed",
            Self::AccountPlanChanged { .. } => "account.plan_changed",
        }
    }
}

/// What happened to a person between two states of the row.
#[must_use]
pub fn of_member(before: Option<&Member>, after: &Member) -> Option<Change> {
    let id = after.id.clone();
    let (email, identity) = (
        before.map(|before| &before.email),
        before.and_then(Member::identity),
    );
    match (before.map(|before| &before.state), &after.state) {
        (None | Some(State::Removed(_)), State::Invited(invite)) => Some(Change::MemberInvited {
            member: id,
            by: invite.invited_by.clone(),
            expires_at: invite.expires_at,
        }),
        (Some(State::Invited(_)), State::Active(_)) => Some(Change::MemberActivated(id)),
        (Some(State::Invited(_) | State::Active(_)), State::Removed(removal)) => {
            Some(Change::MemberRemoved(id, removal.clone()))
        }
        (Some(State::Invited(before)), State::Invited(after))
            if before.delivery.status != after.delivery.status =>
        {
            Some(Change::InviteDeliveryChanged(id, after.delivery.clone()))
        }
        (Some(State::Active(_)), State::Active(_)) if email != Some(&after.email) => {
            Some(Change::MemberAddressChanged(id))
        }
        (Some(State::Active(_)), State::Active(_))
            if identity.is_some() && identity != after.identity() =>
        {
            Some(Change::MemberIdentityChanged(id))
        }
        // An owner is there from the beginning; names are nobody else's business.
        _ => None,
    }
}

/// The change when an invite that was to end at `at` is over. None, if the invite was accepted,
/// cancelled or sent again before.
#[must_use]
pub fn of_expiry(member: &Member, at: Timestamp) -> Option<Change> {
    match &member.state {
        State::Invited(invite) if invite.expires_at == at => Some(Change::InviteExpired {
            member: member.id.clone(),
            at,
        }),
        State::Invited(_) | State::Active(_) | State::Removed(_) => None,
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
    let owner = (before.owner != after.owner).then(|| Change::OwnerChanged {
        before: before.owner.clone(),
        after: after.owner.clone(),
    });
    plan.into_iter().chain(status).chain(owner).collect()
}

#[cfg(test)]
mod tests {
    use super::{Change, of_account, of_member};
    use crate::account::{Account, AccountStatus, Provisioned};
    use crate::delivery::{Delivery, DeliveryStatus};
    use crate::id::MemberId;
    use crate::identity::{Binding, Identity};
    use crate::member::{Active, Invite, Member, Removal, Role, State, Tokens};
    use crate::token::InviteToken;

    fn id() -> MemberId {
        MemberId::of(
            &"acme".parse().unwrap(),
            &"kim@example.com".parse().unwrap(),
        )
    }

    fn person(state: State) -> Member {
        Member {
            id: id(),
            first_name: "Kim".parse().unwrap(),
            last_name: "Lee".parse().unwrap(),
            email: "kim@example.com".parse().unwrap(),
            role: Role::Member,
            state,
            last_send: 1,
        }
    }

    fn invited(status: DeliveryStatus) -> Member {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let token = InviteToken::new("acme".parse().unwrap(), id(), [7; 32]);
        person(State::Invited(Invite {
            invited_at: now,
            invited_by: id(),
            expires_at: now,
            tokens: Tokens::first(token.hash()),
            sends: 1,
            last_sent_at: now,
            resends_that_day: 0,
            delivery: Delivery {
                status,
                at: now,
                lifted_at: None,
            },
        }))
    }

    #[test]
    fn a_persons_change_follows_from_the_two_states() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let active = person(State::Active(Active {
            since: now,
            binding: None,
            accepted: None,
        }));
        let bound = |issuer: &str| {
            person(State::Active(Active {
                since: now,
                binding: Some(Binding::to(&Identity {
                    issuer: issuer.to_owned(),
                    subject: "kim".to_owned(),
                })),
                accepted: None,
            }))
        };
        let (here, there) = (
            bound("https://here.example"),
            bound("https://there.example"),
        );
        let moved = Member {
            email: "kim.lee@example.com".parse().unwrap(),
            ..here.clone()
        };
        let removed = person(State::Removed(Removal::new(now, id())));
        let (open, answered) = (
            invited(DeliveryStatus::Sending),
            invited(DeliveryStatus::AutoReplied),
        );
        let name = |before: Option<&Member>, after: &Member| {
            of_member(before, after).map(|change| change.name())
        };
        for (before, after, expected) in [
            (None, &open, Some("member.invited")),
            (Some(&removed), &open, Some("member.invited")),
            (Some(&open), &active, Some("member.activated")),
            (Some(&open), &removed, Some("member.removed")),
            (Some(&active), &removed, Some("member.removed")),
            (Some(&open), &answered, Some("invite.delivery_changed")),
            (Some(&answered), &open, Some("invite.delivery_changed")),
            (Some(&open), &open, None),
            (Some(&active), &active, None),
            (Some(&active), &here, None),
            (Some(&here), &here, None),
            (Some(&here), &moved, Some("member.address_changed")),
            (Some(&here), &there, Some("member.identity_changed")),
            (Some(&removed), &removed, None),
            // The owner, whom the product created.
            (None, &active, None),
        ] {
            assert_eq!(name(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn an_accounts_change_can_be_several() {
        let account = |plan: &str, status| Account {
            id: "acme".parse().unwrap(),
            company: "Acme".parse().unwrap(),
            provisioned_company: "Acme".parse().unwrap(),
            plan: plan.parse().unwrap(),
            status,
            owner: id(),
            provisioned: Provisioned {
                at: "2026-11-24T12:00:00Z".parse().unwrap(),
                revision: None,
            },
            handed_over: None,
        };
        let at = "2026-11-24T12:00:00Z".parse().unwrap();
        let (open, closed) = (AccountStatus::Active, AccountStatus::Closed { at });
        let names = |before: &Account, after: &Account| -> Vec<&str> {
            let changes = of_account(before, after);
            changes.iter().map(Change::name).collect()
        };
        for (before, after, expected) in [
            (account("pro", open), account("pro", open), vec![]),
            (account("pro", closed), account("pro", closed), vec![]),
            (
                account("pro", open),
                account("pro", closed),
                vec!["account.closed"],
            ),
            (
                account("pro", open),
                account("basic", open),
                vec!["account.plan_changed"],
            ),
            (
                account("basic", closed),
                account("pro", open),
                vec!["account.plan_changed", "account.reopened"],
            ),
        ] {
            assert_eq!(names(&before, &after), expected);
            let handed_over = Account {
                owner: MemberId::of(&after.id, &"lee@example.com".parse().unwrap()),
                ..after
            };
            let expected = [expected, vec!["owner.changed"]].concat();
            assert_eq!(names(&before, &handed_over), expected);
        }
    }
}
