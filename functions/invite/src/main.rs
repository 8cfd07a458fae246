//! The Lambda function `invite`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<invite::Invite>().await
}
