//! The guard of the product's own API: a Lambda authorizer that lets a request pass if its sender
//! may use the account now. It reads the table at every request, so a removal, a closing or a change
//! of plan takes effect with the next request.

mod issuer;
mod public_key;
mod token;

use std::time::Duration;

use domain::Timestamp;
use domain::ability::Ability;
use domain::access::{Access, Caller};
use domain::account::ProPlans;
use domain::id::{AccountId, MemberId};
use domain::login::only_access;
use domain::member::Role;
use platform::call::MEMBER_ID;
use platform::metrics::Metric;
use platform::sign_in::SignIn;
use platform::store::{Store, StoredMembership};
use platform::{Clock, ConfigError, Invocation, Platform, Problem};
use serde::Serialize;
use serde_json::Value;

use crate::issuer::Issuer;
use crate::token::{Accepted, Token};

#[derive(Debug)]
pub struct AuthorizeRequest {
    store: Store,
    pro_plans: ProPlans,
    issuer: Issuer,
    accepted: Accepted,
    sign_in: SignIn,
    /// The machine's own clock judges tokens: an issuer knows no other.
    token_clock: Clock,
}

/// The sender's part of a request.
struct Asked<'a> {
    token: Token<'a>,
    /// The account that the request concerns. Without one, the sender's only account.
    account: Option<AccountId>,
    /// What the client takes for the sender's row.
    member: Option<&'a str>,
}

/// The answer to API Gateway, in its simple format
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    is_authorized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

/// What the product learns about the sender: `requestContext.authorizer.lambda` of its event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    account_id: AccountId,
    member_id: MemberId,
    role: Role,
    /// Separated by spaces: only a text reaches an integration that is not a Lambda function.
    abilities: String,
    email: String,
}

/// The longest time of a verdict. API Gateway waits 10 seconds for one, and then answers 500.
pub const LONGEST_VERDICT: Duration = Duration::from_secs(8);

impl Invocation for AuthorizeRequest {
    const NAME: &'static str = "authorize-request";

    const COUNTED_AS: Option<Metric> = Some(Metric::Verdicts);

    type Outcome = Verdict;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        let environment = &platform.environment;
        Ok(Self {
            store: Store::new(platform)?,
            pro_plans: environment.required("PRO_PLANS")?,
            issuer: Issuer::new(environment.required("ISSUER")?),
            accepted: Accepted::new(environment)?,
            sign_in: SignIn::new(environment)?,
            token_clock: Clock::system(),
        })
    }

    async fn get_ready(&self, now: Timestamp) {
        tokio::join!(self.store.connect(), self.issuer.get_ready(now));
    }

    async fn invoke(&self, event: Value, now: Timestamp) -> Result<Verdict, Problem> {
        let verdict = async {
            let request = parse(&event)?;
            let caller = self.identify(&request, now).await?;
            self.authorize(&caller, request.account.as_ref()).await
        };
        tokio::time::timeout(LONGEST_VERDICT, verdict)
            .await
            .unwrap_or_else(|_| Err(Problem::unavailable("the verdict took too long")))
    }

    /// A refusal is an answer: no. The log has the reason. If there is no verdict, that is an error, and
    /// API Gateway answers 500. Nobody passes either way, and an alarm reports the error.
    fn on_refusal(_: Problem) -> Result<Verdict, Problem> {
        Ok(Verdict {
            is_authorized: false,
            context: None,
        })
    }

    fn account(verdict: &Verdict) -> Option<&AccountId> {
        verdict.context.as_ref().map(|context| &context.account_id)
    }
}

/// The names of headers arrive in lower case. A repeated header arrives with a comma, which no
/// account's id contains.
fn parse(event: &Value) -> Result<Asked<'_>, Problem> {
    let header = |name: &str| event.get("headers")?.get(name)?.as_str();
    let authorization = header("authorization").ok_or_else(Problem::unauthenticated)?;
    let account = header("x-account-id")
        .map(str::parse)
        .transpose()
        .map_err(|reason| Problem::invalid_field("x-account-id", reason))?;
    Ok(Asked {
        token: Token::of_header(authorization)?,
        account,
        member: header(MEMBER_ID),
    })
}

impl AuthorizeRequest {
    /// Who sent the request, if the token proves it.
    async fn identify(&self, asked: &Asked<'_>, now: Timestamp) -> Result<Caller, Problem> {
        let token = &asked.token;
        let key = self.issuer.key(token.key_id()?, now).await?;
        let claims = token.verify(&key)?;
        claims.check(self.issuer.url(), &self.accepted, self.token_clock.now())?;
        self.sign_in.caller(|name| claims.text(name), asked.member)
    }

    /// Lets the sender into the account, with one read, or two if the request names no account.
    async fn authorize(
        &self,
        caller: &Caller,
        account: Option<&AccountId>,
    ) -> Result<Verdict, Problem> {
        let seen = match account {
            Some(account) => {
                let seen = self.store.membership(account, caller).await?;
                seen.into_iter().collect()
            }
            None => self.store.memberships(caller).await?,
        };
        let memberships: Vec<_> = seen.iter().map(StoredMembership::as_ref).collect();
        let access = only_access(caller, &memberships, &self.pro_plans)?;
        access.require(Ability::AccountUse)?;
        Ok(Verdict {
            is_authorized: true,
            context: Some(Context::of(access)),
        })
    }
}

impl Context {
    fn of(access: Access<'_>) -> Self {
        let member = access.member();
        let abilities: Vec<&str> = Ability::of(member.role)
            .iter()
            .map(|ability| ability.as_str())
            .collect();
        Self {
            account_id: access.account().id.clone(),
            member_id: member.id.clone(),
            role: member.role,
            abilities: abilities.join(" "),
            email: member.email.to_string(),
        }
    }
}
