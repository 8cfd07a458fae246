//! Invites on their way out: committed, then mailed. A committed invite stays valid even if its
//! mail fails.

use std::sync::OnceLock;

use domain::access::{Access, Caller};
use domain::address::EmailAddress;
use domain::delivery::{Delivery, DeliveryStatus};
use domain::id::{AccountId, EmailKey, MemberId};
use domain::invite::Rules;
use domain::member::Member;
use domain::request::{Fingerprint, IdempotencyKey, RecordedRequest};
use domain::sending::{Decision, Invited, Sending, limit_reached};
use domain::token::InviteToken;
use domain::{Refusal, Timestamp};
use tracing::warn;

use super::{InviteMail, Mailer};
use crate::answer::{MemberAnswer, to_json};
use crate::call::Call;
use crate::commit::until_settled;
use crate::config::ConfigError;
use crate::problem::Problem;
use crate::store::{Actor, Attempt, CountedAttempt, Place, Store, Stored};
use crate::{Platform, metrics, random};

#[derive(Debug)]
pub struct Outbox {
    store: Store,
    mailer: Mailer,
    rules: Rules,
}

#[derive(Debug)]
pub struct Order<'a> {
    pub account: &'a AccountId,
    pub member: &'a MemberId,
    /// The address, if it is known before the row is read.
    pub recipient: Option<&'a EmailAddress>,
    /// The person whose invite this one replaces.
    pub replaces: Option<&'a MemberId>,
    pub key: Option<&'a IdempotencyKey>,
    pub fingerprint: &'a Fingerprint,
    pub answer: fn(&Member, Timestamp) -> MemberAnswer,
}

impl Outbox {
    pub fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            mailer: Mailer::new(platform)?,
            rules: platform.environment.invite_rules()?,
        })
    }

    pub async fn get_ready(&self) {
        tokio::join!(self.store.connect(), self.mailer.connect());
    }

    /// Commits what `decide` allows, then mails it. Returns the body of the answer.
    ///
    /// # Errors
    ///
    /// The refusals that every call of an account shares, and those of `decide`.
    pub async fn send(
        &self,
        call: &Call,
        order: Order<'_>,
        decide: impl Fn(Access<'_>, &Sending<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<String, Problem> {
        let (account, member) = (order.account.clone(), order.member.clone());
        let dispatch = Dispatch {
            outbox: self,
            caller: &call.caller,
            now: call.now,
            token: InviteToken::new(account, member, random::secret()?),
            recipient: order.recipient.map(EmailKey::of),
            order,
            tried_send: OnceLock::new(),
        };
        until_settled(|| dispatch.attempt(&decide)).await
    }
}

/// The state of one call that sends an invite.
struct Dispatch<'a> {
    outbox: &'a Outbox,
    caller: &'a Caller,
    now: Timestamp,
    order: Order<'a>,
    token: InviteToken,
    recipient: Option<EmailKey>,
    /// The number of the send that the first attempt tried to commit.
    tried_send: OnceLock<u32>,
}

/// The rows that hold an invite, as the table has them.
struct Rows {
    place: Place,
    replaced: Option<Stored<Member>>,
    request: Option<Stored<RecordedRequest>>,
}

