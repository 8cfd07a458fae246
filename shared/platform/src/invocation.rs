//! From an event to an outcome, for the operations that other services invoke directly.

use domain::Timestamp;
use domain::id::AccountId;
use lambda_http::lambda_runtime::{self, Diagnostic, LambdaEvent};
use lambda_http::{Error, service_fn};
use serde::Serialize;
use serde_json::Value;

use crate::api::LONGEST_CALL;
use crate::config::ConfigError;
use crate::dependency::measured;
use crate::metrics::Metric;
use crate::problem::Problem;
use crate::telemetry::{LoggedCall, log_outcome};
use crate::{Platform, telemetry};

/// One operation that is invoked with a JSON event: a Lambda function that is not behind API
/// Gateway.
pub trait Invocation: Sized + Send + Sync + 'static {
    /// In kebab case: the name of package, binary, event and test.
    const NAME: &'static str;

    /// Counts its events by outcome.
    const COUNTED_AS: Option<Metric> = None;

    /// The invoker receives this.
    type Outcome: Serialize + Send + 'static;

    /// Reads the configuration from the platform.
    ///
    /// # Errors
    ///
    /// Names the environment variable that is missing or wrong.
    fn new(platform: &Platform) -> Result<Self, ConfigError>;

    /// Does what can be done before the first event: opens the connections that every event needs.
    /// It must make no difference if that fails.
    fn get_ready(&self, _now: Timestamp) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Carries out an event, at the time `now`.
    ///
    /// An error makes Lambda try an asynchronous event again, and in the end keep it in the queue
    /// of lost events.
    fn invoke(
        &self,
        event: Value,
        now: Timestamp,
    ) -> impl Future<Output = Result<Self::Outcome, Problem>> + Send;

    /// The outcome of a refused event: the problem itself, unless the operation has an outcome that
    /// says no. A failure (`internal`, `unavailable`) is always an error of the invocation, so that
    /// Lambda counts it.
    ///
    /// # Errors
    ///
    /// The problem.
    fn on_refusal(problem: Problem) -> Result<Self::Outcome, Problem> {
        Err(problem)
    }

    /// The account that an outcome concerns, for the log.
    fn account(outcome: &Self::Outcome) -> Option<&AccountId>;
}

/// The `main` of an operation: gets ready while Lambda lends a whole core, then takes events.
///
/// # Errors
///
/// If the configuration is wrong, or Lambda's runtime API fails.
pub async fn run<O: Invocation>() -> Result<(), Error> {
    let (operation, clock) = telemetry::start(O::NAME, |environment| {
        let platform = Platform::deployed(environment)?;
        Ok((O::new(&platform)?, platform.clock))
    })?;
    operation.get_ready(clock.now()).await;
    let (operation, clock) = (&operation, &clock);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        serve(
            operation,
            &event.context.request_id,
            event.payload,
            clock.now(),
        )
        .await
        .map_err(|problem| diagnostic(&problem))
    }))
    .await
}

/// Carries out one event and logs the outcome, once.
///
/// # Errors
///
/// The operation's problem, or `unavailable` if it takes too long.
pub async fn serve<O: Invocation>(
    operation: &O,
    request_id: &str,
    event: Value,
    now: Timestamp,
) -> Result<O::Outcome, Problem> {
    // Boxed, because the compiler can't lay out futures that are nested so deeply.
    let invoked = Box::pin(operation.invoke(event, now));
    let (invoked, waits) = measured(tokio::time::timeout(LONGEST_CALL, invoked)).await;
    let outcome = invoked.unwrap_or_else(|_| Err(Problem::unavailable("the event took too long")));
    let account_id = outcome.as_ref().ok().and_then(O::account);
    let call = LoggedCall {
        operation: O::NAME,
        request_id,
        account_id,
        subject: None,
        counted_as: O::COUNTED_AS,
        waits,
    };
    log_outcome(call, outcome.as_ref().map(|_| http::StatusCode::OK));
    outcome.or_else(|problem| {
        if problem.is_failure() {
            Err(problem)
        } else {
            O::on_refusal(problem)
        }
    })
}

/// The function's error for a direct invocation, which the queue of lost events keeps.
fn diagnostic(problem: &Problem) -> Diagnostic {
    Diagnostic {
        error_type: problem.code().as_str().to_owned(),
        error_message: problem.detail().to_owned(),
    }
}
