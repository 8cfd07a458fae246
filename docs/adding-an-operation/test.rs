//! What `$kebab` does.

use serde_json::json;

use crate::harness::{Rollcall, member_id};

const KIM: &str = "kim@example.com";

#[tokio::test]
async fn it_answers() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    let id = member_id("acme", KIM);
    let path = format!("/accounts/acme/members/{id}/$kebab");
    let done = owner.post(&path, &json!({})).await.expect_status(200);
    assert_eq!(done.text("id"), id.as_str());
}
