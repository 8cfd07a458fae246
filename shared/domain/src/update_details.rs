//! Changing the details of an account: the company's name, or the name of one of its people.
//!
//! The plan does not matter: an account of any plan has a company and an owner with a name.

use crate::Refusal;
use crate::ability::Ability;
use crate::access::Access;
use crate::account::Account;
use crate::member::Member;
use crate::name::{CompanyName, PersonName};

/// The parts of a person's name to change. Absent parts stay as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    pub first: Option<PersonName>,
    pub last: Option<PersonName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<T> {
    Commit(T),
    /// Nothing to write: this call, or another one, wrote it before.
    Unchanged(T),
}

impl<T: PartialEq> Decision<T> {
    fn of(seen: &T, wanted: T) -> Self {
        if *seen == wanted {
            Self::Unchanged(wanted)
        } else {
            Self::Commit(wanted)
        }
    }
}

/// Decides about another name for the company.
///
/// # Errors
///
/// Owner only.
pub fn decide_company(
    access: Access<'_>,
    company: &CompanyName,
) -> Result<Decision<Account>, Refusal> {
    access.require(Ability::AccountUpdate)?;
    let account = access.account();
    let renamed = Account {
        company: company.clone(),
        ..account.clone()
    };
    Ok(Decision::of(account, renamed))
}

/// Decides about another name for a person in any state: the list shows former members, too.
///
/// # Errors
///
/// In this order: owner only, member not found.
pub fn decide_name(
    access: Access<'_>,
    name: &NewName,
    member: Option<&Member>,
) -> Result<Decision<Member>, Refusal> {
    access.require(Ability::AccountUpdate)?;
    let member = member.ok_or(Refusal::MemberNotFound)?;
    let mut renamed = member.clone();
    if let Some(first) = &name.first {
        renamed.first_name = first.clone();
    }
    if let Some(last) = &name.last {
        renamed.last_name = last.clone();
    }
    Ok(Decision::of(member, renamed))
}
