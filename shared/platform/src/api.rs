//! From an HTTP event to its answer, the same for every operation of the API.

use std::convert::Infallible;

use lambda_http::{Body, Request, RequestExt, Response, service_fn};

use crate::answer::Answer;
use crate::call::{Call, request_id};
use crate::clock::Clock;
use crate::config::ConfigError;
use crate::problem::Problem;
use crate::store::Store;
use crate::telemetry::log_outcome;
use crate::{Platform, telemetry};

/// One operation of the API: a Lambda function behind API Gateway.
pub trait Operation: Sized + Send + Sync + 'static {
    /// Its one name, in kebab case: package, binary, event and test are called so.
    const NAME: &'static str;

    /// Reads what the operation needs to know from the platform.
    ///
    /// # Errors
    ///
    /// Names the environment variable that is missing or wrong.
    fn new(platform: &Platform) -> Result<Self, ConfigError>;

    /// Carries out one call.
    fn answer(&self, call: &Call) -> impl Future<Output = Result<Answer, Problem>> + Send;
}

/// The `main` of an operation: gets ready while Lambda lends a whole core, then answers events.
///
/// # Errors
///
/// What is wrong with the configuration, or with Lambda's runtime API.
pub async fn run<O: Operation>() -> Result<(), lambda_http::Error> {
    let platform = Platform::of_this_process()?;
    telemetry::init(&platform.environment)?;
    let operation = O::new(&platform)?;
    Store::new(&platform)?.connect().await;
    let (operation, clock) = (&operation, &platform.clock);
    lambda_http::run(service_fn(async move |request| {
        Ok::<_, Infallible>(serve(operation, clock, request).await)
    }))
    .await
}

/// Answers one event and logs how it went, once.
pub async fn serve<O: Operation>(operation: &O, clock: &Clock, request: Request) -> Response<Body> {
    let request_id = request_id(&request);
    let account_id = account_id(&request);
    let outcome = match Call::new(request, clock.now()) {
        Ok(call) => operation.answer(&call).await,
        Err(problem) => Err(problem),
    };
    log_outcome(
        O::NAME,
        &request_id,
        &account_id,
        outcome.as_ref().map(Answer::status),
    );
    match outcome {
        Ok(answer) => answer.into_response(&request_id),
        Err(problem) => problem.into_response(&request_id),
    }
}

/// The account that the path names, for the log: only if it is an id, since callers write paths.
fn account_id(request: &Request) -> String {
    request
        .path_parameters_ref()
        .and_then(|parameters| parameters.first("accountId"))
        .and_then(|text| text.parse::<domain::id::AccountId>().ok())
        .map_or_else(String::new, Into::into)
}
