//! The Lambda function `publish-changes`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::invocation::run::<publish_changes::PublishChanges>().await
}
