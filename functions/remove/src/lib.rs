//! `DELETE /accounts/{accountId}/members/{memberId}`: the owner takes somebody's access away, or
//! cancels an invite. It takes effect at once and cannot be reversed.

use domain::account::ProPlans;
use domain::id::{AccountId, MemberId};
use domain::member::{Member, Removal};
use domain::remove::{Decision, Seen, decide};
use platform::answer::RemovalAnswer;
use platform::commit::Attempts;
use platform::store::{Commit, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

/// Removes people.
#[derive(Debug)]
pub struct Remove {
    store: Store,
    pro_plans: ProPlans,
}

impl Operation for Remove {
    const NAME: &'static str = "remove";

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
        let member: MemberId = call.path("memberId")?;

        let mut at_first = None;
        let mut attempts = Attempts::begin();
        let removal = loop {
            match self.attempt(call, &account, &member, &mut at_first).await? {
                Some(removal) => break removal,
                None => attempts.again().await?,
            }
        };

        Answer::ok(&RemovalAnswer::new(member, &removal))
    }
}

impl Remove {
    /// Reads, decides, commits on what was seen. Nothing, if the commit was lost.
    async fn attempt(
        &self,
        call: &Call,
        account_id: &AccountId,
        member_id: &MemberId,
        at_first: &mut Option<Member>,
    ) -> Result<Option<Removal>, Problem> {
        let (caller, now) = (&call.caller, call.now);

        let mut read = self.store.read();
        let account = read.account(account_id);
        let remover = read.member(account_id, &MemberId::of(account_id, &caller.email));
        let member = read.member(account_id, member_id);
        let mut found = read.run().await?;
        let account = found.take(account)?;
        let remover = found.take(remover)?;
        let member = found.take(member)?;

        let seen = Seen {
            account: account.as_deref(),
            caller: remover.as_deref(),
            member: member.as_deref(),
            at_first: at_first.as_ref(),
        };
        let decision = decide(caller, seen, &self.pro_plans, now)
            .map_err(|refusal| Problem::of(refusal, now))?;

        let (removed, removal) = match decision {
            Decision::Removed(removal) => return Ok(Some(removal)),
            Decision::Commit(removed, removal) => (removed, removal),
        };
        let write = self
            .store
            .write()
            .member(account_id, member.as_ref(), &removed)
            .still_unbound(account_id, remover.as_ref());
        match write.commit().await? {
            Commit::Done => Ok(Some(removal)),
            Commit::Lost | Commit::LimitReached(_) => {
                *at_first = at_first.take().or(member.as_deref().cloned());
                Ok(None)
            }
        }
    }
}
