//! The Lambda function `remove`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<remove::Remove>().await
}
