//! Logs: one JSON object per line, with a sentence and its fields.
//!
//! A line never contains an address, a name, a token or a body. The fields in use: `request_id`,
//! `operation`, `account_id`, `member_id`, `former`, `by`, `at`, `subject`, `status`, `code`, `cause`,
//! `sns_message_id`, `outcome`, `why`; and what a call waited for: `dynamodbMs`, `dynamodbTries`, and
//! the same for `ses`, `eventbridge` and `issuer`.

use domain::id::{AccountId, MemberId};
use domain::member::Removal;
use http::StatusCode;
use tracing::{Level, Subscriber, error, info, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock::Clock;
use crate::config::{ConfigError, Environment};
use crate::dependency::{Wait, Waits};
use crate::metrics::{self, EmbeddedMetrics, Metric};
use crate::problem::Problem;

/// Starts the log, then runs `build`.
///
/// # Errors
///
/// If the configuration is wrong. The error is also logged here, because Lambda would show it as
/// plain text, and queries for errors would miss it.
pub(crate) fn start<T>(
    operation: &'static str,
    build: impl FnOnce(Environment) -> Result<T, ConfigError>,
) -> Result<T, lambda_http::Error> {
    let environment = Environment::of_this_process();
    let writes = subscriber(&environment, Clock::system(), std::io::stdout);
    let logs = writes.map(SubscriberInitExt::init).inspect_err(|_| {
        let lines = lines(Level::INFO, std::io::stdout);
        tracing_subscriber::registry().with(lines).init();
    });
    let started = logs.and_then(|()| build(environment));
    started.map_err(|error| {
        error!(operation, cause = %error, "the function cannot start");
        error.into()
    })
}

/// Writes the lines of a deployed function: its log and its metrics.
///
/// Only our own crates write to it: the SDK's debug lines contain what it sends.
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
    let metrics = EmbeddedMetrics {
        stage: environment.required("STAGE")?,
        clock,
        writer: writer.clone(),
    };
    Ok(tracing_subscriber::registry()
        .with(lines(level, writer))
        .with(metrics.with_filter(only(metrics::TARGET, Level::INFO))))
}

fn lines<S, W>(level: Level, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(only("platform", level))
}

fn only(target: &str, level: Level) -> Targets {
    let targets = Targets::new().with_target(target, level);
    targets.with_default(LevelFilter::OFF)
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggedCall<'a> {
    pub(crate) operation: &'static str,
    /// The request's id for API Gateway, the caller and the log.
    pub(crate) request_id: &'a str,
    /// The account that the call concerns, if known.
    pub(crate) account_id: Option<&'a AccountId>,
    /// The `sub` of the caller's ID token, if the log must name the caller.
    pub(crate) subject: Option<&'a str>,
    pub(crate) counted_as: Option<Metric>,
    pub(crate) waits: Waits,
}

/// Logs and counts the outcome of a call: one line per call in the log, and one in the metrics if
/// there is something to measure.
pub(crate) fn log_outcome(call: LoggedCall<'_>, outcome: Result<StatusCode, &Problem>) {
    let LoggedCall {
        operation,
        request_id,
        account_id,
        subject,
        counted_as,
        waits,
    } = call;
    let account_id = account_id.map(AccountId::as_str);
    let (code, status) = match outcome {
        Ok(status) => ("ok", status.as_u16()),
        Err(problem) => (problem.code().as_str(), problem.code().status().as_u16()),
    };
    /// A line about the call, with all known fields.
    macro_rules! line {
        ($level:ident, $cause:expr, $message:literal) => {
            $level!(
                operation,
                request_id,
                account_id,
                subject,
                status,
                code,
                cause = $cause,
                dynamodbMs = waits.dynamodb.map(Wait::milliseconds),
                dynamodbTries = waits.dynamodb.map(Wait::tries),
                sesMs = waits.ses.map(Wait::milliseconds),
                sesTries = waits.ses.map(Wait::tries),
                eventbridgeMs = waits.eventbridge.map(Wait::milliseconds),
                eventbridgeTries = waits.eventbridge.map(Wait::tries),
                issuerMs = waits.issuer.map(Wait::milliseconds),
                issuerTries = waits.issuer.map(Wait::tries),
                $message
            )
        };
    }
    match outcome {
        Ok(_) => line!(info, None::<&str>, "call answered"),
        Err(problem) if problem.is_failure() => {
            line!(error, problem.cause().unwrap_or("unknown"), "call failed");
            metrics::count_failure(operation);
        }
        Err(problem) => line!(info, problem.cause(), "call refused"),
    }
    metrics::count_call(counted_as, code, &waits);
}

/// Logs who lost access, and who took it away. After a restore of the table, these lines say which
/// removals to repeat (`docs/deploying.md`).
pub fn log_removal(account_id: &AccountId, member_id: &MemberId, removal: &Removal) {
    let (account_id, member_id) = (account_id.as_str(), member_id.as_str());
    let (by, at) = (removal.by.as_str(), removal.at.to_string());
    info!(account_id, member_id, by, at, "access was taken away");
}

/// Logs that an account has another owner.
pub fn log_handover(account_id: &AccountId, owner: &MemberId, former: &MemberId) {
    let (account_id, member_id) = (account_id.as_str(), owner.as_str());
    let former = former.as_str();
    info!(account_id, member_id, former, "the account was handed over");
}

/// Logs that a person now signs in through another identity provider.
pub fn log_new_identity(account_id: &AccountId, member_id: &MemberId) {
    let (account_id, member_id) = (account_id.as_str(), member_id.as_str());
    info!(account_id, member_id, "a member has a new identity");
}

/// Logs how one report of the mail system was handled, by its SNS message id. `why` is a fixed text, so
/// nothing from the report gets into the log.
pub fn log_feedback(sns_message_id: &str, outcome: &'static str, why: &'static str) {
    match outcome {
        "rejected" => warn!(
            sns_message_id,
            outcome, why, "feedback could not be understood"
        ),
        _ => info!(sns_message_id, outcome, why, "feedback was processed"),
    }
}
