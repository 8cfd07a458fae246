//! Takes SES's reports about mail from an SNS topic, so that owners and support can see why an
//! invite did not arrive.
//!
//! SNS repeats and reorders. Every record is handled on its own, and handling it twice has the same
//! result as handling it once.

pub mod ses_event;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::feedback::{Decision, Feedback, Send, decide, time_from_newest_send};
use domain::id::{AccountId, EmailKey, MemberId};
use platform::commit::until_settled;
use platform::problem::Code;
use platform::store::{Attempt, Store};
use platform::telemetry::log_feedback;
use platform::{ConfigError, Invocation, Platform, Problem, metrics};
use serde::Serialize;
use serde_json::Value;
use ses_event::{NoReport, Origin, Report};

#[derive(Debug)]
pub struct MailFeedback {
    store: Store,
    stage: String,
}

/// The numbers of an event's records, by outcome.
#[derive(Debug, Default, Serialize)]
pub struct Taken {
    /// Reports about our sends.
    recorded: u32,
    /// Reports about other mail, and messages that are no reports.
    ignored: u32,
}

/// The outcome of one record.
enum Handled {
    Recorded,
    Ignored(&'static str),
    Rejected(&'static str),
}

impl Invocation for MailFeedback {
    const NAME: &'static str = "mail-feedback";

    type Outcome = Taken;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            stage: platform.environment.required("STAGE")?,
        })
    }

    async fn get_ready(&self, _now: Timestamp) {
        self.store.connect().await;
    }

    /// An error is raised after all records had their turn. It makes Lambda invoke again with the
    /// same event, and in the end keep the whole event in the queue of lost feedback.
    async fn invoke(&self, event: Value, now: Timestamp) -> Result<Taken, Problem> {
        let records = event.get("Records").and_then(Value::as_array);
        let records = records.ok_or_else(|| unreadable("The event has no records."))?;

        let mut taken = Taken::default();
        let mut problem = None;
        for record in records {
            match self.take(record, now).await {
                Ok(Handled::Recorded) => taken.recorded += 1,
                Ok(Handled::Ignored(_)) => taken.ignored += 1,
                Ok(Handled::Rejected(_)) => {
                    problem = problem.or_else(|| Some(unreadable("A record can't be read.")));
                }
                Err(failed) => problem = Some(failed),
            }
        }
        problem.map_or(Ok(taken), Err)
    }

    fn account(_: &Taken) -> Option<&AccountId> {
        None
    }
}

const NO_SEND_OF_OURS: Handled = Handled::Ignored("not about a known send");

fn unreadable(detail: &'static str) -> Problem {
    Problem::new(Code::InvalidRequest, detail)
}

impl MailFeedback {
    async fn take(&self, record: &Value, now: Timestamp) -> Result<Handled, Problem> {
        let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
        let sns_message_id = text("/Sns/MessageId").unwrap_or("unknown");
        let published_at = text("/Sns/Timestamp")
            .and_then(ses_event::timestamp)
            .unwrap_or(now);
        let outcome = match text("/Sns/Message") {
            None => Handled::Rejected("no message"),
            Some(message) => match ses_event::read(message, sns_message_id, published_at) {
                Ok(report) => self.take_report(report).await?,
                Err(NoReport::Ignorable(why)) => Handled::Ignored(why),
                Err(NoReport::Unreadable(why)) => Handled::Rejected(why),
            },
        };
        match outcome {
            Handled::Recorded => log_feedback(sns_message_id, "recorded", "about a known send"),
            Handled::Ignored(why) => log_feedback(sns_message_id, "ignored", why),
            Handled::Rejected(why) => log_feedback(sns_message_id, "rejected", why),
        }
        Ok(outcome)
    }

