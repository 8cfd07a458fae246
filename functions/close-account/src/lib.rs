//! `DELETE /accounts/{accountId}`: the owner closes the account. From then on nobody gets in, not
//! even the owner, until the product's billing reopens it.

use domain::account::ProPlans;
use domain::close_account::{Decision, decide};
use domain::id::AccountId;
use platform::answer::AccountAnswer;
use platform::commit::until_settled;
use platform::store::{Actor, Attempt, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

#[derive(Debug)]
pub struct CloseAccount {
    store: Store,
    pro_plans: ProPlans,
}

impl Operation for CloseAccount {
    const NAME: &'static str = "close-account";

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            pro_plans: platform.environment.required("PRO_PLANS")?,
        })
    }

    async fn get_ready(&self) {
        self.store.connect().await;
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let id: AccountId = call.path("accountId")?;
        call.body()?.finish(())?;

        let closed = until_settled(|| async {
            let seen = self.store.membership(&id, &call.caller).await?;

            let actor = Actor::admit_to_close(&call.caller, seen.as_ref(), &self.pro_plans)?;
            match decide(actor.access, call.now)? {
                Decision::Closed(closed) => Ok(Attempt::Settled(closed)),
                Decision::Commit(closed) => {
                    let write = self.store.write_as(&actor);
                    let write = write.account(Some(actor.account()), &closed);
                    Ok(write.commit(closed).await?)
                }
            }
        })
        .await?;

        Answer::ok(&AccountAnswer::new(&closed, &self.pro_plans))
    }
}
