//! `DELETE /accounts/{accountId}`: the owner closes the account. From then on nobody gets in, the
//! owner neither, until the product's billing reopens it.

use domain::account::{Account, ProPlans};
use domain::close_account::{Decision, Seen, decide};
use domain::id::{AccountId, MemberId};
use platform::answer::AccountAnswer;
use platform::commit::Attempts;
use platform::store::{Commit, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

/// Closes accounts.
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
        let account: AccountId = call.path("accountId")?;
        call.body()?.finish()?;

        let mut attempts = Attempts::begin();
        let closed = loop {
            match self.attempt(call, &account).await? {
                Some(closed) => break closed,
                None => attempts.again().await?,
            }
        };

        Answer::ok(&AccountAnswer::new(&closed, &self.pro_plans))
    }
}

impl CloseAccount {
    /// Reads, decides, commits on what was seen. Nothing, if the commit was lost.
    async fn attempt(
        &self,
        call: &Call,
        account_id: &AccountId,
    ) -> Result<Option<Account>, Problem> {
        let (caller, now) = (&call.caller, call.now);

        let mut read = self.store.read();
        let account = read.account(account_id);
        let closer = read.member(account_id, &MemberId::of(account_id, &caller.email));
        let mut found = read.run().await?;
        let account = found.take(account)?;
        let closer = found.take(closer)?;

        let seen = Seen {
            account: account.as_deref(),
            caller: closer.as_deref(),
        };
        let decision = decide(caller, seen, &self.pro_plans, now)
            .map_err(|refusal| Problem::of(refusal, now))?;

        let closed = match decision {
            Decision::Closed(closed) => return Ok(Some(closed)),
            Decision::Commit(closed) => closed,
        };
        let write = self
            .store
            .write()
            .account(account.as_ref(), &closed)
            .still_unbound(account_id, closer.as_ref());
        match write.commit().await? {
            Commit::Done => Ok(Some(closed)),
            Commit::Lost | Commit::LimitReached(_) => Ok(None),
        }
    }
}
