//! `PATCH /accounts/{accountId}` and `PATCH /accounts/{accountId}/members/{memberId}`: the owner
//! changes the company's name, or the name of somebody in the account.

use domain::account::{Account, ProPlans};
use domain::id::{AccountId, MemberId};
use domain::member::Member;
use domain::name::CompanyName;
use domain::update_details::{Decision, NewName, Seen, decide_company, decide_name};
use platform::answer::{AccountAnswer, MemberAnswer};
use platform::commit::Attempts;
use platform::problem::FieldError;
use platform::store::{Commit, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

/// Changes details.
#[derive(Debug)]
pub struct UpdateDetails {
    store: Store,
    pro_plans: ProPlans,
}

/// What a call asks for.
enum Change {
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
        let change = parse(call)?;

        let mut attempts = Attempts::begin();
        loop {
            let answer = match &change {
                Change::Company(company) => self
                    .rename_company(call, &account, company)
                    .await?
                    .map(|account| Answer::ok(&AccountAnswer::new(&account, &self.pro_plans))),
                Change::Name(member, name) => self
                    .rename_member(call, &account, member, name)
                    .await?
                    .map(|member| Answer::ok(&MemberAnswer::new(&member, call.now))),
            };
            match answer {
                Some(answer) => break answer,
                None => attempts.again().await?,
            }
        }
    }
}

fn parse(call: &Call) -> Result<Change, Problem> {
    if call.has_path("memberId") {
        let member = call.path("memberId")?;
        parse_name(call).map(|name| Change::Name(member, name))
    } else {
        parse_company(call).map(Change::Company)
    }
}

fn parse_company(call: &Call) -> Result<CompanyName, Problem> {
    let mut body = call.body()?;
    let company = body.required("company");
    body.finish()?;
    company.ok_or_else(|| Problem::internal("a required field was missing unnoticed"))
}

fn parse_name(call: &Call) -> Result<NewName, Problem> {
    let mut body = call.body()?;
    let first = body.optional("firstName");
    let last = body.optional("lastName");
    body.finish()?;
    if first.is_none() && last.is_none() {
        return Err(Problem::invalid_fields(vec![
            FieldError::new("firstName", "is required if there is no lastName"),
            FieldError::new("lastName", "is required if there is no firstName"),
        ]));
    }
    Ok(NewName { first, last })
}

impl UpdateDetails {
    /// Reads, decides, commits on what was seen. Nothing, if the commit was lost.
    async fn rename_company(
        &self,
        call: &Call,
        account_id: &AccountId,
        company: &CompanyName,
    ) -> Result<Option<Account>, Problem> {
        let caller = &call.caller;

        let mut read = self.store.read();
        let account = read.account(account_id);
        let updater = read.member(account_id, &MemberId::of(account_id, &caller.email));
        let mut found = read.run().await?;
        let account = found.take(account)?;
        let updater = found.take(updater)?;

        let seen = Seen {
            account: account.as_deref(),
            caller: updater.as_deref(),
        };
        let decision = decide_company(caller, company, seen, &self.pro_plans)
            .map_err(|refusal| Problem::of(refusal, call.now))?;

        let renamed = match decision {
            Decision::Unchanged(account) => return Ok(Some(account)),
            Decision::Commit(renamed) => renamed,
        };
        let write = self
            .store
            .write()
            .account(account.as_ref(), &renamed)
            .still_unbound(account_id, updater.as_ref());
        match write.commit().await? {
            Commit::Done => Ok(Some(renamed)),
            Commit::Lost | Commit::LimitReached(_) => Ok(None),
        }
    }

    /// Reads, decides, commits on what was seen. Nothing, if the commit was lost.
    async fn rename_member(
        &self,
        call: &Call,
        account_id: &AccountId,
        member_id: &MemberId,
        name: &NewName,
    ) -> Result<Option<Member>, Problem> {
        let (caller, now) = (&call.caller, call.now);

        let mut read = self.store.read();
        let account = read.account(account_id);
        let updater = read.member(account_id, &MemberId::of(account_id, &caller.email));
        let member = read.member(account_id, member_id);
        let mut found = read.run().await?;
        let account = found.take(account)?;
        let updater = found.take(updater)?;
        let member = found.take(member)?;

        let seen = Seen {
            account: account.as_deref(),
            caller: updater.as_deref(),
        };
        let decision = decide_name(caller, name, seen, member.as_deref(), &self.pro_plans)
            .map_err(|refusal| Problem::of(refusal, now))?;

        let renamed = match decision {
            Decision::Unchanged(member) => return Ok(Some(member)),
            Decision::Commit(renamed) => renamed,
        };
        let write = self
            .store
            .write()
            .member(account_id, member.as_ref(), &renamed)
            .still_unbound(account_id, updater.as_ref());
        match write.commit().await? {
            Commit::Done => Ok(Some(renamed)),
            Commit::Lost | Commit::LimitReached(_) => Ok(None),
        }
    }
}
