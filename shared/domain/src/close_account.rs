//! Closing an account: from then on, nobody gets in.

use jiff::Timestamp;

use crate::Refusal;
use crate::ability::Ability;
use crate::access::Access;
use crate::account::{Account, AccountStatus};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this account, which is now closed.
    Commit(Account),
    /// This call, or another one, closed the account before.
    Closed(Account),
}

/// Decides about closing, for a caller whom [`crate::access::authorize_closing`] let in.
///
/// # Errors
///
/// Owner only; account closed, for anyone but the owner of a closed account.
pub fn decide(access: Access<'_>, now: Timestamp) -> Result<Decision, Refusal> {
    let account = access.account();
    let allowed = access.require(Ability::AccountClose);
    match account.status {
        AccountStatus::Active => {
            allowed?;
            let closed = AccountStatus::Closed { at: now };
            Ok(Decision::Commit(account.with_status(closed)))
        }
        AccountStatus::Closed { .. } => {
            allowed.map_err(|_| Refusal::AccountClosed)?;
            Ok(Decision::Closed(account.clone()))
        }
    }
}
