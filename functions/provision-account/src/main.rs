//! The Lambda function `provision-account`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::invocation::run::<provision_account::ProvisionAccount>().await
}
