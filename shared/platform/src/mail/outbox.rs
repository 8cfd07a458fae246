//! Mail after commit: the invite stands, whatever becomes of its mail.

use domain::Timestamp;
use domain::account::Account;
use domain::delivery::{Delivery, DeliveryStatus, SendFailure};
use domain::member::Member;
use domain::request::{IdempotencyKey, RecordedRequest};
use domain::token::InviteToken;
use tracing::warn;

use super::{InviteMail, Mailer};
use crate::answer::{MemberAnswer, to_json};
use crate::metrics;
use crate::problem::Problem;
use crate::store::{Commit, Store, Stored};

/// An invite that is committed, and whose mail is to be sent now.
#[derive(Debug)]
pub struct CommittedInvite {
    /// The account.
    pub account: Account,
    /// Who invites.
    pub inviter: Member,
    /// The invited person, as the table holds the row now.
    pub member: Stored<Member>,
    /// The idempotency key of the call, if it has one.
    pub key: Option<IdempotencyKey>,
    /// The record of the call, as the table holds it now if there is a key.
    pub request: Option<Stored<RecordedRequest>>,
}

impl CommittedInvite {
    /// Sends the mail, and says what the member is then.
    ///
    /// A failure is not one of the call: it is written down in `delivery`, for the owner to see and
    /// to resend. If even that cannot be written, the answer still says so.
    ///
    /// # Errors
    ///
    /// An internal problem if there is no invite to send.
    pub async fn send(
        self,
        mailer: &Mailer,
        store: &Store,
        token: &InviteToken,
        now: Timestamp,
    ) -> Result<Member, Problem> {
        let member = &self.member.value;
        let invite = member
            .invite()
            .ok_or_else(|| Problem::internal("no invite to send"))?;
        let mail = InviteMail {
            account: &self.account,
            inviter: &self.inviter,
            member,
            invite,
            token,
        };
        let sent = mailer.send_invite(mail).await;
        metrics::count_send(invite.sends, sent);
        match sent {
            Ok(()) => Ok(self.member.value),
            Err(failure) => self.write_failure(store, failure, now).await,
        }
    }

    async fn write_failure(
        self,
        store: &Store,
        failure: SendFailure,
        now: Timestamp,
    ) -> Result<Member, Problem> {
        let delivery = Delivery::reported(DeliveryStatus::Failed { failure }, now);
        let member = self.member.value.with_delivery(delivery);
        let account = &self.account.id;
        let mut write = store.write().member(account, Some(&self.member), &member);
        if let Some(seen) = &self.request {
            // A repeated request gets the answer that this one gets.
            let answer = to_json(&MemberAnswer::new(&member, now))?;
            let request = RecordedRequest {
                answer,
                ..seen.value.clone()
            };
            write = write.request(account, self.key.as_ref(), Some(seen), &request);
        }
        match write.commit().await {
            Ok(Commit::Done) => {}
            Ok(Commit::Lost | Commit::LimitReached(_)) => {
                warn!(
                    account_id = self.account.id.as_str(),
                    "a failed send was not written down"
                );
            }
            Err(error) => {
                let (account_id, cause) = (self.account.id.as_str(), error.to_string());
                warn!(account_id, cause, "a failed send was not written down");
            }
        }
        Ok(member)
    }
}
