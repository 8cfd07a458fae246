//! Errors of requests to the table.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::cause;

/// Why a request to the table failed. The texts are for the log.
#[derive(Debug)]
pub enum StoreError {
    /// DynamoDB did not answer in time, or is throttling. Trying again later helps.
    Unavailable(String),
    /// The request or the data are wrong. Trying again does not help.
    Broken(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(cause) | Self::Broken(cause) => f.write_str(cause),
        }
    }
}

impl std::error::Error for StoreError {}

/// Distinguishes transient errors from permanent ones. DynamoDB's client errors (HTTP 400) are permanent,
/// except for throttling and conflicts
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
pub(super) fn unanswered<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> StoreError {
    const TRANSIENT: [&str; 6] = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ReplicatedWriteConflictException",
    ];
    let is_permanent = match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or_default();
            service.raw().status().is_client_error() && !TRANSIENT.contains(&code)
        }
        SdkError::ConstructionFailure(_) => true,
        _ => false,
    };
    if is_permanent {
        StoreError::Broken(cause(error))
    } else {
        StoreError::Unavailable(cause(error))
    }
}
