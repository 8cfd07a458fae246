//! Metrics: what happened, counted.
//!
//! A count is an event of `tracing`, like a line of the log. A deployed function writes it to
//! standard output in CloudWatch's embedded metric format, and CloudWatch takes it from there: no
//! request is made and nothing waits.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! `docs/operating.md` says what each metric tells. Each distinct combination of a metric and its
//! dimensions is paid for, so nothing is counted by account or person.

use std::fmt;
use std::io::Write;

use domain::bounce::Permanence;
use domain::delivery::{DeliveryStatus, SendFailure};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, info};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

use crate::clock::Clock;
use crate::problem::Problem;

/// What a count's event is about, in place of a module.
pub(crate) const TARGET: &str = "metrics";

/// The namespace of all metrics at CloudWatch.
pub const NAMESPACE: &str = "Rollcall";

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Calls of `POST /login`, by `code`: that of the problem, or `ok`.
    Logins,
    /// First mails of invites that the mail service took.
    InvitesSent,
    /// Further mails of invites that the mail service took.
    InvitesResent,
    /// Mails that the mail service did not take, by `reason`.
    InvitesFailed,
    /// First logins with the link of an invite.
    InvitesAccepted,
    /// People who were removed, and invites that were cancelled.
    Removals,
    /// Mails that came back, by `type`: `permanent` or `transient`.
    Bounces,
    /// Automatic replies to invites.
    AutoReplies,
    /// Mails that somebody complained about.
    Complaints,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Logins,
        Self::InvitesSent,
        Self::InvitesResent,
        Self::InvitesFailed,
        Self::InvitesAccepted,
        Self::Removals,
        Self::Bounces,
        Self::AutoReplies,
        Self::Complaints,
    ];

    /// Its name at CloudWatch.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logins => "Logins",
            Self::InvitesSent => "InvitesSent",
            Self::InvitesResent => "InvitesResent",
            Self::InvitesFailed => "InvitesFailed",
            Self::InvitesAccepted => "InvitesAccepted",
            Self::Removals => "Removals",
            Self::Bounces => "Bounces",
            Self::AutoReplies => "AutoReplies",
            Self::Complaints => "Complaints",
        }
    }

    /// The dimension that it is counted by, beside the stage, if there is one.
    #[must_use]
    pub fn dimension(self) -> Option<&'static str> {
        match self {
            Self::Logins => Some("code"),
            Self::InvitesFailed => Some("reason"),
            Self::Bounces => Some("type"),
            Self::InvitesSent
            | Self::InvitesResent
            | Self::InvitesAccepted
            | Self::Removals
            | Self::AutoReplies
            | Self::Complaints => None,
        }
    }

    fn count(self, value: &'static str) {
        let (metric, dimension) = (self.name(), self.dimension());
        info!(target: TARGET, metric, dimension, value, "counted");
    }
}

/// Counts a call by how it ended.
pub(crate) fn count_call<T>(metric: Metric, outcome: Result<T, &Problem>) {
    metric.count(outcome.map_or_else(|problem| problem.code().as_str(), |_| "ok"));
}

/// Counts a mail that the mail service took, or did not take; the first one of an invite has the
/// number 1.
pub(crate) fn count_send(number: u32, outcome: Result<(), SendFailure>) {
    match outcome {
        Ok(()) if number == 1 => Metric::InvitesSent.count(""),
        Ok(()) => Metric::InvitesResent.count(""),
        Err(failure) => Metric::InvitesFailed.count(match failure {
            SendFailure::NoAnswer => "no_answer",
            SendFailure::MessageRejected => "message_rejected",
            SendFailure::SenderNotVerified => "sender_not_verified",
            SendFailure::SendingPaused => "sending_paused",
            SendFailure::QuotaExceeded => "quota_exceeded",
            SendFailure::Misconfigured => "misconfigured",
        }),
    }
}

/// Counts an invite that was accepted.
pub fn count_acceptance() {
    Metric::InvitesAccepted.count("");
}

/// Counts a removal.
pub(crate) fn count_removal() {
    Metric::Removals.count("");
}

/// Counts what the mail system reported about a mail, if it is a reason to look.
pub fn count_feedback(status: &DeliveryStatus) {
    match status {
        DeliveryStatus::Bounced(bounce) => Metric::Bounces.count(match bounce.permanence {
            Permanence::Permanent => "permanent",
            Permanence::Transient => "transient",
        }),
        DeliveryStatus::AutoReplied => Metric::AutoReplies.count(""),
        DeliveryStatus::Complained { .. } => Metric::Complaints.count(""),
        DeliveryStatus::Sending
        | DeliveryStatus::Sent
        | DeliveryStatus::Delayed { .. }
        | DeliveryStatus::Delivered
        | DeliveryStatus::Rejected
        | DeliveryStatus::Failed { .. } => {}
    }
}

/// Writes counts in the embedded metric format.
pub(crate) struct EmbeddedMetrics<W> {
    pub(crate) stage: String,
    pub(crate) clock: Clock,
    pub(crate) writer: W,
}

impl<S, W> Layer<S> for EmbeddedMetrics<W>
where
    S: Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut count = Count::default();
        event.record(&mut count);
        let line = count.embedded(&self.stage, self.clock.now().as_millisecond());
        // A count that cannot be written is not worth a failed call.
        let _ = self.writer.make_writer().write_all(line.as_bytes());
    }
}

/// The fields of a count's event.
#[derive(Default)]
struct Count {
    metric: String,
    dimension: Option<String>,
    value: String,
}

impl Count {
    /// One line. The total, and the part that the dimension tells.
    fn embedded(&self, stage: &str, milliseconds: i64) -> String {
        let mut dimensions = vec![vec!["stage"]];
        let mut line = Map::new();
        if let Some(dimension) = &self.dimension {
            dimensions.push(vec!["stage", dimension]);
            line.insert(dimension.clone(), json!(self.value));
        }
        let metadata = json!({
            "Timestamp": milliseconds,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": dimensions,
                "Metrics": [{ "Name": self.metric, "Unit": "Count" }],
            }],
        });
        line.insert("_aws".to_owned(), metadata);
        line.insert("stage".to_owned(), json!(stage));
        line.insert(self.metric.clone(), json!(1));
        format!("{}\n", Value::Object(line))
    }
}

impl Visit for Count {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => value.clone_into(&mut self.metric),
            "dimension" => self.dimension = Some(value.to_owned()),
            "value" => value.clone_into(&mut self.value),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
