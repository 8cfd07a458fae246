//! Creating an account and keeping it up to date with the product's billing.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, Plan, Provisioned};
use crate::address::EmailAddress;
use crate::id::{AccountId, MemberId};
use crate::member::{Active, Member, Role, State};
use crate::name::{CompanyName, PersonName};

/// What the product says about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioning {
    /// The product's id of the account.
    pub account: AccountId,
    /// The company.
    pub company: CompanyName,
    /// What the customer pays for now.
    pub plan: Plan,
    /// Whether an account that its owner closed is to be opened again.
    pub reopen: bool,
    /// When it became so. Events come late, repeated and out of order.
    pub since: Since,
    /// Billing's own number of what it says: the higher one is newer.
    pub revision: Option<u64>,
}

/// When what billing says became so, and how exactly that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Billing says when.
    Said(Timestamp),
    /// The time of an event, which EventBridge gives in whole seconds: two events of one second came
    /// in an order that nobody knows.
    Event(Timestamp),
    /// Billing calls, and says what is true now.
    Now(Timestamp),
}

impl Since {
    /// The time.
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

/// Who owns a new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The first name.
    pub first_name: PersonName,
    /// The last name.
    pub last_name: PersonName,
    /// The address that the owner signs in with.
    pub email: EmailAddress,
}

/// What becomes of an account that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// Write the account, and nothing else: people are never touched. Where nothing but the time is
    /// new, that is written, so that what comes late can be told.
    Commit(Account),
    /// Everything is as it should be.
    Unchanged,
    /// Something newer is known, or just as new.
    NotNewer,
}

/// A new account, and the row of its owner.
#[must_use]
pub fn create(wanted: &Provisioning, owner: &Owner, now: Timestamp) -> (Account, Member) {
    let owner = Member {
        id: MemberId::of(&wanted.account, &owner.email),
        first_name: owner.first_name.clone(),
        last_name: owner.last_name.clone(),
        email: owner.email.clone(),
        role: Role::Owner,
        state: State::Active(Active {
            since: now,
            binding: None,
            accepted: None,
        }),
        last_send: 0,
    };
    let account = Account {
        id: wanted.account.clone(),
        company: wanted.company.clone(),
        provisioned_company: wanted.company.clone(),
        plan: wanted.plan.clone(),
        status: AccountStatus::Active,
        owner: owner.id.clone(),
        provisioned: wanted.mark(),
    };
    (account, owner)
}

/// Decides what provisioning changes.
///
/// The owner is set when the account is created. After that, people belong to the account itself:
/// a plan change must neither undo a change of name nor hand the account to somebody else. In the
/// same way, the company counts only if billing says another one than before: what billing repeats
/// must not undo what the owner changed.
///
/// A closed account is kept up to date, and stays closed unless it is to be reopened. What was said
/// before the closing reopens nothing: it may be a late repetition of an earlier reopening.
#[must_use]
pub fn update(wanted: &Provisioning, seen: &Account) -> Update {
    let company = if wanted.company == seen.provisioned_company {
        &seen.company
    } else {
        &wanted.company
    };
    let account = Account {
        company: company.clone(),
        provisioned_company: wanted.company.clone(),
        plan: wanted.plan.clone(),
        status: wanted.status(seen.status),
        provisioned: wanted.mark(),
        ..seen.clone()
    };
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
    fn mark(&self) -> Provisioned {
        Provisioned {
            at: self.since.at(),
            revision: self.revision,
        }
    }

    /// Revisions are compared where there are two, times otherwise. A time that is not exact may be as
    /// early as the known one and yet be newer: a plan that was paid for must not get lost.
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
        }
    }

    /// What is known, what is told then, and whether that counts.
    #[test]
    fn what_is_not_newer_changes_nothing() {
        let said = |text| Since::Said(second(text));
        let event = |text| Since::Event(second(text));
        let now = |text| Since::Now(second(text));
        let owner = Owner {
            first_name: "Olivia".parse().unwrap(),
            last_name: "Owner".parse().unwrap(),
            email: "olivia@example.com".parse().unwrap(),
        };
        for (known, told, counts) in [
            ((None, said("05.4")), (None, said("05.5")), true),
            ((None, said("05.4")), (None, said("05.4")), false),
            ((None, said("05.4")), (None, said("05.3")), false),
            // In whole seconds, it may be newer.
            ((None, event("05")), (None, event("05")), true),
            ((None, event("05")), (None, event("04")), false),
            ((None, event("05")), (None, event("06")), true),
            // An event of the second in which billing called counts as older: what a person has just
            // been told must not be undone.
            ((None, now("05.4")), (None, event("05")), false),
            ((None, now("05.4")), (None, event("06")), true),
            ((None, event("05")), (None, now("05.4")), true),
            ((None, now("05.4")), (None, now("05.4")), true),
            // Revisions decide where there are two.
            ((Some(7), event("05")), (Some(8), event("05")), true),
            ((Some(7), event("05")), (Some(8), event("01")), true),
            ((Some(7), event("05")), (Some(7), event("05")), false),
            ((Some(7), event("05")), (Some(6), event("09")), false),
            ((Some(7), event("05")), (Some(0), now("09")), false),
            // And where there is one, the time.
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
            // The same once more is no news, whatever its time.
            assert_eq!(update(&known, &account), Update::Unchanged);
        }
    }
}
