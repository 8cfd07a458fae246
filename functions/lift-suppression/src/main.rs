//! The Lambda function `lift-suppression`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<lift_suppression::LiftSuppression>().await
}
