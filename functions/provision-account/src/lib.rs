//! Creates an account, keeps its company and plan up to date, and hands it to another owner. The
//! product's billing calls it directly, or with an EventBridge event that has the same payload as its
//! detail.

use domain::account::{Account, AccountStatus, Plan};
use domain::handover::{Former, HandedOver, hand_over};
use domain::id::{AccountId, EmailKey};
use domain::identity::{Identity, Subject};
use domain::name::CompanyName;
use domain::provision::{Owner, Provisioning, Since, Update, create, update};
use domain::{Invalid, Timestamp};
use platform::commit::until_settled;
use platform::fields::Fields;
use platform::problem::FieldError;
use platform::store::{Attempt, HandoverRows, Store, Stored};
use platform::telemetry::log_handover;
use platform::{ConfigError, Invocation, Platform, Problem};
use serde::Serialize;
use serde_json::Value;

#[derive(Debug)]
pub struct ProvisionAccount {
    store: Store,
    /// The identity provider, for which billing can name the owner.
    issuer: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provisioned {
    account_id: AccountId,
    outcome: Outcome,
    /// Why the message changed nothing, unless everything was up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Tells billing whether it is updating a closed account.
    status: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Created,
    Updated,
    /// Everything was up to date, or the message was not newer.
    Unchanged,
}

/// Why a message from billing changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The known message is newer, or just as new.
    NotNewer,
}

struct Asked {
    account: AccountId,
    /// Not checked yet.
    company: String,
    plan: Plan,
    reopen: bool,
    since: Since,
    revision: Option<u64>,
    /// Only a new account or a handover needs an owner. For others, mistakes in it don't matter.
    owner: Result<Owner, Vec<FieldError>>,
    /// The owner is to be the owner of a known account, too.
    handover: Option<Former>,
}

/// In seconds. A time that is further ahead of the clock is a mistake: no message would be newer
/// for a long time.
const MOST_AHEAD: i64 = 24 * 60 * 60;

impl Invocation for ProvisionAccount {
    const NAME: &'static str = "provision-account";

    type Outcome = Provisioned;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            issuer: platform.environment.required("ISSUER")?,
        })
    }

    async fn get_ready(&self, _now: Timestamp) {
        self.store.connect().await;
    }

    async fn invoke(&self, event: Value, now: Timestamp) -> Result<Provisioned, Problem> {
        let request = parse(event, &self.issuer, now)?;

        until_settled(|| self.attempt(&request, now)).await
    }

    fn account(provisioned: &Provisioned) -> Option<&AccountId> {
        Some(&provisioned.account_id)
    }
}

fn company_named(text: &str) -> Result<CompanyName, Vec<FieldError>> {
    CompanyName::told_by_billing(text).map_err(|invalid| vec![FieldError::new("company", invalid)])
}

impl Asked {
    /// The account as billing wants it. A name that billing only repeats was accepted once. It must not
    /// stop a change of plan if the rules for new names have become stricter since.
    fn provisioning(&self, known: Option<&Account>) -> Result<Provisioning, Vec<FieldError>> {
        let known = known.map(|account| &account.provisioned_company);
        let company = match known.filter(|company| company.as_str() == self.company) {
            Some(company) => company.clone(),
            None => company_named(&self.company)?,
        };
        Ok(Provisioning {
            account: self.account.clone(),
            company,
            plan: self.plan.clone(),
            reopen: self.reopen,
            since: self.since,
            revision: self.revision,
            handover: self.handover,
        })
    }
}

impl ProvisionAccount {
    async fn attempt(
        &self,
        request: &Asked,
        now: Timestamp,
    ) -> Result<Attempt<Provisioned>, Problem> {
        let mut read = self.store.read();
        let account = read.account(&request.account);
        let seen = read.run().await?.take(account)?;

        let wanted = request.provisioning(seen.as_deref());
        let done = |outcome, reason, status: AccountStatus| Provisioned {
            account_id: request.account.clone(),
            outcome,
            reason,
            status: status.as_str(),
        };
        let write = self.store.write_as_service(&request.account);
        let Some(known) = &seen else {
            let (wanted, owner) = match (wanted, request.owner.clone()) {
                (Ok(wanted), Ok(owner)) => (wanted, owner),
                (wanted, owner) => {
                    let errors = [wanted.err(), owner.err()].into_iter().flatten();
                    return Err(Problem::invalid_fields(errors.flatten().collect()));
                }
            };
            let (account, owner) = create(&wanted, &owner, now);
            let mut write = write
                .account(None, &account)
                .member(None, &owner)
                .pointer(&EmailKey::of(&owner.email));
            if let Some(identity) = owner.identity() {
                write = write.identity_pointer(identity, None, &owner.id);
            }
            let created = done(Outcome::Created, None, account.status);
            return Ok(write.commit(created).await?);
        };
        let unchanged = |reason| Attempt::Settled(done(Outcome::Unchanged, reason, known.status));
        let wanted = wanted.map_err(Problem::invalid_fields)?;
        if wanted.hands_over(known) {
            let owner = request.owner.clone().map_err(Problem::invalid_fields)?;
            let rows = self.store.handover_rows(known, &owner).await?;
            if let Some(handed_over) = hand_over(&wanted, &owner, known, rows.as_ref(), now)? {
                let updated = done(Outcome::Updated, None, handed_over.account.status);
                return self.hand_over(known, &rows, &handed_over, updated).await;
            }
        } else if wanted.handover.is_some() && !wanted.is_known(known) {
            return Ok(unchanged(Some(Reason::NotNewer)));
        }
        match update(&wanted, known) {
            Update::Commit(account) => {
                let updated = done(Outcome::Updated, None, account.status);
                Ok(write.account(Some(known), &account).commit(updated).await?)
            }
            Update::Unchanged => Ok(unchanged(None)),
            Update::NotNewer => Ok(unchanged(Some(Reason::NotNewer))),
        }
    }

