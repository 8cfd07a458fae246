//! `DELETE /support/suppressions/{email}`: support takes an address off the mail service's
//! suppression list, and owners can resend invites to it.

use domain::address::EmailAddress;
use domain::lift::decide;
use platform::answer::LiftAnswer;
use platform::commit::until_settled;
use platform::mail::SuppressionList;
use platform::store::{Attempt, Store};
use platform::support::SupportStaff;
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

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

        // The mail service first: if an owner resends before that, the mail bounces again.
        self.suppression_list.lift(&email).await?;
        until_settled(|| async {
            // One account after the other, each on what was seen of it.
            for seen in self.store.memberships_at(&email).await? {
                let Some(lifted) = decide(&seen.member, call.now) else {
                    continue;
                };
                let write = self.store.write_as_service(&seen.account.id);
                let write = write.member(Some(&seen.member), &lifted);
                if write.commit(()).await? == Attempt::Lost {
                    return Ok(Attempt::Lost);
                }
            }
            Ok(Attempt::Settled(()))
        })
        .await?;

        Answer::ok(&LiftAnswer::new(&email))
    }
}
