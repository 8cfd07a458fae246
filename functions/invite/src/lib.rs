//! `POST /accounts/{accountId}/members`: the owner invites somebody by name and address.

use domain::id::{AccountId, MemberId};
use domain::invite::{Decision, Invitee, Rules, Seen, decide, limit_reached};
use domain::request::{Fingerprint, IdempotencyKey, RecordedRequest};
use domain::token::InviteToken;
use platform::answer::{MemberAnswer, to_json};
use platform::commit::Attempts;
use platform::mail::{CommittedInvite, Mailer};
use platform::store::{Commit, Store, Stored};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem, random};

/// Invites people.
#[derive(Debug)]
pub struct Invite {
    store: Store,
    mailer: Mailer,
    rules: Rules,
}

/// What a call asks for.
struct Request {
    account: AccountId,
    invitee: Invitee,
    key: Option<IdempotencyKey>,
    fingerprint: Fingerprint,
}

/// How an attempt ended.
enum Outcome {
    Committed(Box<CommittedInvite>),
    Replayed(String),
    /// With the number of the send that was to be committed.
    Lost(u32),
}

impl Operation for Invite {
    const NAME: &'static str = "invite";

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
        let (account, member) = (request.account.clone(), request.invitee.id.clone());
        let token = InviteToken::new(account, member, random::secret()?);

        let mut tried_send = None;
        let mut attempts = Attempts::begin();
        let committed = loop {
            match self.attempt(call, &request, &token, tried_send).await? {
                Outcome::Committed(committed) => break committed,
                Outcome::Replayed(answer) => return Ok(Answer::created_text(answer)),
                Outcome::Lost(send) => {
                    tried_send = tried_send.or(Some(send));
                    attempts.again().await?;
                }
            }
        };

        let member = committed
            .send(&self.mailer, &self.store, &token, call.now)
            .await?;
        Answer::created(&MemberAnswer::of_invite(&member, call.now))
    }
}

fn parse(call: &Call) -> Result<Request, Problem> {
    let account: AccountId = call.path("accountId")?;
    let key = call.idempotency_key()?;
    let mut body = call.body()?;
    let first_name = body.required("firstName");
    let last_name = body.required("lastName");
    let email = body.required("email");
    body.finish()?;
    let (Some(first_name), Some(last_name), Some(email)) = (first_name, last_name, email) else {
        return Err(Problem::internal("a required field was missing unnoticed"));
    };
    let id = MemberId::of(&account, &email);
    let invitee = Invitee {
        id,
        first_name,
        last_name,
        email,
    };
    let fingerprint = Fingerprint::of(&[
        Invite::NAME,
        invitee.first_name.as_str(),
        invitee.last_name.as_str(),
        invitee.email.as_str(),
    ]);
    Ok(Request {
        account,
        invitee,
        key,
        fingerprint,
    })
}

impl Invite {
    /// Reads, decides, commits on what was seen.
    async fn attempt(
        &self,
        call: &Call,
        request: &Request,
        token: &InviteToken,
        tried_send: Option<u32>,
    ) -> Result<Outcome, Problem> {
        let Request {
            account: account_id,
            invitee,
            key,
            fingerprint,
        } = request;
        let (caller, now) = (&call.caller, call.now);

        let mut read = self.store.read();
        let account = read.account(account_id);
        let inviter = read.member(account_id, &MemberId::of(account_id, &caller.email));
        let member = read.member(account_id, &invitee.id);
        let recorded = read.request(account_id, key.as_ref());
        let account_sends = read.account_sends(account_id, now);
        let recipient_sends = read.recipient_sends(&invitee.email, now);
        let mut found = read.run().await?;
        let account = found.take(account)?;
        let inviter = found.take(inviter)?;
        let member = found.take(member)?;
        let recorded = found.take(recorded)?;

        let seen = Seen {
            account: account.as_deref(),
            caller: inviter.as_deref(),
            invitee: member.as_deref(),
            tried_send,
            request: recorded.as_deref(),
            account_sends: found.count(&account_sends),
            recipient_sends: found.count(&recipient_sends),
        };
        let decision = decide(
            caller,
            invitee,
            token.hash(),
            fingerprint,
            seen,
            &self.rules,
            now,
        )
        .map_err(|refusal| Problem::of(refusal, now))?;
        let (Some(account), Some(inviter)) = (account, inviter) else {
            return Err(Problem::internal(
                "an invite was allowed without an account",
            ));
        };

        let (member, recorded) = match decision {
            Decision::Replay(answer) => return Ok(Outcome::Replayed(answer)),
            Decision::Committed(committed) => (
                member.unwrap_or_else(|| Stored::after(None, committed)),
                recorded,
            ),
            Decision::Commit(invited, expires_at) => {
                let answer = to_json(&MemberAnswer::of_invite(&invited, now))?;
                let record = RecordedRequest::new(fingerprint.clone(), answer, now);
                let limits = &self.rules.limits;
                let commit = self
                    .store
                    .write()
                    .account_unchanged(&account)
                    .member(account_id, member.as_ref(), &invited)
                    .membership(&invited.email, account_id)
                    .expiry(account_id, &invited.id, expires_at)
                    .account_send(account_id, limits.sends_per_hour, now)
                    .recipient_send(&invited.email, limits.sends_per_recipient_per_day, now)
                    .request(account_id, key.as_ref(), recorded.as_ref(), &record)
                    .still_unbound(account_id, Some(&inviter))
                    .commit()
                    .await?;
                match commit {
                    Commit::Done => {}
                    Commit::Lost => return Ok(Outcome::Lost(invited.last_send)),
                    Commit::LimitReached(limit) => {
                        return Err(Problem::of(limit_reached(limit, now), now));
                    }
                }
                let recorded = Stored::after(recorded.as_ref(), record);
                (Stored::after(member.as_ref(), invited), Some(recorded))
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
