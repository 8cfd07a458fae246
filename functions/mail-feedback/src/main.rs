//! The Lambda function `mail-feedback`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::invocation::run::<mail_feedback::MailFeedback>().await
}
