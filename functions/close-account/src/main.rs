//! The Lambda function `close-account`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<close_account::CloseAccount>().await
}
