//! `POST /accounts/{accountId}/members`: the owner invites a person by name and address.

use domain::id::{AccountId, MemberId};
use domain::invite::{Invitee, decide};
use domain::request::{Fingerprint, IdempotencyKey};
use platform::answer::MemberAnswer;
use platform::mail::{Order, Outbox};
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};

#[derive(Debug)]
pub struct Invite {
    outbox: Outbox,
}

struct Asked {
    account: AccountId,
    invitee: Invitee,
    key: Option<IdempotencyKey>,
    fingerprint: Fingerprint,
}

impl Operation for Invite {
    const NAME: &'static str = "invite";

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            outbox: Outbox::new(platform)?,
        })
    }

    async fn get_ready(&self) {
        self.outbox.get_ready().await;
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let asked = parse(call)?;
        let order = Order {
            account: &asked.account,
            member: &asked.invitee.id,
            recipient: Some(&asked.invitee.email),
            replaces: None,
            key: asked.key.as_ref(),
            fingerprint: &asked.fingerprint,
            answer: MemberAnswer::of_invite,
        };
        let invited = self
            .outbox
            .send(call, order, |access, sending| {
                decide(access, sending, &asked.invitee)
            })
            .await?;
        Ok(Answer::created_text(invited))
    }
}

fn parse(call: &Call) -> Result<Asked, Problem> {
    let account: AccountId = call.path("accountId")?;
    let key = call.idempotency_key()?;
    let mut body = call.body()?;
    let first_name = body.required("firstName");
    let last_name = body.required("lastName");
    let email = body.required("email");
    let (first_name, last_name, email) = body.finish((first_name, last_name, email))?;
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
    Ok(Asked {
        account,
        invitee,
        key,
        fingerprint,
    })
}
