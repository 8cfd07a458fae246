//! `authorize-login` with the SDK's defaults: the provider chain of aws-config, and aws-lc with its
//! entropy from processor jitter. No connection is opened during init.

use std::convert::Infallible;
use std::sync::Once;

use authorize_login::AuthorizeLogin;
use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use lambda_http::{Error, service_fn};
use platform::aws::Aws;
use platform::{Clock, Endpoint, Environment, Platform, telemetry};
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_this_process();
    telemetry::subscriber(&environment, Clock::system(), std::io::stdout)?.init();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let credentials = config.credentials_provider().ok_or("no credentials")?;
    credentials.provide_credentials().await?;
    // The SDK's default.
    let http_client = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    let platform = Platform {
        aws: Aws::with_http_client(&environment, http_client)?,
        environment,
        clock: Clock::system(),
    };
    let endpoint = &Endpoint::<AuthorizeLogin>::new(platform)?;
    let once = &Once::new();
    lambda_http::run(service_fn(async move |request| {
        // The first handshake would do this, but under valgrind it takes longer than the time-out
        // for DynamoDB.
        once.call_once(|| {
            let _ = aws_lc_rs::rand::fill(&mut [0; 32]);
        });
        Ok::<_, Infallible>(endpoint.serve(request).await)
    }))
    .await
}
