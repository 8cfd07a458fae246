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
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
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
            SendFailure::RecipientNotVerified => "recipient_not_verified",
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
        // A count that cannot be written is not worth a failed call.
        if let Ok(line) = count.embedded(&self.stage, self.clock.now().as_millisecond()) {
            let _ = self.writer.make_writer().write_all(line.as_bytes());
        }
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
    fn embedded(&self, stage: &str, milliseconds: i64) -> serde_json::Result<String> {
        let by_dimension = self.dimension.as_deref().map(|name| ["stage", name]);
        let total: &[&str] = &["stage"];
        let dimensions: Vec<&[&str]> = std::iter::once(total)
            .chain(by_dimension.as_ref().map(<[&str; 2]>::as_slice))
            .collect();
        let line = Line {
            metadata: Metadata {
                timestamp: milliseconds,
                cloud_watch_metrics: [Directive {
                    namespace: NAMESPACE,
                    dimensions: &dimensions,
                    metrics: [Definition {
                        name: &self.metric,
                        unit: "Count",
                    }],
                }],
            },
            stage,
            count: self,
        };
        let mut line = serde_json::to_string(&line)?;
        line.push('\n');
        Ok(line)
    }
}

/// A line of the embedded metric format: what it measures, and the values of that and of its
/// dimensions under their names.
struct Line<'a> {
    metadata: Metadata<'a>,
    stage: &'a str,
    count: &'a Count,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: &'a [&'a [&'a str]],
    metrics: [Definition<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'a str,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Count {
            metric,
            dimension,
            value,
        } = self.count;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("_aws", &self.metadata)?;
        line.serialize_entry("stage", self.stage)?;
        if let Some(dimension) = dimension {
            line.serialize_entry(dimension, value)?;
        }
        line.serialize_entry(metric, &1)?;
        line.end()
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
