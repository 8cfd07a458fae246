//! `DELETE /accounts/{accountId}/members/{memberId}`: the owner takes a person's access away,
//! or cancels an invite. It takes effect at once and cannot be reversed.

use std::sync::OnceLock;

use domain::account::ProPlans;
use domain::id::{AccountId, MemberId};
use domain::member::Member;
use domain::remove::{Decision, Seen, decide};
use platform::answer::RemovalAnswer;
use platform::commit::until_settled;
use platform::store::{Actor, Attempt, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

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
        let id: MemberId = call.path("memberId")?;

        let at_first: OnceLock<Option<Member>> = OnceLock::new();
        let removal = until_settled(|| async {
            let mut read = self.store.read();
            let remover = read.caller(&account, &call.caller);
            let member = read.member(&account, &id);
            let mut found = read.run().await?;
            let remover = found.membership(remover).await?;
            let member = found.take(member)?;

            let actor = Actor::admit(&call.caller, remover.as_ref(), &self.pro_plans)?;
            let seen = Seen {
                member: member.as_deref(),
                at_first: at_first.get_or_init(|| member.as_deref().cloned()).as_ref(),
            };
            match decide(actor.access, seen, call.now)? {
                Decision::Removed(removal) => Ok(Attempt::Settled(removal)),
                Decision::Commit(removed, removal) => {
                    let write = self.store.write_as(&actor);
                    let write = write.member(member.as_ref(), &removed);
                    Ok(write.commit(removal).await?)
                }
            }
        })
        .await?;

        Answer::ok(&RemovalAnswer::new(id, &removal))
    }
}
