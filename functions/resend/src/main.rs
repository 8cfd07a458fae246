//! The Lambda function `resend`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<resend::Resend>().await
}
