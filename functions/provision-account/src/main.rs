//! The Lambda function `provision-account`.

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use platform::telemetry::{self, log_outcome};
use platform::{Platform, Problem};
use provision_account::{ProvisionAccount, Provisioned};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let platform = Platform::of_this_process()?;
    telemetry::init(&platform.environment)?;
    let operation = ProvisionAccount::new(&platform)?;
    operation.connect().await;
    let (operation, clock) = (&operation, &platform.clock);
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<Value>| {
        let outcome = operation.provision(event.payload, clock.now()).await;
        log(&event.context.request_id, &outcome);
        outcome.map_err(|problem| diagnostic(&problem))
    }))
    .await
}

fn log(request_id: &str, outcome: &Result<Provisioned, Problem>) {
    let account_id = outcome
        .as_ref()
        .map_or("", |provisioned| provisioned.account_id().as_str());
    let status = outcome.as_ref().map(|_| http::StatusCode::OK);
    log_outcome(ProvisionAccount::NAME, request_id, account_id, status);
}

/// What a direct invocation gets as the function's error, and the queue of lost events keeps.
fn diagnostic(problem: &Problem) -> Diagnostic {
    Diagnostic {
        error_type: problem.code().as_str().to_owned(),
        error_message: problem.detail().to_owned(),
    }
}
