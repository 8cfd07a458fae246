//! The Lambda function `members-page`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    platform::public::run::<members_page::MembersPage>().await
}
