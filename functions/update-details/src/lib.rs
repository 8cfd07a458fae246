//! `PATCH /accounts/{accountId}` and `PATCH /accounts/{accountId}/members/{memberId}`: the owner
//! changes the company's name, or the name of a person in the account.

use domain::account::{Account, ProPlans};
use domain::id::{AccountId, MemberId};
use domain::member::Member;
use domain::name::CompanyName;
use domain::update_details::{Decision, NewName, decide_company, decide_name};
use platform::answer::{AccountAnswer, MemberAnswer};
use platform::commit::until_settled;
use platform::problem::FieldError;
use platform::store::{Actor, Attempt, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

#[derive(Debug)]
pub struct UpdateDetails {
    store: Store,
    pro_plans: ProPlans,
}

enum Update {
    Company(CompanyName),
    Name(MemberId, NewName),
}

impl Operation for UpdateDetails {
    const NAME: &'static str = "update-details";

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
        match parse(call)? {
            Update::Company(company) => {
                let renamed = self.rename_company(call, &account, &company).await?;
                Answer::ok(&AccountAnswer::new(&renamed, &self.pro_plans))
            }
            Update::Name(member, name) => {
                let renamed = self.rename_member(call, &account, &member, &name).await?;
                Answer::ok(&MemberAnswer::new(&renamed, call.now))
            }
        }
    }
}

fn parse(call: &Call) -> Result<Update, Problem> {
    if call.has_path("memberId") {
        let member = call.path("memberId")?;
        parse_name(call).map(|name| Update::Name(member, name))
    } else {
        parse_company(call).map(Update::Company)
    }
}

fn parse_company(call: &Call) -> Result<CompanyName, Problem> {
    let mut body = call.body()?;
    let company = body.required("company");
    body.finish(company)
}

fn parse_name(call: &Call) -> Result<NewName, Problem> {
    let mut body = call.body()?;
    let first = body.optional("firstName");
    let last = body.optional("lastName");
    body.finish(())?;
    if first.is_none() && last.is_none() {
        return Err(Problem::invalid_fields(vec![
            FieldError::new("firstName", "is required if there is no lastName"),
            FieldError::new("lastName", "is required if there is no firstName"),
        ]));
    }
    Ok(NewName { first, last })
}

impl UpdateDetails {
    async fn rename_company(
        &self,
        call: &Call,
        id: &AccountId,
        company: &CompanyName,
    ) -> Result<Account, Problem> {
        until_settled(|| async {
            let seen = self.store.membership(id, &call.caller).await?;

            let actor = Actor::admit(&call.caller, seen.as_ref(), &self.pro_plans)?;
            match decide_company(actor.access, company)? {
                Decision::Unchanged(account) => Ok(Attempt::Settled(account)),
                Decision::Commit(renamed) => {
                    let write = self.store.write_as(&actor);
                    let write = write.account(Some(actor.account()), &renamed);
                    Ok(write.commit(renamed).await?)
                }
            }
        })
        .await
    }

    async fn rename_member(
        &self,
        call: &Call,
        account: &AccountId,
        id: &MemberId,
        name: &NewName,
    ) -> Result<Member, Problem> {
        until_settled(|| async {
            let mut read = self.store.read();
            let updater = read.caller(account, &call.caller);
            let member = read.member(account, id);
            let mut found = read.run().await?;
            let updater = found.membership(updater).await?;
            let member = found.take(member)?;

            let actor = Actor::admit(&call.caller, updater.as_ref(), &self.pro_plans)?;
            match decide_name(actor.access, name, member.as_deref())? {
                Decision::Unchanged(member) => Ok(Attempt::Settled(member)),
                Decision::Commit(renamed) => {
                    let write = self.store.write_as(&actor);
                    let write = write.member(member.as_ref(), &renamed);
                    Ok(write.commit(renamed).await?)
                }
            }
        })
        .await
    }
}
