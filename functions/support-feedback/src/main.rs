//! The Lambda function `support-feedback`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<support_feedback::SupportFeedback>().await
}
