//! Metrics: counts of what happened.
//!
//! A count is an event of `tracing`, like a line of the log. A deployed function writes it to
//! standard output in CloudWatch's embedded metric format, and CloudWatch takes it from there,
//! without a request and without waiting.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! `docs/operating.md` explains each metric. Each distinct combination of a metric and its
//! dimensions costs money, so nothing is counted by account or person.

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
use crate::dependency::{Wait, Waits};

/// The target of counts, in place of a module.
pub(crate) const TARGET: &str = "metrics";

pub const NAMESPACE: &str = "Rollcall";

/// One line a metric: what it counts, its name at CloudWatch, and the dimension that it is counted by, beside
/// the stage, if there is one.
macro_rules! metrics {
    ($($(#[doc = $about:literal])+ $metric:ident $($dimension:literal)?,)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $($(#[doc = $about])+ $metric,)+
        }

        impl Metric {
            pub const ALL: &'static [Self] = &[$(Self::$metric,)+];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$metric => stringify!($metric),)+ }
            }

            #[must_use]
            pub fn dimension(self) -> Option<&'static str> {
                match self { $(Self::$metric => None$(.or(Some($dimension)))?,)+ }
            }
        }
    };
}

metrics! {
    /// Calls of `POST /login`, by `code`: that of the problem, or `ok`.
    Logins "code",
    /// What the guard said about requests to the product's API, by `code`.
    Verdicts "code",
    /// Calls that failed through no fault of the caller, by `operation`: those that ended with
    /// `internal` or `unavailable`.
    Failures "operation",
    /// First mails of invites that the mail service took.
    InvitesSent,
    /// Further mails of invites that the mail service took.
    InvitesResent,
    /// Mails that the mail service did not take, by `reason`.
    InvitesFailed "reason",
    /// First logins with the link of an invite.
    InvitesAccepted,
    /// People who were removed, and invites that were cancelled.
    Removals,
    /// Mails that came back, by `type`: `permanent` or `transient`.
    Bounces "type",
    /// Automatic replies to invites.
    AutoReplies,
    /// Mails that the recipient complained about.
    Complaints,
}

impl Metric {
    fn count(self, value: &'static str) {
        let (metric, dimension) = (self.name(), self.dimension());
        info!(target: TARGET, metric, dimension, value, "counted");
    }
}

/// Counts a call by its outcome, if such calls are counted, and adds what it waited for. It is one
/// line, because every call writes it.
pub(crate) fn count_call(counted_as: Option<Metric>, code: &'static str, waits: &Waits) {
    let (metric, dimension) = (
        counted_as.map(Metric::name),
        counted_as.and_then(Metric::dimension),
    );
    let value = counted_as.map(|_| code);
    let [dynamodb, ses, eventbridge, issuer] =
        [waits.dynamodb, waits.ses, waits.eventbridge, waits.issuer]
            .map(|wait| wait.map(Wait::milliseconds));
    info!(
        target: TARGET,
        metric,
        dimension,
        value,
        dynamodbMs = dynamodb,
        sesMs = ses,
        eventbridgeMs = eventbridge,
        issuerMs = issuer,
        "counted"
    );
}

pub(crate) fn count_failure(operation: &'static str) {
    Metric::Failures.count(operation);
}

/// Counts a mail that the mail service accepted or refused. The first mail of an invite has the
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

pub fn count_acceptance() {
    Metric::InvitesAccepted.count("");
}

pub fn count_removals(removals: usize) {
    for _ in 0..removals {
        Metric::Removals.count("");
    }
}

/// Counts a report about a mail, if it can be a reason to look.
pub fn count_feedback(status: &DeliveryStatus) {
    match status {
        DeliveryStatus::Bounced(bounce) => Metric::Bounces.count(match bounce.cause.permanence() {
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

/// Writes counts and times in the embedded metric format.
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
        let mut measured = Measured::default();
        event.record(&mut measured);
        if measured.is_empty() {
            return;
        }
        // A failed count must not fail the call.
        if let Ok(line) = measured.embedded(&self.stage, self.clock.now().as_millisecond()) {
            let _ = self.writer.make_writer().write_all(line.as_bytes());
        }
    }
}

/// The fields of an event: a count, times, or both.
#[derive(Default)]
struct Measured {
    metric: String,
    dimension: Option<String>,
    value: String,
    /// The call's waits, in milliseconds.
    times: Vec<(&'static str, f64)>,
}

impl Measured {
    fn is_empty(&self) -> bool {
        self.metric.is_empty() && self.times.is_empty()
    }

    fn embedded(&self, stage: &str, milliseconds: i64) -> serde_json::Result<String> {
        let by_stage: &[&str] = &["stage"];
        let by_dimension = self.dimension.as_deref().map(|name| ["stage", name]);
        let mut directives = Vec::new();
        if !self.metric.is_empty() {
            // The total, and the part for the dimension's value.
            let parts = by_dimension.as_ref().map(<[&str; 2]>::as_slice);
            directives.push(Directive {
                namespace: NAMESPACE,
                dimensions: std::iter::once(by_stage).chain(parts).collect(),
                metrics: vec![Definition {
                    name: &self.metric,
                    unit: "Count",
                }],
            });
        }
        if !self.times.is_empty() {
            let definition = |(name, _): &(&'static str, f64)| Definition {
                name,
                unit: "Milliseconds",
            };
            directives.push(Directive {
                namespace: NAMESPACE,
                dimensions: vec![by_stage],
                metrics: self.times.iter().map(definition).collect(),
            });
        }
        let line = Line {
            metadata: Metadata {
                timestamp: milliseconds,
                cloud_watch_metrics: directives,
            },
            stage,
            measured: self,
        };
        let mut line = serde_json::to_string(&line)?;
        line.push('\n');
        Ok(line)
    }
}

/// A line of the embedded metric format: its metrics, and the values of metrics and dimensions
/// under their names.
struct Line<'a> {
    metadata: Metadata<'a>,
    stage: &'a str,
    measured: &'a Measured,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: Vec<&'a [&'a str]>,
    metrics: Vec<Definition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'a str,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Measured {
            metric,
            dimension,
            value,
            times,
        } = self.measured;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("_aws", &self.metadata)?;
        line.serialize_entry("stage", self.stage)?;
        if let Some(dimension) = dimension {
            line.serialize_entry(dimension, value)?;
        }
        if !metric.is_empty() {
            line.serialize_entry(metric, &1)?;
        }
        for (name, milliseconds) in times {
            line.serialize_entry(name, milliseconds)?;
        }
        line.end()
    }
}

impl Visit for Measured {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => value.clone_into(&mut self.metric),
            "dimension" => self.dimension = Some(value.to_owned()),
            "value" => value.clone_into(&mut self.value),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, milliseconds: f64) {
        self.times.push((field.name(), milliseconds));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
