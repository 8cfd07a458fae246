//! Creating an account and keeping it up to date with the product's billing.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, Plan, Provisioned};
use crate::address::EmailAddress;
use crate::handover::Former;
use crate::id::{AccountId, MemberId};
use crate::identity::{Binding, Identity};
use crate::member::{Active, Member, Role, State};
use crate::name::{CompanyName, PersonName};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioning {
    pub account: AccountId,
    pub company: CompanyName,
    pub plan: Plan,
    /// Reopen the account if its owner closed it.
    pub reopen: bool,
    /// When this became true. Events come late, repeated and out of order.
    pub since: Since,
    /// Billing's own number of the message: a higher one is newer.
    pub revision: Option<u64>,
    /// Makes the owner in the message the owner of a known account, and says what becomes of the former
    /// one.
    pub handover: Option<Former>,
}

/// When a message from billing became true, and how exactly that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// The message says when.
    Said(Timestamp),
    /// The time of an event. EventBridge gives whole seconds, so the order of two events in the
    /// same second is unknown.
    Event(Timestamp),
    /// Billing calls, and says what is true now.
    Now(Timestamp),
}

impl Since {
    #[must_use]
    pub fn at(self) -> Timestamp {
        match self {
            Self::Said(at) | Self::Event(at) | Self::Now(at) => at,
        }
    }

