//! `POST /accounts/{accountId}/members/{memberId}/resend`: the owner sends an invite again, each time
//! with a new link, to the same address or to a corrected one.

use domain::access::Access;
use domain::address::EmailAddress;
use domain::id::{AccountId, MemberId};
use domain::request::Fingerprint;
use domain::resend::{Correction, decide, decide_correction};
use domain::sending::Sending;
use platform::answer::MemberAnswer;
use platform::mail::{Order, Outbox};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

#[derive(Debug)]
pub struct Resend {
    outbox: Outbox,
}

impl Operation for Resend {
    const NAME: &'static str = "resend";

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            outbox: Outbox::new(platform)?,
        })
    }

    async fn get_ready(&self) {
        self.outbox.get_ready().await;
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let account: AccountId = call.path("accountId")?;
        let member: MemberId = call.path("memberId")?;
        let key = call.idempotency_key()?;
        let mut body = call.body()?;
        let email: Option<EmailAddress> = body.optional("email");
        body.finish(())?;

        let resent = match email {
            None => {
                let order = Order {
                    account: &account,
                    member: &member,
                    recipient: None,
                    replaces: None,
                    key: key.as_ref(),
                    fingerprint: &Fingerprint::of(&[Resend::NAME, member.as_str()]),
                    answer: MemberAnswer::new,
                };
                self.outbox.send(call, order, decide).await?
            }
            Some(email) => {
                let fingerprint = Fingerprint::of(&[Resend::NAME, member.as_str(), email.as_str()]);
                let id = MemberId::of(&account, &email);
                let correction = Correction { id, email };
                let order = Order {
                    account: &account,
                    member: &correction.id,
                    recipient: Some(&correction.email),
                    replaces: Some(&member),
                    key: key.as_ref(),
                    fingerprint: &fingerprint,
                    answer: MemberAnswer::of_invite,
                };
                let decide = |access: Access<'_>, sending: &Sending<'_>| {
                    decide_correction(access, sending, &correction)
                };
                self.outbox.send(call, order, decide).await?
            }
        };
        Ok(Answer::ok_text(resent))
    }
}
