//! Access to AWS, set up for a short cold start.
//!
//! Credentials and region come from the environment variables that Lambda sets, so no provider
//! chain is linked. TLS is `ring`: `aws-lc` as the SDK brings it spends half a second of CPU time on
//! entropy in a small function. The certificates that AWS endpoints chain to are part of the
//! binary, so no certificate store is read. See `docs/decisions`.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::config::{ConfigError, Environment};
use crate::dependency::{Dependency, measured_client};

/// Amazon Root CA 1 to 4 and Starfield Services Root CA G2, which every AWS endpoint chains to
/// (<https://www.amazontrust.com/repository/>).
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Longest time for one try of a DynamoDB request, and of all its tries.
pub const DYNAMODB_TIMEOUTS: [Duration; 2] =
    [Duration::from_millis(1_000), Duration::from_millis(2_000)];

/// The same limits for SES.
pub const SES_TIMEOUTS: [Duration; 2] =
    [Duration::from_millis(3_000), Duration::from_millis(4_500)];

/// A client of one of the SDK's crates: the settings are the same, but each crate has its own
/// types.
macro_rules! client {
    ($sdk:ident, $dependency:ident, $aws:expr, $endpoint:expr, $timeouts:expr) => {{
        let http_client = $aws.http_client.clone();
        let mut config = $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new($aws.region.clone()))
            .credentials_provider($aws.credentials.clone())
            .http_client(measured_client(http_client, Dependency::$dependency))
            .retry_config(retries())
            .timeout_config(timeouts($timeouts))
            .sleep_impl($aws.sleep.clone());
        config.set_endpoint_url($endpoint.clone());
        config.set_retry_partition($aws.retry_partition.clone());
        $sdk::Client::from_conf(config.build())
    }};
}

/// Region, credentials and the HTTP client that all service clients share.
#[derive(Clone)]
pub struct Aws {
    region: String,
    credentials: Credentials,
    http_client: SharedHttpClient,
    sleep: SharedAsyncSleep,
    retry_partition: Option<RetryPartition>,
    dynamodb_endpoint: Option<String>,
    ses_endpoint: Option<String>,
    eventbridge_endpoint: Option<String>,
}

impl Aws {
    /// Reads `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and
    /// what AWS's own tools understand too: `AWS_ENDPOINT_URL_DYNAMODB`,
    /// `AWS_ENDPOINT_URL_SESV2`, `AWS_ENDPOINT_URL_EVENTBRIDGE` and `AWS_CA_BUNDLE` (a PEM file to
    /// trust in place of Amazon's certificates, for a proxy).
    ///
    /// # Errors
    ///
    /// Names the variable that is missing, or the bundle that cannot be read.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let roots = match environment.optional::<String>("AWS_CA_BUNDLE")? {
            Some(path) => std::fs::read(path).map_err(|error| {
                ConfigError::new(
                    "AWS_CA_BUNDLE",
                    format!("does not name a readable file: {error}"),
                )
            })?,
            None => AMAZON_ROOTS.to_vec(),
        };
        Self::with_http_client(environment, https_client(roots))
    }

    /// The same with another HTTP client, which sees every request.
    ///
    /// # Errors
    ///
    /// Names the variable that is missing.
    pub fn with_http_client(
        environment: &Environment,
        http_client: SharedHttpClient,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            region: environment.required("AWS_REGION")?,
            credentials: Credentials::new(
                environment.required::<String>("AWS_ACCESS_KEY_ID")?,
                environment.required::<String>("AWS_SECRET_ACCESS_KEY")?,
                environment.optional("AWS_SESSION_TOKEN")?,
                None,
                "environment",
            ),
            http_client,
            sleep: SharedAsyncSleep::new(TokioSleep::new()),
            retry_partition: None,
            dynamodb_endpoint: environment.optional("AWS_ENDPOINT_URL_DYNAMODB")?,
            ses_endpoint: environment.optional("AWS_ENDPOINT_URL_SESV2")?,
            eventbridge_endpoint: environment.optional("AWS_ENDPOINT_URL_EVENTBRIDGE")?,
        })
    }

    /// The same with another way to wait, for timeouts and between tries. Its retries need no budget:
    /// otherwise, all clients of a process share one.
    #[must_use]
    pub fn with_sleep(self, sleep: SharedAsyncSleep) -> Self {
        let unlimited = RetryPartition::custom("unlimited").token_bucket(TokenBucket::unlimited());
        Self {
            sleep,
            retry_partition: Some(unlimited.build()),
            ..self
        }
    }

    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        client!(
            aws_sdk_dynamodb,
            DynamoDb,
            self,
            &self.dynamodb_endpoint,
            DYNAMODB_TIMEOUTS
        )
    }

    /// Nobody waits for EventBridge, so it may take as long as SES.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        client!(
            aws_sdk_eventbridge,
            EventBridge,
            self,
            &self.eventbridge_endpoint,
            SES_TIMEOUTS
        )
    }

    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        client!(aws_sdk_sesv2, Ses, self, &self.ses_endpoint, SES_TIMEOUTS)
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// An HTTP client that trusts the given certificates and nothing else.
#[must_use]
pub fn https_client(roots: Vec<u8>) -> SharedHttpClient {
    trusting(TrustStore::empty().with_pem_certificate(roots))
}

