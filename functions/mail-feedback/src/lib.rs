//! Takes what SES reports about mail, from an SNS topic: what became of a send, so that the owner
//! of the account and support can see why an invite did not arrive.
//!
//! SNS repeats and reorders. Every record stands for itself, and taking it twice is the same as
//! taking it once.

pub mod ses_event;

use domain::Timestamp;
use domain::address::EmailAddress;
use domain::feedback::{Decision, Feedback, Seen, Send, decide, time_from_newest_send};
use domain::id::{AccountId, MemberId};
use domain::member::Member;
use platform::commit::Attempts;
use platform::problem::Code;
use platform::store::{Candidate, Commit, Store, Stored};
use platform::telemetry::log_feedback;
use platform::{ConfigError, Invocation, Platform, Problem, metrics};
use serde::Serialize;
use serde_json::Value;
use ses_event::{NoReport, Origin, Report};

/// Takes feedback.
#[derive(Debug)]
pub struct MailFeedback {
    store: Store,
    stage: String,
}

/// What became of an event's records, in numbers.
#[derive(Debug, Default, Serialize)]
pub struct Taken {
    /// Reports about our sends.
    recorded: u32,
    /// What is not about a send of ours.
    ignored: u32,
}

/// What became of one record.
enum Outcome {
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

    /// An error, after all records had their turn, makes Lambda invoke again with the same event,
    /// and in the end keep it, whole, in the queue of lost feedback.
    async fn invoke(&self, event: Value, now: Timestamp) -> Result<Taken, Problem> {
        let records = event.get("Records").and_then(Value::as_array);
        let records = records.ok_or_else(|| unreadable("The event has no records."))?;

        let mut taken = Taken::default();
        let mut problem = None;
        for record in records {
            match self.take(record, now).await {
                Ok(Outcome::Recorded) => taken.recorded += 1,
                Ok(Outcome::Ignored(_)) => taken.ignored += 1,
                Ok(Outcome::Rejected(_)) => {
                    let unreadable = || unreadable("A record cannot be understood.");
                    problem = problem.or_else(|| Some(unreadable()));
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

fn unreadable(detail: &'static str) -> Problem {
    Problem::new(Code::InvalidRequest, detail)
}

impl MailFeedback {
    async fn take(&self, record: &Value, now: Timestamp) -> Result<Outcome, Problem> {
        let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
        let sns_message_id = text("/Sns/MessageId").unwrap_or("unknown");
        let published_at = text("/Sns/Timestamp")
            .and_then(ses_event::timestamp)
            .unwrap_or(now);
        let outcome = match text("/Sns/Message") {
            None => Outcome::Rejected("no message"),
            Some(message) => match ses_event::read(message, sns_message_id, published_at) {
                Ok(report) => self.take_report(report).await?,
                Err(NoReport::Ignorable(why)) => Outcome::Ignored(why),
                Err(NoReport::Unreadable(why)) => Outcome::Rejected(why),
            },
        };
        match outcome {
            Outcome::Recorded => log_feedback(sns_message_id, "recorded", "a send of ours"),
            Outcome::Ignored(why) => log_feedback(sns_message_id, "ignored", why),
            Outcome::Rejected(why) => log_feedback(sns_message_id, "rejected", why),
        }
        Ok(outcome)
    }

    async fn take_report(&self, report: Report) -> Result<Outcome, Problem> {
        let feedback = match &report.origin {
            Origin::Foreign => return Ok(Outcome::Ignored("mail of others")),
            Origin::Tagged { stage, .. } if *stage != self.stage => {
                return Ok(Outcome::Ignored("another stage"));
            }
            Origin::Tagged { send, .. } => self.of_tagged(&report, send.clone()).await?,
            Origin::Untagged => self.of_untagged(&report).await?,
        };
        let Some(feedback) = feedback else {
            return Ok(Outcome::Ignored("no send of ours"));
        };

        let mut attempts = Attempts::begin();
        loop {
            match self.attempt(&feedback).await? {
                Some(outcome) => return Ok(outcome),
                None => attempts.again().await?,
            }
        }
    }

    /// The feedback that a report with our tags is. The address that the mail was sent to is in the
    /// report; if it is not, the row has it.
    async fn of_tagged(&self, report: &Report, send: Send) -> Result<Option<Feedback>, Problem> {
        let is_recipient =
            |email: &&EmailAddress| MemberId::of(&send.account, email) == send.member;
        let email = match report.destination.as_ref().filter(is_recipient) {
            Some(email) => Some(email.clone()),
            None => self
                .member(&send.account, &send.member)
                .await?
                .map(|member| member.email),
        };
        Ok(email.map(|email| feedback(report, email, send)))
    }

    /// The feedback that a report without tags is: about the newest send, in any account, to the
    /// address at about that time.
    async fn of_untagged(&self, report: &Report) -> Result<Option<Feedback>, Problem> {
        let (Some(email), Some(taken_at)) = (&report.destination, report.taken_at) else {
            return Ok(None);
        };
        let candidates = self.store.candidates(email).await?;
        let memberships = candidates.into_iter().filter_map(Candidate::membership);
        let sends = memberships.filter_map(|(account, member)| {
            let apart = time_from_newest_send(&member, taken_at)?;
            let send = Send {
                account: account.value.id,
                member: member.value.id,
                number: member.value.last_send,
            };
            Some((apart, send))
        });
        let nearest = sends.min_by_key(|(apart, _)| *apart);
        Ok(nearest.map(|(_, send)| feedback(report, email.clone(), send)))
    }

    async fn member(
        &self,
        account: &AccountId,
        member: &MemberId,
    ) -> Result<Option<Member>, Problem> {
        let mut read = self.store.read();
        let member = read.member(account, member);
        let mut found = read.run().await?;
        Ok(found.take(member)?.map(|Stored { value, .. }| value))
    }

    /// Reads, decides, commits on what was seen. Nothing, if the commit was lost.
    async fn attempt(&self, feedback: &Feedback) -> Result<Option<Outcome>, Problem> {
        let account = &feedback.send.account;

        let mut read = self.store.read();
        let member = read.member(account, &feedback.send.member);
        let recorded = read.feedback(feedback);
        let mut found = read.run().await?;
        let member = found.take(member)?;
        let is_recorded = found.take(recorded)?.is_some();

        let changed = match decide(
            feedback,
            Seen {
                member: member.as_deref(),
                is_recorded,
            },
        ) {
            Decision::Unknown => return Ok(Some(Outcome::Ignored("no send of ours"))),
            Decision::Done => return Ok(Some(Outcome::Recorded)),
            Decision::Commit(changed) => changed,
        };
        let mut write = self.store.write();
        if !is_recorded {
            write = write.feedback(feedback);
        }
        if let Some(changed) = changed {
            write = write.member(account, member.as_ref(), &changed);
        }
        match write.commit().await? {
            Commit::Done => {
                if !is_recorded {
                    metrics::count_feedback(&feedback.status);
                }
                Ok(Some(Outcome::Recorded))
            }
            Commit::Lost | Commit::LimitReached(_) => Ok(None),
        }
    }
}

fn feedback(report: &Report, email: EmailAddress, send: Send) -> Feedback {
    Feedback {
        id: report.id.clone(),
        at: report.at,
        email,
        send,
        kind: report.kind,
        status: report.status,
        words: report.words.clone(),
    }
}
