//! `POST /login`: lets a person into an account, and accepts an invite on the first login. Called by
//! the product after its single sign-on.

use domain::account::ProPlans;
use domain::id::AccountId;
use domain::login::{Login, Presented, decide, decide_without_account};
use domain::member::State;
use domain::refusal::Refusal;
use domain::token::InviteToken;
use platform::answer::LoginAnswer;
use platform::commit::until_settled;
use platform::metrics::{self, Metric};
use platform::store::{Attempt, Seen, Store};
use platform::telemetry::log_new_identity;
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

        let Login {
            account, member, ..
        } = until_settled(|| async {
            let (login, seen) = match &request {
                Asked::Account(account, token) => {
                    call.concerns(account);
                    self.to_account(call, account, token.as_ref()).await?
                }
                Asked::AnyAccount => self.to_any_account(call).await?,
            };
            self.commit(call, login, &seen).await
        })
        .await?;

        call.concerns(&account.id);
        Answer::ok(&LoginAnswer::new(
            &account,
            &member,
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
    /// Reads and decides about a login to a known account: one read in the common case.
    async fn to_account(
        &self,
        call: &Call,
        account: &AccountId,
        token: Option<&InviteToken>,
    ) -> Result<(Login, Seen), Problem> {
        let caller = &call.caller;
        let mut read = self.store.read();
        let seen = read.caller_at_login(account, caller, token.is_some());
        let invited = token.map(|token| (token, read.member(account, &token.member)));
        let mut found = read.run().await?;
        let invited = match invited {
            Some((token, slot)) => Some((token, found.take(slot)?)),
            None => None,
        };
        let seen = found.caller(seen).await?;

        let presented = invited.as_ref().map(|(token, invited)| Presented {
            token,
            invited: invited.as_deref(),
        });
        let entrance = seen.as_ref().map(|seen| seen.entrance(caller));
        let login = decide(caller, entrance, presented, &self.pro_plans, call.now)?;
        Ok((login, seen.ok_or(Refusal::NoAccess)?))
    }

    /// Reads and decides about a login that names no account.
    async fn to_any_account(&self, call: &Call) -> Result<(Login, Seen), Problem> {
        let caller = &call.caller;
        let seen = self.store.seen_anywhere(caller).await?;
        let entrances: Vec<_> = seen.iter().map(|seen| seen.entrance(caller)).collect();
        let login = decide_without_account(caller, &entrances, &self.pro_plans, call.now)?;
        let mut seen = seen.into_iter();
        let chosen = seen.find(|seen| seen.account.id == login.account.id);
        Ok((login, chosen.ok_or(Refusal::NoAccess)?))
    }

    /// Commits what a login changes, on the rows that were seen: a first login binds the row to the
    /// identity, a later one follows a new address. Most change nothing.
    async fn commit(
        &self,
        call: &Call,
        login: Login,
        seen: &Seen,
    ) -> Result<Attempt<Login>, Problem> {
        let Login { member, left, .. } = &login;
        let before = seen.row(&member.id).ok_or(Refusal::NoAccess)?;
        if before.value == *member {
            return Ok(Attempt::Settled(login));
        }
        let identity = &call.caller.identity;
        let mut write = self.store.write_as_service(&login.account.id);
        write = write.member(Some(before), member);
        // Nobody comes in who would be refused after a closing or another plan in the meantime.
        if before.identity() != Some(identity) {
            write = write.account_unchanged(&seen.account);
        }
        if before.identity() != Some(identity) || !before.has_pointer() {
            write = write.identity_pointer(identity, seen.pointer.as_ref(), &member.id);
        }
        if before.email != member.email {
            write = write.address(&seen.place, member);
        }
        if let Some(left) = left {
            write = write.member(seen.row(&left.id), left);
        }
        let is_first = matches!(before.state, State::Invited(_));
        let has_another_issuer = before
            .identity()
            .is_some_and(|bound| bound.issuer != identity.issuer);
        let (account_id, member_id) = (login.account.id.clone(), member.id.clone());
        let attempt = write.commit(login).await?;
        if let Attempt::Settled(_) = attempt {
            if is_first {
                metrics::count_acceptance();
            }
            if has_another_issuer {
                log_new_identity(&account_id, &member_id);
            }
        }
        Ok(attempt)
    }
}
