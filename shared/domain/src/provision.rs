//! Creating an account and keeping it up to date with the product's billing.

use jiff::Timestamp;

use crate::account::{Account, AccountStatus, Plan};
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
    /// The owner's first name.
    pub owner_first_name: PersonName,
    /// The owner's last name.
    pub owner_last_name: PersonName,
    /// The address that the owner signs in with.
    pub owner_email: EmailAddress,
    /// Whether an account that its owner closed is to be opened again.
    pub reopen: bool,
    /// When it became so, if an event says it. Events come late, repeated and out of order.
    pub happened_at: Option<Timestamp>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write a new account and the row of its owner.
    Create(Account, Member),
    /// Write the account, and nothing else: people are never touched.
    Update(Account),
    /// Everything is as it should be, or the event is older than what is known.
    Unchanged(Account),
}

/// Decides what provisioning changes.
///
/// The owner is set when the account is created. After that, people belong to the account itself:
/// a plan change must neither undo a change of name nor hand the account to somebody else. In the
/// same way, the company counts only if billing says another one than before: what billing repeats
/// must not undo what the owner changed.
///
/// A closed account is kept up to date, and stays closed unless it is to be reopened. An event from
/// before the closing reopens nothing: it may be a late repetition of an earlier reopening.
#[must_use]
pub fn decide(wanted: &Provisioning, seen: Option<&Account>, now: Timestamp) -> Decision {
    let Some(seen) = seen else {
        return create(wanted, now);
    };
    if let (Some(known), Some(told)) = (seen.provisioned_by_event_at, wanted.happened_at)
        && told < known
    {
        return Decision::Unchanged(seen.clone());
    }
    let company = if wanted.company == seen.provisioned_company {
        &seen.company
    } else {
        &wanted.company
    };
    let account = Account {
        company: company.clone(),
        provisioned_company: wanted.company.clone(),
        plan: wanted.plan.clone(),
        status: status(wanted, seen.status),
        provisioned_by_event_at: wanted.happened_at.or(seen.provisioned_by_event_at),
        ..seen.clone()
    };
    if account == *seen {
        Decision::Unchanged(account)
    } else {
        Decision::Update(account)
    }
}

fn status(wanted: &Provisioning, seen: AccountStatus) -> AccountStatus {
    match seen {
        AccountStatus::Closed { at }
            if wanted.reopen && wanted.happened_at.is_none_or(|told| told > at) =>
        {
            AccountStatus::Active
        }
        AccountStatus::Active | AccountStatus::Closed { .. } => seen,
    }
}

fn create(wanted: &Provisioning, now: Timestamp) -> Decision {
    let owner = Member {
        id: MemberId::of(&wanted.account, &wanted.owner_email),
        first_name: wanted.owner_first_name.clone(),
        last_name: wanted.owner_last_name.clone(),
        email: wanted.owner_email.clone(),
        role: Role::Owner,
        state: State::Active(Active {
            since: now,
            identity: None,
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
        provisioned_by_event_at: wanted.happened_at,
    };
    Decision::Create(account, owner)
}
