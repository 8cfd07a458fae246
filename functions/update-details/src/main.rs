//! The Lambda function `update-details`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::api::run::<update_details::UpdateDetails>().await
}
