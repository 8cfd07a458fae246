//! Changing the details of an account: the company's name, or the name of one of its people.

use crate::Refusal;
use crate::ability::Ability;
use crate::access::{Access, Caller, authorize};
use crate::account::{Account, ProPlans};
use crate::member::Member;
use crate::name::{CompanyName, PersonName};

/// The parts of a person's name to change. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewName {
    /// First name.
    pub first: Option<PersonName>,
    /// Last name.
    pub last: Option<PersonName>,
}

/// What one consistent read found.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The account.
    pub account: Option<&'a Account>,
    /// The caller's own row.
    pub caller: Option<&'a Member>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<T> {
    /// Write this.
    Commit(T),
    /// It is so already, by this very call or another one.
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
/// The refusals of [`authorize`]; then owner only.
pub fn decide_company(
    caller: &Caller,
    company: &CompanyName,
    seen: Seen<'_>,
    pro_plans: &ProPlans,
) -> Result<Decision<Account>, Refusal> {
    let access = may_update(caller, seen, pro_plans)?;
    let account = access.account();
    let renamed = Account {
        company: company.clone(),
        ..account.clone()
    };
    Ok(Decision::of(account, renamed))
}

/// Decides about another name for a person, whatever that person's state is: a former member is in
/// the list, too.
///
/// # Errors
///
/// The refusals of [`authorize`]; then, in this order, owner only, member not found.
pub fn decide_name(
    caller: &Caller,
    name: &NewName,
    seen: Seen<'_>,
    member: Option<&Member>,
    pro_plans: &ProPlans,
) -> Result<Decision<Member>, Refusal> {
    may_update(caller, seen, pro_plans)?;
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

/// The plan does not matter: an account of any plan has a company and an owner with names.
fn may_update<'a>(
    caller: &Caller,
    seen: Seen<'a>,
    pro_plans: &ProPlans,
) -> Result<Access<'a>, Refusal> {
    let access = authorize(caller, seen.account, seen.caller, pro_plans)?;
    access.require(Ability::AccountUpdate)?;
    Ok(access)
}
