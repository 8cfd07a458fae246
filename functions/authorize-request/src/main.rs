//! The Lambda function `authorize-request`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::invocation::run::<authorize_request::AuthorizeRequest>().await
}
