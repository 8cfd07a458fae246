//! The whole story, as people live it.

use serde_json::json;

use crate::harness::{OWNER, Rollcall};

#[tokio::test]
async fn from_the_invite_to_the_removal_and_back() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person("kim@example.com").await;

    kim.login(&json!({})).await.expect_problem(403, "no_access");

    let invited = owner.invite("acme", "kim@example.com").await;
    let invited = invited.expect_status(201);
    assert_eq!(invited.text("status"), "invited");
    assert_eq!(invited.body["delivery"]["status"], "sending");

    let told = kim.login(&json!({})).await;
    let told = told.expect_problem(403, "invite_link_required");
    assert_eq!(
        told.text("detail"),
        "Use the link in your invite e-mail to log in for the first time."
    );

    let first_link = rollcall.newest_token();
    let login = kim.login(&json!({ "inviteToken": first_link })).await;
    let login = login.expect_status(200);
    assert_eq!(login.body["account"]["id"], "acme");
    assert_eq!(login.body["member"]["status"], "active");
    assert_eq!(
        login.body["abilities"],
        json!(["account:use", "members:list"])
    );

    kim.login(&json!({})).await.expect_status(200);
    kim.login(&json!({ "accountId": "acme" }))
        .await
        .expect_status(200);
    // The link of an accepted invite is simply no longer needed.
    kim.login(&json!({ "inviteToken": first_link }))
        .await
        .expect_status(200);

    let list = owner.list("acme", "").await.expect_status(200);
    let people = list.body["members"].as_array().unwrap();
    let emails: Vec<_> = people.iter().map(|person| &person["email"]).collect();
    assert_eq!(emails, [OWNER, "kim@example.com"]);

    let removed = owner.remove("acme", "kim@example.com").await;
    let removed = removed.expect_status(200);
    assert_eq!(removed.text("status"), "removed");

    let revoked = kim.login(&json!({})).await;
    let revoked = revoked.expect_problem(403, "access_revoked");
    assert_eq!(
        revoked.text("detail"),
        "Your access to this account has been revoked."
    );
    kim.login(&json!({ "inviteToken": first_link }))
        .await
        .expect_problem(403, "access_revoked");
    kim.list("acme", "")
        .await
        .expect_problem(403, "access_revoked");

    owner
        .invite("acme", "kim@example.com")
        .await
        .expect_status(201);
    kim.login(&json!({}))
        .await
        .expect_problem(403, "invite_link_required");
    kim.login(&json!({ "inviteToken": first_link }))
        .await
        .expect_problem(410, "invite_invalid");
    kim.login(&json!({ "inviteToken": rollcall.newest_token() }))
        .await
        .expect_status(200);
}
