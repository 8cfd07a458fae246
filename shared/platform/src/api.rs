//! From an HTTP event to its answer, the same for every operation of the API.

use std::convert::Infallible;
use std::time::Duration;

use domain::id::AccountId;
use lambda_http::{Body, Request, RequestExt, Response, service_fn};

use crate::answer::Answer;
use crate::aws::{DYNAMODB_TIMEOUTS, SES_TIMEOUTS};
use crate::call::{Call, request_id};
use crate::clock::Clock;
use crate::commit::LAST_ATTEMPT_BY;
use crate::config::ConfigError;
use crate::dependency::{Waits, measured};
use crate::metrics::Metric;
use crate::problem::Problem;
use crate::sign_in::SignIn;
use crate::store::LONGEST_READ;
use crate::telemetry::log_outcome;
use crate::{Platform, telemetry};

/// One operation of the API: a Lambda function behind API Gateway.
pub trait Operation: Sized + Send + Sync + 'static {
    /// In kebab case: the name of package, binary, event and test.
    const NAME: &'static str;

    /// Whether the log names the caller, for support staff who handle other people's data.
    const LOGS_SUBJECT: bool = false;

    /// Counts its calls by outcome.
    const COUNTED_AS: Option<Metric> = None;

    /// Reads the configuration from the platform.
    ///
    /// # Errors
    ///
    /// Names the environment variable that is missing or wrong.
    fn new(platform: &Platform) -> Result<Self, ConfigError>;

    /// Does what can be done before the first call: opens the connections that calls need. It must
    /// make no difference if that fails.
    fn get_ready(&self) -> impl Future<Output = ()> + Send;

    fn answer(&self, call: &Call) -> impl Future<Output = Result<Answer, Problem>> + Send;
}

/// The `main` of an operation: gets ready while Lambda lends a whole core, then answers events.
///
/// # Errors
///
/// If the configuration is wrong, or Lambda's runtime API fails.
pub async fn run<O: Operation>() -> Result<(), lambda_http::Error> {
    let endpoint: &Endpoint<O> = &telemetry::start(O::NAME, |environment| {
        Endpoint::new(Platform::deployed(environment)?)
    })?;
    endpoint.operation.get_ready().await;
    lambda_http::run(service_fn(async move |request| {
        Ok::<_, Infallible>(endpoint.serve(request).await)
    }))
    .await
}

/// An operation that takes calls.
#[derive(Debug)]
pub struct Endpoint<O> {
    operation: O,
    sign_in: SignIn,
    clock: Clock,
}

/// The longest time of a call, below the function's timeout (`template.yaml`): a caller who waits
/// always gets an answer from us, and the log gets a line.
pub const LONGEST_CALL: Duration = Duration::from_secs(14);

/// The slowest possible call fits in: its last attempt, the mail, and writing down that the mail
/// failed. A committed call is answered as such.
const _: () = {
    let [_, request] = DYNAMODB_TIMEOUTS;
    let [_, mail] = SES_TIMEOUTS;
    let (read, commit, failure) = (LONGEST_READ, request, request);
    let last_attempt = LAST_ATTEMPT_BY.saturating_add(read).saturating_add(commit);
    let slowest = last_attempt.saturating_add(mail).saturating_add(failure);
    assert!(slowest.as_millis() < LONGEST_CALL.as_millis());
};

impl<O: Operation> Endpoint<O> {
    /// Configures the operation.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing or wrong.
    pub fn new(platform: Platform) -> Result<Self, ConfigError> {
        Ok(Self {
            operation: O::new(&platform)?,
            sign_in: SignIn::new(&platform.environment)?,
            clock: platform.clock,
        })
    }

    /// Answers one event and logs the outcome, once.
    pub async fn serve(&self, request: Request) -> Response<Body> {
        let request_id = request_id(&request);
        let path_account = path_account(&request);
        let call = Call::new(request, &self.sign_in, self.clock.now());
        let (outcome, account_id, subject, waits) = match call {
            Ok(call) => {
                // Boxed: its 20 KB would be copied each time that a future around it moves.
                let answered = Box::pin(self.operation.answer(&call));
                let (answered, waits) =
                    measured(tokio::time::timeout(LONGEST_CALL, answered)).await;
                let outcome = answered
                    .unwrap_or_else(|_| Err(Problem::unavailable("the call took too long")));
                let account_id = call.account().cloned().or(path_account);
                let subject = O::LOGS_SUBJECT.then_some(call.caller.identity.subject);
                (outcome, account_id, subject, waits)
            }
            Err(problem) => (Err(problem), path_account, None, Waits::default()),
        };
        let call = telemetry::LoggedCall {
            operation: O::NAME,
            request_id: &request_id,
            account_id: account_id.as_ref(),
            subject: subject.as_deref(),
            counted_as: O::COUNTED_AS,
            waits,
        };
        log_outcome(call, outcome.as_ref().map(Answer::status));
        match outcome {
            Ok(answer) => answer.into_response(&request_id),
            Err(problem) => problem.into_response(&request_id),
        }
    }
}

/// The account that the path names, for the log. None, if the text is not an id: callers write
/// paths.
fn path_account(request: &Request) -> Option<AccountId> {
    request
        .path_parameters_ref()?
        .first("accountId")?
        .parse()
        .ok()
}
