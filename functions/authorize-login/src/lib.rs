//! `POST /login`: lets a person with a verified address into an account, and accepts an invite on
//! the first login. Called by the product after its single sign-on.

use domain::account::ProPlans;
use domain::id::AccountId;
use domain::login::{Login, Presented, decide, decide_without_account};
use domain::member::Role;
use domain::refusal::Refusal;
use domain::token::InviteToken;
use platform::answer::LoginAnswer;
use platform::commit::until_settled;
use platform::metrics::{self, Metric};
use platform::store::{Attempt, Store, StoredMembership};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

#[derive(Debug)]
pub struct AuthorizeLogin {
    store: Store,
    pro_plans: ProPlans,
}

enum Asked {
    /// A login to this account, perhaps with the token of an invite to it.
    Account(AccountId, Option<InviteToken>),
    /// A login to the only account that the caller can use.
    AnyAccount,
}

impl Operation for AuthorizeLogin {
    const NAME: &'static str = "authorize-login";

    const COUNTED_AS: Option<Metric> = Some(Metric::Logins);

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
        let request = parse(call)?;

        let login = until_settled(|| async {
            let (login, seen) = match &request {
                Asked::Account(account, token) => {
                    call.concerns(account);
                    self.to_account(call, account, token.as_ref()).await?
                }
                Asked::AnyAccount => self.to_any_account(call).await?,
            };
            if login.is_first {
                self.bind(login, &seen).await
            } else {
                Ok(Attempt::Settled(login))
            }
        })
        .await?;

        let Login {
            account, member, ..
        } = &login;
        call.concerns(&account.id);
        Answer::ok(&LoginAnswer::new(
            account,
            member,
            &self.pro_plans,
            call.now,
        ))
    }
}

fn parse(call: &Call) -> Result<Asked, Problem> {
    let mut body = call.body()?;
    let account: Option<AccountId> = body.optional("accountId");
    let token: Option<String> = body.optional_text("inviteToken");
    body.finish(())?;
    let Some(token) = token else {
        return Ok(account.map_or(Asked::AnyAccount, |account| Asked::Account(account, None)));
    };
    // A mail program or a person damaged the link, and not the product. So the answer is one that a
    // person can use.
    let token: InviteToken = token.parse().map_err(|_| Refusal::InviteInvalid)?;
    if account.is_some_and(|account| account != token.account) {
        let message = domain::Invalid("must be the account of the invite, or be left out");
        return Err(Problem::invalid_field("accountId", message));
    }
    Ok(Asked::Account(token.account.clone(), Some(token)))
}

impl AuthorizeLogin {
    /// Reads once and decides about a login to a known account.
    async fn to_account(
        &self,
        call: &Call,
        account: &AccountId,
        token: Option<&InviteToken>,
    ) -> Result<(Login, StoredMembership), Problem> {
        let mut read = self.store.read();
        let seen = read.membership(account, &call.caller.email);
        let invited = token.map(|token| (token, read.member(account, &token.member)));
        let mut found = read.run().await?;
        let seen = found.membership(seen)?;
        let invited = match invited {
            Some((token, slot)) => Some((token, found.take(slot)?)),
            None => None,
        };

        let presented = invited.as_ref().map(|(token, invited)| Presented {
            token,
            invited: invited.as_deref(),
        });
        let membership = seen.as_ref().map(StoredMembership::as_ref);
        let (pro_plans, now) = (&self.pro_plans, call.now);
        let login = decide(&call.caller, membership, presented, pro_plans, now)?;
        Ok((login, seen.ok_or(Refusal::NoAccess)?))
    }

    /// Reads and decides about a login that names no account.
    async fn to_any_account(&self, call: &Call) -> Result<(Login, StoredMembership), Problem> {
        let seen = self.store.memberships(&call.caller.email).await?;
        let memberships: Vec<_> = seen.iter().map(StoredMembership::as_ref).collect();
        let login = decide_without_account(&call.caller, &memberships, &self.pro_plans)?;
        let mut seen = seen.into_iter();
        let chosen = seen.find(|seen| seen.account.id == login.account.id);
        Ok((login, chosen.ok_or(Refusal::NoAccess)?))
    }

    /// Commits a first login on the row that was seen. An owner's login is also committed on the account,
    /// in case another person with the owner's address has closed it in the meantime.
    async fn bind(&self, login: Login, seen: &StoredMembership) -> Result<Attempt<Login>, Problem> {
        let role = login.member.role;
        let write = self.store.write_as_service(&login.account.id);
        let write = write.member(Some(&seen.member), &login.member);
        let write = match role {
            Role::Owner => write.account_unchanged(&seen.account),
            Role::Member => write,
        };
        let attempt = write.commit(login).await?;
        if let (Attempt::Settled(_), Role::Member) = (&attempt, role) {
            metrics::count_acceptance();
        }
        Ok(attempt)
    }
}
