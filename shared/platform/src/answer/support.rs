//! Answers for support.

use domain::Timestamp;
use domain::account::ProPlans;
use domain::address::EmailAddress;
use domain::feedback::{Feedback, FeedbackKind, Words};
use domain::id::{AccountId, FeedbackId, MemberId};
use domain::support::{Case, Suppression, SuppressionReason};
use serde::Serialize;

use super::{AccountAnswer, MemberAnswer};
use crate::store::{FeedbackCursor, FeedbackPage};

#[derive(Debug, Serialize)]
pub struct PersonAnswer {
    email: EmailAddress,
    verdict: String,
    suppression: SuppressionAnswer,
    accounts: Vec<MembershipAnswer>,
    feedback: Vec<FeedbackAnswer>,
}

/// What the mail service's suppression list says. `listed` is left out if that is unknown.
#[derive(Debug, Default, Serialize)]
struct SuppressionAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<SuppressionReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
struct MembershipAnswer {
    account: AccountAnswer,
    member: MemberAnswer,
    verdict: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FeedbackAnswer {
    id: FeedbackId,
    at: Timestamp,
    email: EmailAddress,
    account_id: AccountId,
    member_id: MemberId,
    send: u32,
    kind: FeedbackKind,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    #[serde(flatten)]
    words: Words,
}

impl PersonAnswer {
    #[must_use]
    pub fn new(
        email: &EmailAddress,
        verdict: String,
        suppression: &Suppression,
        cases: &[Case<'_>],
        feedback: &[Feedback],
        pro_plans: &ProPlans,
        now: Timestamp,
    ) -> Self {
        let membership = |case: &Case<'_>| MembershipAnswer {
            account: AccountAnswer::new(case.account, pro_plans),
            member: MemberAnswer::new(case.member, now),
            verdict: case.verdict(suppression, pro_plans, now),
        };
        Self {
            email: email.clone(),
            verdict,
            suppression: SuppressionAnswer::new(suppression),
            accounts: cases.iter().map(membership).collect(),
            feedback: feedback.iter().map(FeedbackAnswer::new).collect(),
        }
    }
}

impl SuppressionAnswer {
    fn new(suppression: &Suppression) -> Self {
        match suppression {
            Suppression::Unknown => Self::default(),
            Suppression::NotListed => Self {
                listed: Some(false),
                ..Self::default()
            },
            Suppression::Listed { reason, since } => Self {
                listed: Some(true),
                reason: Some(*reason),
                since: *since,
            },
        }
    }
}

impl FeedbackAnswer {
    fn new(feedback: &Feedback) -> Self {
        Self {
            id: feedback.id.clone(),
            at: feedback.at,
            email: feedback.email.clone(),
            account_id: feedback.send.account.clone(),
            member_id: feedback.send.member.clone(),
            send: feedback.send.number,
            kind: feedback.kind,
            status: feedback.status.name(),
            reason: feedback.status.reason(),
            advice: feedback.status.advice(),
            words: feedback.words.clone(),
        }
    }
}

/// Recent reports of the mail system, about everybody's mail.
#[derive(Debug, Serialize)]
pub struct RecentFeedbackAnswer {
    feedback: Vec<FeedbackAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl RecentFeedbackAnswer {
    #[must_use]
    pub fn new(page: &FeedbackPage) -> Self {
        Self {
            feedback: page.feedback.iter().map(FeedbackAnswer::new).collect(),
            cursor: page.next.as_ref().map(FeedbackCursor::to_text),
        }
    }
}

/// The answer after everything that kept mail from an address was lifted.
#[derive(Debug, Serialize)]
pub struct LiftAnswer {
    email: EmailAddress,
    lifted: bool,
}

impl LiftAnswer {
    #[must_use]
    pub fn new(email: &EmailAddress) -> Self {
        Self {
            email: email.clone(),
            lifted: true,
        }
    }
}
