//! The Lambda function `authorize-login`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<authorize_login::AuthorizeLogin>().await
}
