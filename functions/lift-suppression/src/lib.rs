//! `DELETE /support/suppressions/{email}`: support takes an address off the mail service's
//! suppression list, and lets the owners of accounts resend invites to it.

use domain::address::EmailAddress;
use domain::lift::decide;
use platform::answer::LiftAnswer;
use platform::commit::Attempts;
use platform::mail::SuppressionList;
use platform::store::{Candidate, Commit, Store};
use platform::support::SupportStaff;
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

/// Lifts what keeps mail from an address.
#[derive(Debug)]
pub struct LiftSuppression {
    store: Store,
    suppression_list: SuppressionList,
    support: SupportStaff,
}

impl Operation for LiftSuppression {
    const NAME: &'static str = "lift-suppression";

    const LOGS_SUBJECT: bool = true;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            suppression_list: SuppressionList::new(platform),
            support: SupportStaff::new(&platform.environment)?,
        })
    }

    async fn get_ready(&self) {
        self.store.connect().await;
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        self.support.admit(call)?;
        let email: EmailAddress = call.path("email")?;

        // The mail service first: an owner who may resend before it is ready would see the mail
        // come back again.
        self.suppression_list.lift(&email).await?;
        let mut attempts = Attempts::begin();
        while !self.attempt(call, &email).await? {
            attempts.again().await?;
        }

        Answer::ok(&LiftAnswer::new(&email))
    }
}

impl LiftSuppression {
    /// Reads, decides, commits on what was seen, one account after the other. False, if a commit
    /// was lost.
    async fn attempt(&self, call: &Call, email: &EmailAddress) -> Result<bool, Problem> {
        let candidates = self.store.candidates(email).await?;
        for (account, member) in candidates.into_iter().filter_map(Candidate::membership) {
            let Some(lifted) = decide(&member, call.now) else {
                continue;
            };
            let write = self
                .store
                .write()
                .member(&account.id, Some(&member), &lifted);
            if write.commit().await? != Commit::Done {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
