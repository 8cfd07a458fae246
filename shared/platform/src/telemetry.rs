//! Logs: one JSON object a line, a sentence and its fields.
//!
//! A line never holds an address, a name, a token or a body. The fields in use: `request_id`,
//! `operation`, `account_id`, `member_id`, `subject`, `status`, `code`, `cause`, `sns_message_id`,
//! `outcome`, `why`.

use domain::id::{AccountId, MemberId};
use http::StatusCode;
use tracing::{Level, Subscriber, error, info, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::Clock;
use crate::config::{ConfigError, Environment};
use crate::metrics::{self, EmbeddedMetrics};
use crate::problem::{Code, Problem};

/// Starts logging to standard output at the level that `AWS_LAMBDA_LOG_LEVEL` names
/// ([Lambda's logging configuration](https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html)).
///
/// # Errors
///
/// Names the variable that is missing or wrong.
pub fn init(environment: &Environment) -> Result<(), ConfigError> {
    subscriber(environment, Clock::system(), std::io::stdout)?.init();
    Ok(())
}

/// What writes the lines of a deployed function: its log, and its metrics among them.
///
/// Only our own crates are heard: the SDK's debug lines hold what it sends.
///
/// # Errors
///
/// Names the variable that is missing or wrong.
pub fn subscriber<W>(
    environment: &Environment,
    clock: Clock,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + 'static, ConfigError>
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let level: Level = environment
        .optional("AWS_LAMBDA_LOG_LEVEL")?
        .unwrap_or(Level::INFO);
    let only = |target: &str, level: Level| {
        let targets = Targets::new().with_target(target, level);
        targets.with_default(LevelFilter::OFF)
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer.clone());
    let metrics = EmbeddedMetrics {
        stage: environment.required("STAGE")?,
        clock,
        writer,
    };
    Ok(tracing_subscriber::registry()
        .with(lines.with_filter(only("platform", level)))
        .with(metrics.with_filter(only(metrics::TARGET, Level::INFO))))
}

/// Which call a line is about.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation's name.
    pub operation: &'static str,
    /// The id under which API Gateway, the caller and the log know the request.
    pub request_id: &'a str,
    /// The account that the call is about, if that is known.
    pub account_id: Option<&'a AccountId>,
    /// The `sub` of the caller's ID token, where the log is to say who it was.
    pub subject: Option<&'a str>,
}

/// Logs how a call ended: one line a call.
pub fn log_outcome(call: Call<'_>, outcome: Result<StatusCode, &Problem>) {
    let Call {
        operation,
        request_id,
        account_id,
        subject,
    } = call;
    let account_id = account_id.map(AccountId::as_str);
    match outcome {
        Ok(status) => {
            let status = status.as_u16();
            info!(
                operation,
                request_id,
                account_id,
                subject,
                status,
                code = "ok",
                "call answered"
            );
        }
        Err(problem) => {
            let (code, status) = (problem.code().as_str(), problem.code().status().as_u16());
            match problem.code() {
                Code::Internal | Code::Unavailable => {
                    let cause = problem.cause().unwrap_or("unknown");
                    error!(
                        operation,
                        request_id, account_id, subject, status, code, cause, "call failed"
                    );
                }
                _ => {
                    let cause = problem.cause();
                    info!(
                        operation,
                        request_id, account_id, subject, status, code, cause, "call refused"
                    );
                }
            }
        }
    }
}

/// Logs and counts that access was taken away. After a restore of the table, removals are done again
/// by these lines (`docs/deploying.md`).
pub fn log_removal(account_id: &AccountId, member_id: &MemberId) {
    let (account_id, member_id) = (account_id.as_str(), member_id.as_str());
    info!(account_id, member_id, "access was taken away");
    metrics::count_removal();
}

/// Logs what became of one report of the mail system, by its message id at SNS. `why` is ours:
/// nothing of the report goes into the log.
pub fn log_feedback(sns_message_id: &str, outcome: &'static str, why: &'static str) {
    match outcome {
        "rejected" => warn!(
            sns_message_id,
            outcome, why, "a report cannot be understood"
        ),
        _ => info!(sns_message_id, outcome, why, "a report was taken"),
    }
}