impl Dispatch<'_> {
    /// Reads, decides, commits on what was seen, and mails what is committed.
    async fn attempt(
        &self,
        decide: impl Fn(Access<'_>, &Sending<'_>) -> Result<Decision, Refusal>,
    ) -> Result<Attempt<String>, Problem> {
        let Outbox { store, rules, .. } = self.outbox;
        let (order, now) = (&self.order, self.now);

        let mut read = store.read();
        let inviter = read.caller(order.account, self.caller);
        let place = read.place_of(order.account, order.member, order.recipient);
        let replaced = order.replaces.map(|id| read.member(order.account, id));
        let request = read.request(order.account, order.key);
        let account_sends = read.account_sends(order.account, now);
        let recipient = self.recipient.as_ref();
        let recipient_sends = recipient.map(|person| read.recipient_sends(person, now));
        let mut found = read.run().await?;
        let inviter = found.membership(inviter).await?;
        let rows = Rows {
            place: found.place(order.account, Some(place)).await?,
            replaced: replaced.map(|slot| found.take(slot)).transpose()?.flatten(),
            request: found.take(request)?,
        };

        let actor = Actor::admit(self.caller, inviter.as_ref(), &rules.pro_plans)?;
        let sending = Sending {
            token: self.token.hash(),
            fingerprint: order.fingerprint,
            request: rows.request.as_deref(),
            member: rows.place.occupant().map(|row| &row.value),
            replaces: rows.replaced.as_deref(),
            tried_send: self.tried_send.get().copied(),
            account_sends: found.count(&account_sends),
            recipient_sends: recipient_sends.map(|slot| found.count(&slot)),
            limits: &rules.limits,
            now,
        };
        let (invited, is_committed) = match decide(actor.access, &sending)? {
            Decision::Replay(answer) => return Ok(Attempt::Settled(answer)),
            Decision::Committed(invited) => (invited, true),
            Decision::Commit(invited) => (invited, false),
        };
        let person = recipient.cloned();
        let person = person.unwrap_or_else(|| EmailKey::of(&invited.member().email));
        if is_committed {
            return self.mail(actor, &invited, &person, rows).await;
        }
        self.tried_send.get_or_init(|| invited.member().last_send);
        match self.commit(actor, &invited, &person, rows).await? {
            CountedAttempt::Settled(rows) => self.mail(actor, &invited, &person, rows).await,
            CountedAttempt::Lost => Ok(Attempt::Lost),
            CountedAttempt::LimitReached(limit) => Err(limit_reached(limit, now).into()),
        }
    }

    /// Writes the invite, counts its mail and records the call. Returns the rows as they are after
    /// that.
    async fn commit(
        &self,
        actor: Actor<'_>,
        invited: &Invited,
        recipient: &EmailKey,
        seen: Rows,
    ) -> Result<CountedAttempt<Rows>, Problem> {
        let Outbox { store, rules, .. } = self.outbox;
        let (member, invite) = (invited.member(), invited.invite());
        let answer = self.answer(member)?;
        let request = RecordedRequest::new(self.order.fingerprint.clone(), answer, self.now);

        let mut write = store
            .write_as(&actor)
            .account_unchanged(actor.account())
            .place(&seen.place, member)
            .expiry(&member.id, invite.expires_at)
            .request(self.order.key, seen.request.as_ref(), &request);
        if invite.sends == 1 || invited.replaced().is_some() {
            write = write.pointer(recipient);
        }
        if let Some(replaced) = invited.replaced() {
            write = write.member(seen.replaced.as_ref(), replaced);
        }
        let written = Rows {
            replaced: None,
            place: seen.place.taken_by(member.clone()),
            request: Some(Stored::after(seen.request.as_ref(), request)),
        };
        let write = write.count_send(recipient, &rules.limits, self.now);
        Ok(write.commit(written).await?)
    }

    /// Sends the mail of a committed invite.
    ///
    /// The call succeeds even if the mail fails: `delivery` says so, and the owner can resend. If
    /// the failure can't be written, the answer still says so.
    async fn mail(
        &self,
        actor: Actor<'_>,
        invited: &Invited,
        recipient: &EmailKey,
        rows: Rows,
    ) -> Result<Attempt<String>, Problem> {
        let mail = InviteMail {
            account: actor.account(),
            inviter: actor.member(),
            member: invited.member(),
            recipient,
            invite: invited.invite(),
            token: &self.token.made_out_to(&invited.member().id),
        };
        let sent = self.outbox.mailer.send_invite(mail).await;
        metrics::count_send(invited.invite().sends, sent);
        let Err(failure) = sent else {
            return self.answer(invited.member()).map(Attempt::Settled);
        };
        let delivery = Delivery::reported(DeliveryStatus::Failed { failure }, self.now);
        let member = invited.member().with_delivery(delivery);
        let answer = self.answer(&member)?;
        self.record_failure(&member, &answer, rows).await;
        Ok(Attempt::Settled(answer))
    }

    /// Records the new answer too, so that a repeated call gets it.
    async fn record_failure(&self, member: &Member, answer: &str, rows: Rows) {
        let account = self.order.account;
        let mut write = self.outbox.store.write_as_service(account);
        write = write.place(&rows.place, member);
        if let Some(seen) = &rows.request {
            let request = RecordedRequest {
                answer: answer.to_owned(),
                ..seen.value.clone()
            };
            write = write.request(self.order.key, Some(seen), &request);
        }
        let cause = match write.commit(()).await {
            Ok(Attempt::Settled(())) => return,
            Ok(Attempt::Lost) => None,
            Err(error) => Some(error.to_string()),
        };
        let account_id = account.as_str();
        warn!(account_id, cause, "a failed send could not be recorded");
    }

    fn answer(&self, member: &Member) -> Result<String, Problem> {
        let answer = (self.order.answer)(member, self.now);
        to_json(&answer.replacing(self.order.replaces))
    }
}