    async fn hand_over(
        &self,
        known: &Stored<Account>,
        rows: &HandoverRows,
        handed_over: &HandedOver,
        updated: Provisioned,
    ) -> Result<Attempt<Provisioned>, Problem> {
        let store = &self.store;
        let attempt = store.hand_over(known, rows, handed_over, updated).await?;
        let HandedOver {
            account, former, ..
        } = handed_over;
        if let (Attempt::Settled(_), Some(former)) = (&attempt, former) {
            log_handover(&account.id, &account.owner, &former.id);
        }
        Ok(attempt)
    }
}

/// An event has a `detail-type`, and its `time` orders it among others.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
fn parse(mut event: Value, issuer: &str, now: Timestamp) -> Result<Asked, Problem> {
    if event.get("detail-type").is_none() {
        return parse_detail(event, issuer, Since::Now(now), now);
    }
    let time = event
        .get("time")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let happened_at: Timestamp = time
        .parse()
        .map_err(|_| Problem::invalid_field("time", Invalid("must be an RFC 3339 time")))?;
    not_far_ahead("time", happened_at, now)?;
    let Some(detail @ Value::Object(_)) = event.get_mut("detail").map(Value::take) else {
        let message = Invalid("must be an object");
        return Err(Problem::invalid_field("detail", message));
    };
    parse_detail(detail, issuer, Since::Event(happened_at), now)
}

/// Billing may send more fields: unknown ones are ignored.
fn parse_detail(
    detail: Value,
    issuer: &str,
    since: Since,
    now: Timestamp,
) -> Result<Asked, Problem> {
    let mut fields = Fields::of_value(detail)?;
    let account = fields.required("accountId");
    let company = fields.required_text("company");
    let plan = fields.required("plan");
    let reopen = fields.flag("reopen");
    let revision = fields.optional_number("revision");
    let at = fields.optional_time("at");
    let handover = fields.flag("handover");
    let former = fields.optional("former").unwrap_or(Former::Member);
    let owner = parse_owner(fields.enter("owner"), issuer);
    fields.ignore_rest();
    let company_errors = company.get().and_then(|text| company_named(text).err());
    let (account, company, plan) =
        fields
            .check((account, company, plan))
            .map_err(|mut errors| {
                let others = [company_errors, owner.as_ref().err().cloned()];
                errors.extend(others.into_iter().flatten().flatten());
                Problem::invalid_fields(errors)
            })?;
    if let Some(at) = at {
        not_far_ahead("at", at, now)?;
    }
    Ok(Asked {
        account,
        company,
        plan,
        reopen,
        since: at.map_or(since, Since::Said),
        revision,
        owner,
        handover: handover.then_some(former),
    })
}

fn parse_owner(mut fields: Fields, issuer: &str) -> Result<Owner, Vec<FieldError>> {
    let first_name = fields.required("firstName");
    let last_name = fields.required("lastName");
    let email = fields.required("email");
    let subject: Option<Subject> = fields.optional("subject");
    fields.ignore_rest();
    let (first_name, last_name, email) = fields.check((first_name, last_name, email))?;
    Ok(Owner {
        first_name,
        last_name,
        email,
        identity: subject.map(|subject| Identity {
            issuer: issuer.to_owned(),
            subject: subject.into(),
        }),
    })
}

fn not_far_ahead(field: &str, at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if at.as_second() - now.as_second() <= MOST_AHEAD {
        return Ok(());
    }
    let message = Invalid("must not be more than a day in the future");
    Err(Problem::invalid_field(field, message))
}
