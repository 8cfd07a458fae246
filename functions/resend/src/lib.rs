//! `POST /accounts/{accountId}/members/{memberId}/resend`: the owner sends an invite again.

use domain::id::{AccountId, MemberId};
use domain::invite::{Decision, Rules, limit_reached};
use domain::request::{Fingerprint, IdempotencyKey, RecordedRequest};
use domain::resend::{Seen, decide};
use domain::token::InviteToken;
use platform::answer::{MemberAnswer, to_json};
use platform::commit::Attempts;
use platform::mail::{CommittedInvite, Mailer};
use platform::store::{Commit, Store, Stored};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem, random};

/// Sends invites again, each time with a new link.
#[derive(Debug)]
pub struct Resend {
    store: Store,
    mailer: Mailer,
    rules: Rules,
}

/// What a call asks for.
struct Request {
    account: AccountId,
    member: MemberId,
    key: Option<IdempotencyKey>,
    fingerprint: Fingerprint,
}

/// How an attempt ended.
enum Outcome {
    Committed(Box<CommittedInvite>),
    Replayed(String),
    Lost,
}

impl Operation for Resend {
    const NAME: &'static str = "resend";

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            mailer: Mailer::new(platform)?,
            rules: platform.environment.invite_rules()?,
        })
    }

    async fn get_ready(&self) {
        tokio::join!(self.store.connect(), self.mailer.connect());
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let request = parse(call)?;
        let (account, member) = (request.account.clone(), request.member.clone());
        let token = InviteToken::new(account, member, random::secret()?);

        let mut attempts = Attempts::begin();
        let committed = loop {
            match self.attempt(call, &request, &token).await? {
                Outcome::Committed(committed) => break committed,
                Outcome::Replayed(answer) => return Ok(Answer::ok_text(answer)),
                Outcome::Lost => attempts.again().await?,
            }
        };

        let member = committed
            .send(&self.mailer, &self.store, &token, call.now)
            .await?;
        Answer::ok(&MemberAnswer::new(&member, call.now))
    }
}

fn parse(call: &Call) -> Result<Request, Problem> {
    let account = call.path("accountId")?;
    let member: MemberId = call.path("memberId")?;
    let key = call.idempotency_key()?;
    call.body()?.finish()?;
    let fingerprint = Fingerprint::of(&[Resend::NAME, member.as_str()]);
    Ok(Request {
        account,
        member,
        key,
        fingerprint,
    })
}

impl Resend {
    /// Reads, decides, commits on what was seen.
    async fn attempt(
        &self,
        call: &Call,
        request: &Request,
        token: &InviteToken,
    ) -> Result<Outcome, Problem> {
        let Request {
            account: account_id,
            member: member_id,
            key,
            fingerprint,
        } = request;
        let (caller, now) = (&call.caller, call.now);

        let mut read = self.store.read();
        let account = read.account(account_id);
        let inviter = read.member(account_id, &MemberId::of(account_id, &caller.email));
        let member = read.member(account_id, member_id);
        let recorded = read.request(account_id, key.as_ref());
        let account_sends = read.account_sends(account_id, now);
        let mut found = read.run().await?;
        let account = found.take(account)?;
        let inviter = found.take(inviter)?;
        let member = found.take(member)?;
        let recorded = found.take(recorded)?;

        let seen = Seen {
            account: account.as_deref(),
            caller: inviter.as_deref(),
            member: member.as_deref(),
            request: recorded.as_deref(),
            account_sends: found.count(&account_sends),
        };
        let decision = decide(caller, token.hash(), fingerprint, seen, &self.rules, now)
            .map_err(|refusal| Problem::of(refusal, now))?;
        let (Some(account), Some(inviter)) = (account, inviter) else {
            return Err(Problem::internal("a resend was allowed without an account"));
        };

        let (member, recorded) = match decision {
            Decision::Replay(answer) => return Ok(Outcome::Replayed(answer)),
            Decision::Committed(committed) => (
                member.unwrap_or_else(|| Stored::after(None, committed)),
                recorded,
            ),
            Decision::Commit(resent, expires_at) => {
                let answer = to_json(&MemberAnswer::new(&resent, now))?;
                let record = RecordedRequest::new(fingerprint.clone(), answer, now);
                let limits = &self.rules.limits;
                let commit = self
                    .store
                    .write()
                    .account_unchanged(&account)
                    .member(account_id, member.as_ref(), &resent)
                    .expiry(account_id, &resent.id, expires_at)
                    .account_send(account_id, limits.sends_per_hour, now)
                    .recipient_send(&resent.email, limits.sends_per_recipient_per_day, now)
                    .request(account_id, key.as_ref(), recorded.as_ref(), &record)
                    .still_unbound(account_id, Some(&inviter))
                    .commit()
                    .await?;
                match commit {
                    Commit::Done => {}
                    Commit::Lost => return Ok(Outcome::Lost),
                    Commit::LimitReached(limit) => {
                        return Err(Problem::of(limit_reached(limit, now), now));
                    }
                }
                let recorded = Stored::after(recorded.as_ref(), record);
                (Stored::after(member.as_ref(), resent), Some(recorded))
            }
        };
        Ok(Outcome::Committed(Box::new(CommittedInvite {
            account: account.value,
            inviter: inviter.value,
            member,
            key: key.clone(),
            request: recorded,
        })))
    }
}
