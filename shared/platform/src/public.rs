//! From an HTTP event to its answer, for operations that need no sign-in.

use std::convert::Infallible;

use lambda_http::{Body, Request, Response, service_fn};

use crate::call::request_id;
use crate::config::{ConfigError, Environment};
use crate::dependency::Waits;
use crate::problem::Problem;
use crate::telemetry;
use crate::telemetry::log_outcome;

/// One operation that needs no caller: a Lambda function behind a route without authorizer.
///
/// It gets nothing of the platform but the environment, so it can't reach the table or send mail,
/// and needs no permission to.
pub trait PublicOperation: Sized + Send + Sync + 'static {
    /// In kebab case: the name of package, binary, event and test.
    const NAME: &'static str;

    /// Reads the configuration from the environment.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    fn new(environment: &Environment) -> Result<Self, ConfigError>;

    fn answer(&self, request: &Request) -> Result<Response<Body>, Problem>;
}

/// The `main` of a public operation.
///
/// # Errors
///
/// If the configuration is wrong, or Lambda's runtime API fails.
pub async fn run<O: PublicOperation>() -> Result<(), lambda_http::Error> {
    let operation = &telemetry::start(O::NAME, |environment| O::new(&environment))?;
    lambda_http::run(service_fn(async move |request| {
        Ok::<_, Infallible>(serve(operation, &request))
    }))
    .await
}

/// Answers one event and logs the outcome, once.
pub fn serve<O: PublicOperation>(operation: &O, request: &Request) -> Response<Body> {
    let request_id = request_id(request);
    let outcome = operation.answer(request);
    let call = telemetry::LoggedCall {
        operation: O::NAME,
        request_id: &request_id,
        account_id: None,
        subject: None,
        counted_as: None,
        waits: Waits::default(),
    };
    log_outcome(call, outcome.as_ref().map(Response::status));
    outcome.unwrap_or_else(|problem| problem.into_response(&request_id))
}
