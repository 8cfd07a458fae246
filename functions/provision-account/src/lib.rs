//! Creates an account and keeps company and plan up to date, called by the product's billing:
//! directly, or by an EventBridge event whose detail is the same payload.

use domain::account::AccountStatus;
use domain::id::AccountId;
use domain::provision::{Decision, Provisioning, decide};
use domain::{Invalid, Timestamp};
use platform::commit::Attempts;
use platform::fields::Fields;
use platform::store::{Commit, Store};
use platform::{ConfigError, Invocation, Platform, Problem};
use serde::Serialize;
use serde_json::Value;

/// Provisions accounts.
#[derive(Debug)]
pub struct ProvisionAccount {
    store: Store,
}

/// What provisioning did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provisioned {
    account_id: AccountId,
    outcome: Outcome,
    /// Whether the account is in use now: billing may keep a closed one up to date.
    status: &'static str,
}

/// What became of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is new.
    Created,
    /// Company or plan changed.
    Updated,
    /// It was so already, or something newer was known.
    Unchanged,
}

impl Invocation for ProvisionAccount {
    const NAME: &'static str = "provision-account";

    type Outcome = Provisioned;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
        })
    }

    async fn get_ready(&self, _now: Timestamp) {
        self.store.connect().await;
    }

    async fn invoke(&self, event: Value, now: Timestamp) -> Result<Provisioned, Problem> {
        let wanted = parse(event)?;

        let mut attempts = Attempts::begin();
        let (outcome, status) = loop {
            match self.attempt(&wanted, now).await? {
                Some(done) => break done,
                None => attempts.again().await?,
            }
        };

        Ok(Provisioned {
            account_id: wanted.account,
            outcome,
            status: status.as_str(),
        })
    }

    fn account(provisioned: &Provisioned) -> Option<&AccountId> {
        Some(&provisioned.account_id)
    }
}

impl ProvisionAccount {
    /// Reads, decides, commits on what was seen: what was done, and the account's status then.
    /// Nothing, if the commit was lost.
    async fn attempt(
        &self,
        wanted: &Provisioning,
        now: Timestamp,
    ) -> Result<Option<(Outcome, AccountStatus)>, Problem> {
        let mut read = self.store.read();
        let account = read.account(&wanted.account);
        let seen = read.run().await?.take(account)?;

        let write = self.store.write();
        let (write, outcome, account) = match decide(wanted, seen.as_deref(), now) {
            Decision::Create(account, owner) => {
                let write = write
                    .account(None, &account)
                    .member(&account.id, None, &owner)
                    .membership(&owner.email, &account.id);
                (write, Outcome::Created, account)
            }
            Decision::Update(account) => {
                let write = write.account(seen.as_ref(), &account);
                (write, Outcome::Updated, account)
            }
            Decision::Unchanged(account) => {
                return Ok(Some((Outcome::Unchanged, account.status)));
            }
        };
        match write.commit().await? {
            Commit::Done => Ok(Some((outcome, account.status))),
            Commit::Lost | Commit::LimitReached(_) => Ok(None),
        }
    }
}

/// An event is told by its `detail-type`; its `time` orders it among others.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
fn parse(mut event: Value) -> Result<Provisioning, Problem> {
    if event.get("detail-type").is_none() {
        return parse_detail(event, None);
    }
    let time = event
        .get("time")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let happened_at: Timestamp = time
        .parse()
        .map_err(|_| Problem::invalid_field("time", Invalid("must be an RFC 3339 time")))?;
    let Some(detail @ Value::Object(_)) = event.get_mut("detail").map(Value::take) else {
        let message = Invalid("must be an object");
        return Err(Problem::invalid_field("detail", message));
    };
    parse_detail(detail, Some(happened_at))
}

fn parse_detail(detail: Value, happened_at: Option<Timestamp>) -> Result<Provisioning, Problem> {
    let mut fields = Fields::of_value(detail)?;
    let account = fields.required("accountId");
    let company = fields.required("company");
    let plan = fields.required("plan");
    let mut owner = fields.enter("owner");
    let first_name = owner.required("firstName");
    let last_name = owner.required("lastName");
    let email = owner.required("email");
    fields.leave(owner);
    let reopen = fields.flag("reopen");
    fields.finish()?;
    let (Some(account), Some(company), Some(plan)) = (account, company, plan) else {
        return Err(Problem::internal("a required field was missing unnoticed"));
    };
    let (Some(owner_first_name), Some(owner_last_name), Some(owner_email)) =
        (first_name, last_name, email)
    else {
        return Err(Problem::internal("a required field was missing unnoticed"));
    };
    Ok(Provisioning {
        account,
        company,
        plan,
        owner_first_name,
        owner_last_name,
        owner_email,
        reopen,
        happened_at,
    })
}