/// An HTTP client that trusts the system's certificates, for servers that are not AWS's. Lambda's
/// runtime brings the list and keeps it up to date. Reading it takes some milliseconds, once.
pub(crate) fn https_client_with_system_roots() -> SharedHttpClient {
    trusting(TrustStore::empty().with_native_roots(true))
}

fn trusting(trust_store: TrustStore) -> SharedHttpClient {
    let tls = TlsContext::builder().with_trust_store(trust_store).build();
    let builder =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match tls {
        Ok(tls) => builder.tls_context(tls).build_https(),
        Err(_) => builder.build_https(),
    }
}

/// Three tries in all, close together: DynamoDB answers in milliseconds, and a caller waits.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(50))
}

fn timeouts([attempt, operation]: [Duration; 2]) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// Why a request failed, fit for a log: the service's error code and request id, or how the
/// connection failed. The service's message stays out: SES and DynamoDB quote addresses and keys in
/// theirs.
pub fn cause<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unknown error");
            let status = service.raw().status().as_u16();
            let request_id = service
                .raw()
                .headers()
                .get("x-amzn-requestid")
                .unwrap_or("none");
            format!("{code}, HTTP status {status}, AWS request id {request_id}")
        }
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => {
            let connector = failure.as_connector_error();
            let reason = connector.map_or("unknown".to_owned(), |error| sources(error));
            format!("no connection: {reason}")
        }
        SdkError::ResponseError(_) => "the answer could not be read".to_owned(),
        SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
        _ => "an unknown failure".to_owned(),
    }
}

fn sources(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use tokio::time::Instant;

    use super::{Aws, DYNAMODB_TIMEOUTS, SES_TIMEOUTS};
    use crate::config::Environment;

    #[derive(Debug)]
    struct Silence;

    impl HttpConnector for Silence {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    async fn how_long(call: impl Future) -> Duration {
        let begun = Instant::now();
        call.await;
        begun.elapsed()
    }

    /// The clock jumps to the end of every wait.
    #[tokio::test(start_paused = true)]
    async fn a_service_that_never_answers_is_given_up_on_time() {
        let variables = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let variables = variables.map(|name| (name.to_owned(), "x".to_owned()));
        let silence = http_client_fn(|_, _| SharedHttpConnector::new(Silence));
        let environment = Environment::of(variables.into());
        let aws = Aws::with_http_client(&environment, SharedHttpClient::new(silence)).unwrap();

        let [_, longest] = DYNAMODB_TIMEOUTS;
        let read = aws.dynamodb().list_tables().send();
        assert_eq!(how_long(read).await, longest);
        let [_, longest] = SES_TIMEOUTS;
        assert_eq!(how_long(aws.ses().send_email().send()).await, longest);
        let put = aws.eventbridge().put_events().send();
        assert_eq!(how_long(put).await, longest);
    }
}
