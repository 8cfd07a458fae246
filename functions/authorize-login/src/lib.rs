//! `POST /login`: lets a person with a verified address into an account, and accepts an invite on
//! the first login. Called by the product after its single sign-on.

use domain::account::ProPlans;
use domain::id::{AccountId, MemberId};
use domain::login::{Login, Presented, Seen, decide, decide_without_account};
use domain::member::Role;
use domain::refusal::Refusal;
use domain::token::InviteToken;
use platform::answer::LoginAnswer;
use platform::commit::Attempts;
use platform::metrics::{self, Metric};
use platform::store::{Candidate, Commit, Store};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

/// Authorizes logins.
#[derive(Debug)]
pub struct AuthorizeLogin {
    store: Store,
    pro_plans: ProPlans,
}

/// What a call asks for.
enum Request {
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

        let mut attempts = Attempts::begin();
        let login = loop {
            let (login, seen) = match &request {
                Request::Account(account, token) => {
                    call.concerns(account);
                    self.to_account(call, account, token.as_ref()).await?
                }
                Request::AnyAccount => self.to_any_account(call).await?,
            };
            if !login.is_first || self.bind(&login, &seen).await? {
                break login;
            }
            attempts.again().await?;
        };

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

fn parse(call: &Call) -> Result<Request, Problem> {
    let mut body = call.body()?;
    let account: Option<AccountId> = body.optional("accountId");
    let token: Option<String> = body.optional_text("inviteToken");
    body.finish()?;
    let Some(token) = token else {
        return Ok(account.map_or(Request::AnyAccount, |account| {
            Request::Account(account, None)
        }));
    };
    // A damaged link is no mistake of a program but of a mail program or a person: it gets the
    // answer that a person can use.
    let token: InviteToken = token
        .parse()
        .map_err(|_| Problem::of(Refusal::InviteInvalid, call.now))?;
    if account.is_some_and(|account| account != token.account) {
        let message = domain::Invalid("must be the account of the invite, or left out");
        return Err(Problem::invalid_field("accountId", message));
    }
    Ok(Request::Account(token.account.clone(), Some(token)))
}

impl AuthorizeLogin {
    /// Reads and decides about a login to a known account: one read.
    async fn to_account(
        &self,
        call: &Call,
        account_id: &AccountId,
        token: Option<&InviteToken>,
    ) -> Result<(Login, Candidate), Problem> {
        let mut read = self.store.read();
        let account = read.account(account_id);
        let member = read.member(account_id, &MemberId::of(account_id, &call.caller.email));
        let invited = token.map(|token| (token, read.member(account_id, &token.member)));
        let mut found = read.run().await?;
        let candidate = Candidate {
            account: found.take(account)?,
            member: found.take(member)?,
        };
        let invited = match invited {
            Some((token, slot)) => Some((token, found.take(slot)?)),
            None => None,
        };
        let presented = invited.as_ref().map(|(token, invited)| Presented {
            token,
            invited: invited.as_deref(),
        });
        let login = decide(
            &call.caller,
            seen(&candidate),
            presented,
            &self.pro_plans,
            call.now,
        )
        .map_err(|refusal| Problem::of(refusal, call.now))?;
        Ok((login, candidate))
    }

    /// Reads and decides about a login that names no account.
    async fn to_any_account(&self, call: &Call) -> Result<(Login, Candidate), Problem> {
        let candidates = self.store.candidates(&call.caller.email).await?;
        let all_seen: Vec<Seen<'_>> = candidates.iter().map(seen).collect();
        let login = decide_without_account(&call.caller, &all_seen, &self.pro_plans)
            .map_err(|refusal| Problem::of(refusal, call.now))?;
        let is_chosen = |candidate: &Candidate| {
            candidate
                .account
                .as_deref()
                .is_some_and(|account| account.id == login.account.id)
        };
        let candidate = candidates.into_iter().find(is_chosen);
        let candidate = candidate.ok_or_else(|| Problem::internal("no account was chosen"))?;
        Ok((login, candidate))
    }

    /// Commits a first login on the row that was seen; an owner's on the account, too, so that
    /// nobody else with the owner's address has closed it in the meantime. False, if the commit was
    /// lost.
    async fn bind(&self, login: &Login, seen: &Candidate) -> Result<bool, Problem> {
        let write =
            self.store
                .write()
                .member(&login.account.id, seen.member.as_ref(), &login.member);
        let write = match (login.member.role, &seen.account) {
            (Role::Owner, Some(account)) => write.account_unchanged(account),
            _ => write,
        };
        if write.commit().await? != Commit::Done {
            return Ok(false);
        }
        if login.member.role == Role::Member {
            metrics::count_acceptance();
        }
        Ok(true)
    }
}

fn seen(candidate: &Candidate) -> Seen<'_> {
    Seen {
        account: candidate.account.as_deref(),
        member: candidate.member.as_deref(),
    }
}
