//! `POST /accounts/{accountId}/members/{memberId}/resend`: the owner sends an invite again, each time
//! with a new link.

use domain::id::{AccountId, MemberId};
use domain::request::Fingerprint;
use domain::resend::decide;
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
        call.body()?.finish(())?;

        let order = Order {
            account: &account,
            member: &member,
            recipient: None,
            key: key.as_ref(),
            fingerprint: &Fingerprint::of(&[Resend::NAME, member.as_str()]),
            answer: MemberAnswer::new,
        };
        let resent = self.outbox.send(call, order, decide).await?;
        Ok(Answer::ok_text(resent))
    }
}