    /// Whether this is later than a closing.
    fn is_after(self, closing: Timestamp) -> bool {
        match self {
            Self::Said(at) | Self::Event(at) => at > closing,
            Self::Now(_) => true,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub email: EmailAddress,
    /// Who the owner is for the identity provider, if billing knows: then it takes no first login.
    pub identity: Option<Identity>,
}

impl Owner {
    /// The row of an owner who is not in the account yet.
    pub(crate) fn row(&self, account: &AccountId, state: State) -> Member {
        Member {
            id: MemberId::of(account, &self.email),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            role: Role::Owner,
            state,
            last_send: 0,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Write the account, and never people. A newer time is written even if nothing else changed,
    /// so that late messages can be recognised.
    Commit(Account),
    Unchanged,
    /// The known message is newer, or just as new.
    NotNewer,
}

/// A new account, and the row of its owner.
#[must_use]
pub fn create(wanted: &Provisioning, owner: &Owner, now: Timestamp) -> (Account, Member) {
    let state = State::Active(Active {
        since: now,
        binding: owner.identity.as_ref().map(Binding::to),
        accepted: None,
    });
    let owner = owner.row(&wanted.account, state);
    let account = Account {
        id: wanted.account.clone(),
        company: wanted.company.clone(),
        provisioned_company: wanted.company.clone(),
        plan: wanted.plan.clone(),
        status: AccountStatus::Active,
        owner: owner.id.clone(),
        provisioned: wanted.mark(),
        handed_over: wanted.handover.map(|_| wanted.mark()),
    };
    (account, owner)
}

/// Decides what provisioning changes.
///
/// The owner is set when the account is created, and by a [handover](crate::handover). Otherwise,
/// people belong to the account: a change of plan must not undo a new name. For the same reason, the company changes only if billing sends a different one than before: a repetition must
/// not undo the owner's change.
///
/// A closed account is kept up to date, and stays closed unless billing reopens it. A message from
/// before the closing reopens nothing: it may be a late repetition of an earlier reopening.
#[must_use]
pub fn update(wanted: &Provisioning, seen: &Account) -> Update {
    let account = wanted.applied_to(seen);
    if account == *seen {
        return Update::Unchanged;
    }
    if wanted.is_newer_than(seen.provisioned) {
        return Update::Commit(account);
    }
    let as_known = Account {
        provisioned: seen.provisioned,
        ..account
    };
    if as_known == *seen {
        Update::Unchanged
    } else {
        Update::NotNewer
    }
}

impl Provisioning {
    /// Whether the message asks for a handover that is not older than what is known.
    #[must_use]
    pub fn hands_over(&self, seen: &Account) -> bool {
        self.handover.is_some() && self.is_newer_than(seen.provisioned)
    }

    /// Whether the message is the newest known one.
    #[must_use]
    pub fn is_known(&self, seen: &Account) -> bool {
        match (self.revision, seen.provisioned.revision) {
            (Some(told), Some(known)) => told == known,
            _ => self.since.at() == seen.provisioned.at,
        }
    }

    /// The account as billing wants it.
    pub(crate) fn applied_to(&self, seen: &Account) -> Account {
        let company = if self.company == seen.provisioned_company {
            &seen.company
        } else {
            &self.company
        };
        Account {
            company: company.clone(),
            provisioned_company: self.company.clone(),
            plan: self.plan.clone(),
            status: self.status(seen.status),
            provisioned: self.mark(),
            ..seen.clone()
        }
    }

    pub(crate) fn mark(&self) -> Provisioned {
        Provisioned {
            at: self.since.at(),
            revision: self.revision,
        }
    }

    /// Compares revisions if both messages have one, and times otherwise. An inexact time may equal
    /// the known one and still be newer: a paid plan must not get lost.
    fn is_newer_than(&self, known: Provisioned) -> bool {
        match (self.revision, known.revision, self.since) {
            (Some(told), Some(known), _) => told > known,
            (_, _, Since::Said(at)) => at > known.at,
            (_, _, Since::Event(at) | Since::Now(at)) => at >= known.at,
        }
    }

    fn status(&self, seen: AccountStatus) -> AccountStatus {
        match seen {
            AccountStatus::Closed { at } if self.reopen && self.since.is_after(at) => {
                AccountStatus::Active
            }
            AccountStatus::Active | AccountStatus::Closed { .. } => seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Owner, Provisioning, Since, Update, create, update};

    fn second(text: &str) -> Timestamp {
        format!("2026-11-24T12:00:{text}Z").parse().unwrap()
    }

    fn wanted(plan: &str, revision: Option<u64>, since: Since) -> Provisioning {
        Provisioning {
            account: "acme".parse().unwrap(),
            company: "Acme".parse().unwrap(),
            plan: plan.parse().unwrap(),
            reopen: false,
            since,
            revision,
            handover: None,
        }
    }

    /// The known message, the new one, and whether the new one counts.
    #[test]
    fn what_is_not_newer_changes_nothing() {
        let said = |text| Since::Said(second(text));
        let event = |text| Since::Event(second(text));
        let now = |text| Since::Now(second(text));
        let owner = Owner {
            first_name: "Olivia".parse().unwrap(),
            last_name: "Owner".parse().unwrap(),
            email: "olivia@example.com".parse().unwrap(),
            identity: None,
        };
        for (known, told, counts) in [
            ((None, said("05.4")), (None, said("05.5")), true),
            ((None, said("05.4")), (None, said("05.4")), false),
            ((None, said("05.4")), (None, said("05.3")), false),
            // In whole seconds, it may be newer.
            ((None, event("05")), (None, event("05")), true),
            ((None, event("05")), (None, event("04")), false),
            ((None, event("05")), (None, event("06")), true),
            // An event in the second of billing's call counts as older: it must not undo what a
            // person was just told.
            ((None, now("05.4")), (None, event("05")), false),
            ((None, now("05.4")), (None, event("06")), true),
            ((None, event("05")), (None, now("05.4")), true),
            ((None, now("05.4")), (None, now("05.4")), true),
            // Revisions decide if both messages have one.
            ((Some(7), event("05")), (Some(8), event("05")), true),
            ((Some(7), event("05")), (Some(8), event("01")), true),
            ((Some(7), event("05")), (Some(7), event("05")), false),
            ((Some(7), event("05")), (Some(6), event("09")), false),
            ((Some(7), event("05")), (Some(0), now("09")), false),
            // Otherwise, the time decides.
            ((Some(7), event("05")), (None, event("06")), true),
            ((Some(7), event("05")), (None, now("06")), true),
            ((None, now("06")), (Some(8), event("05")), false),
            ((None, now("06")), (Some(8), event("07")), true),
        ] {
            let (known, told) = (
                wanted("basic", known.0, known.1),
                wanted("pro", told.0, told.1),
            );
            let (account, _) = create(&known, &owner, second("00"));
            match update(&told, &account) {
                Update::Commit(updated) if counts => {
                    assert_eq!(updated.plan, told.plan);
                    assert_eq!(updated.provisioned, told.mark());
                }
                Update::NotNewer if !counts => {}
                other => panic!("{known:?}, then {told:?}: {other:?}"),
            }
            // A repetition is no news, whatever its time.
            assert_eq!(update(&known, &account), Update::Unchanged);
        }
    }
}
