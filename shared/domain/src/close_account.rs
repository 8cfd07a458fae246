//! Closing an account: from then on, nobody gets in.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::{Caller, authorize};
use crate::account::{Account, AccountStatus, ProPlans};
use crate::member::Member;

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
pub enum Decision {
    /// Write this account, which is closed.
    Commit(Account),
    /// The account was closed already, by this very call or another one.
    Closed(Account),
}

/// Decides about closing.
///
/// A closed account refuses everybody, and its owner too, but for this one call: whoever closes an
/// account and loses the answer asks again, and must not read that it went wrong.
///
/// # Errors
///
/// The refusals of [`authorize`]; then owner only.
pub fn decide(
    caller: &Caller,
    seen: Seen<'_>,
    pro_plans: &ProPlans,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let account = seen.account.ok_or(Refusal::NoAccess)?;
    match account.status {
        AccountStatus::Active => {
            may_close(caller, account, seen.caller, pro_plans)?;
            let closed = AccountStatus::Closed { at: now };
            Ok(Decision::Commit(account.with_status(closed)))
        }
        AccountStatus::Closed { .. } => {
            let open = account.with_status(AccountStatus::Active);
            match may_close(caller, &open, seen.caller, pro_plans) {
                Ok(()) => Ok(Decision::Closed(account.clone())),
                Err(Refusal::NoAccess) => Err(Refusal::NoAccess),
                Err(_) => Err(Refusal::AccountClosed),
            }
        }
    }
}

fn may_close(
    caller: &Caller,
    account: &Account,
    member: Option<&Member>,
    pro_plans: &ProPlans,
) -> Result<(), Refusal> {
    authorize(caller, Some(account), member, pro_plans)
        .and_then(|access| access.require(Ability::AccountClose))
}
