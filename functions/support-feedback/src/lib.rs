//! `GET /support/feedback`: support sees why a person can't get in (`email`), or recent
//! feedback (`since`).

use std::str::FromStr;

use domain::Invalid;
use domain::Timestamp;
use domain::account::{Account, ProPlans};
use domain::address::EmailAddress;
use domain::feedback::Feedback;
use domain::member::Member;
use domain::support::{Case, verdict};
use jiff::SignedDuration;
use platform::answer::{PersonAnswer, RecentFeedbackAnswer};
use platform::mail::SuppressionList;
use platform::store::{FeedbackCursor, FeedbackCursorText, Store};
use platform::support::SupportStaff;
use platform::{Answer, Call, ConfigError, Operation, Platform, Problem};
use tokio::join;

#[derive(Debug)]
pub struct SupportFeedback {
    store: Store,
    suppression_list: SuppressionList,
    support: SupportStaff,
    pro_plans: ProPlans,
}

enum Asked {
    /// Everything about one person.
    Person(EmailAddress),
    /// Feedback about everybody's mail since a time.
    Recent(Timestamp, Option<FeedbackCursor>),
}

/// An address as people paste it into a query. There, an unescaped plus means a space.
struct PastedAddress(EmailAddress);

impl FromStr for PastedAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.trim().replace(' ', "+").parse().map(Self)
    }
}

/// How far back recent feedback goes by default.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Operation for SupportFeedback {
    const NAME: &'static str = "support-feedback";

    const LOGS_SUBJECT: bool = true;

    fn new(platform: &Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(platform)?,
            suppression_list: SuppressionList::new(platform),
            support: SupportStaff::new(&platform.environment)?,
            pro_plans: platform.environment.required("PRO_PLANS")?,
        })
    }

    async fn get_ready(&self) {
        self.store.connect().await;
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        self.support.admit(call)?;
        match parse(call)? {
            Asked::Person(email) => self.person(&email, call.now).await,
            Asked::Recent(since, from) => {
                let page = self.store.recent_feedback(since, from, call.now).await?;
                Answer::ok(&RecentFeedbackAnswer::new(&page))
            }
        }
    }
}

fn parse(call: &Call) -> Result<Asked, Problem> {
    let mut query = call.query();
    let email = query.optional("email").map(|PastedAddress(email)| email);
    let since: Option<Timestamp> = query.optional_time("since");
    let cursor: Option<FeedbackCursorText> = query.optional("cursor");
    query.finish(())?;
    let kept = call
        .now
        .saturating_sub(Feedback::LIFETIME)
        .unwrap_or(Timestamp::MIN);
    match email {
        None => {
            let recent = call.now.saturating_sub(RECENT).unwrap_or(Timestamp::MIN);
            let since = since.unwrap_or(recent).max(kept);
            Ok(Asked::Recent(since, cursor.map(FeedbackCursor::from)))
        }
        Some(_) if since.is_some() || cursor.is_some() => {
            let message = Invalid("cannot be combined with since or cursor");
            Err(Problem::invalid_field("email", message))
        }
        Some(email) => Ok(Asked::Person(email)),
    }
}

impl SupportFeedback {
    /// Reads everything about a person, side by side.
    async fn person(&self, email: &EmailAddress, now: Timestamp) -> Result<Answer, Problem> {
        let (memberships, feedback, suppression) = join!(
            self.store.memberships_at(email),
            self.store.feedback_of_person(email),
            self.suppression_list.look_up(email),
        );
        let (memberships, feedback) = (memberships?, feedback?);
        let seen: Vec<Case<'_>> = memberships
            .iter()
            .map(|seen| Case {
                account: &seen.account,
                member: &seen.member,
                said: said(&feedback, &seen.account, &seen.member),
            })
            .collect();
        let verdict = verdict(&seen, &suppression, &self.pro_plans, now);
        Answer::ok(&PersonAnswer::new(
            email,
            verdict,
            &suppression,
            &seen,
            &feedback,
            &self.pro_plans,
            now,
        ))
    }
}

/// The answer of the recipient's mail server to the newest mail to a person. Feedback comes newest
/// first.
fn said<'a>(feedback: &'a [Feedback], account: &Account, member: &Member) -> Option<&'a str> {
    feedback
        .iter()
        .filter(|report| report.send.account == account.id && report.send.member == member.id)
        .filter(|report| report.send.number == member.last_send)
        .find_map(|report| report.words.diagnostic.as_deref())
}