    async fn take_report(&self, report: Report) -> Result<Handled, Problem> {
        let mail = match &report.origin {
            Origin::Foreign => return Ok(Handled::Ignored("not sent by this stack")),
            Origin::Tagged { stage, .. } if *stage != self.stage => {
                return Ok(Handled::Ignored("another stage"));
            }
            Origin::Tagged {
                send, recipient, ..
            } => self.tagged(&report, send, recipient.as_ref()).await?,
            Origin::Untagged => self.untagged(&report).await?,
        };
        match mail {
            Some((send, recipient)) => {
                until_settled(|| self.attempt(&report, &send, &recipient)).await
            }
            None => Ok(NO_SEND_OF_OURS),
        }
    }

    /// The mail of a report with our tags. The last release did not tag the recipient, so it comes from
    /// the report, or from the row.
    async fn tagged(
        &self,
        report: &Report,
        send: &Send,
        recipient: Option<&EmailKey>,
    ) -> Result<Option<(Send, EmailKey)>, Problem> {
        let is_recipient =
            |email: &&EmailAddress| MemberId::of(&send.account, email) == send.member;
        let recipient = match (recipient, report.destination.as_ref().filter(is_recipient)) {
            (Some(recipient), _) => Some(recipient.clone()),
            (None, Some(email)) => Some(EmailKey::of(email)),
            (None, None) => {
                let mut read = self.store.read();
                let member = read.member(&send.account, &send.member);
                let member = read.run().await?.take(member)?;
                member.map(|member| EmailKey::of(&member.email))
            }
        };
        Ok(recipient.map(|recipient| (send.clone(), recipient)))
    }

    /// The mail of a report without tags: the newest send to the address at about that time, in any
    /// account.
    async fn untagged(&self, report: &Report) -> Result<Option<(Send, EmailKey)>, Problem> {
        let (Some(email), Some(taken_at)) = (&report.destination, report.taken_at) else {
            return Ok(None);
        };
        let memberships = self.store.memberships_at(email).await?;
        let sends = memberships.into_iter().filter_map(|seen| {
            let apart = time_from_newest_send(&seen.member, taken_at)?;
            let send = Send {
                account: seen.account.value.id,
                number: seen.member.last_send,
                member: seen.member.value.id,
            };
            Some((apart, send))
        });
        let nearest = sends.min_by_key(|(apart, _)| *apart);
        Ok(nearest.map(|(_, send)| (send, EmailKey::of(email))))
    }

    async fn attempt(
        &self,
        report: &Report,
        send: &Send,
        recipient: &EmailKey,
    ) -> Result<Attempt<Handled>, Problem> {
        let mut read = self.store.read();
        let member = read.member(&send.account, &send.member);
        let recorded = read.feedback(recipient, report.at, &report.id);
        let mut found = read.run().await?;
        let is_recorded = found.take(recorded)?.is_some();
        let Some(member) = found.take(member)? else {
            return Ok(Attempt::Settled(NO_SEND_OF_OURS));
        };

        let is_recipient = |email: &&EmailAddress| EmailKey::of(email) == *recipient;
        let email = report.destination.as_ref().filter(is_recipient);
        let feedback = Feedback {
            id: report.id.clone(),
            at: report.at,
            email: email.unwrap_or(&member.email).clone(),
            send: send.clone(),
            kind: report.kind,
            status: report.status,
            words: report.words.clone(),
        };
        let changed = match decide(&feedback, &member, is_recorded) {
            Decision::Done => return Ok(Attempt::Settled(Handled::Recorded)),
            Decision::Commit(changed) => changed,
        };
        let mut write = self.store.write_as_service(&send.account);
        if !is_recorded {
            write = write.feedback(recipient, &feedback);
        }
        if let Some(changed) = changed {
            write = write.member(Some(&member), &changed);
        }
        let attempt = write.commit(Handled::Recorded).await?;
        if let (Attempt::Settled(_), false) = (&attempt, is_recorded) {
            metrics::count_feedback(&feedback.status);
        }
        Ok(attempt)
    }
}
