//! The owner takes a person's access away, or cancels an invite.

use serde_json::json;

use crate::harness::{NOON, OWNER, Rollcall, member_id};

const KIM: &str = "kim@example.com";

#[tokio::test]
async fn a_removal_takes_effect_at_once() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    let removed = owner.remove("acme", KIM).await.expect_status(200);
    assert_eq!(
        removed.body,
        json!({ "id": member_id("acme", KIM), "status": "removed", "removedAt": NOON })
    );
    for refused in [
        kim.login(&json!({})).await,
        kim.login(&json!({ "accountId": "acme" })).await,
        kim.list("acme", "").await,
        kim.invite("acme", "max@example.com").await,
        kim.resend("acme", OWNER).await,
        kim.remove("acme", OWNER).await,
    ] {
        let refused = refused.expect_problem(403, "access_revoked");
        assert_eq!(
            refused.text("detail"),
            "Your access to this account has been revoked."
        );
    }
}

#[tokio::test]
async fn removing_again_answers_the_same() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    let first = owner.remove("acme", KIM).await.expect_status(200);
    let rows = rollcall.rows().await;
    rollcall.advance(3_600).await;
    let again = owner.remove("acme", KIM).await.expect_status(200);
    assert_eq!(again.raw, first.raw);
    assert_eq!(rollcall.rows().await, rows);
}

#[tokio::test]
async fn removing_cancels_an_invite() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let token = json!({ "inviteToken": rollcall.newest_token() });
    owner.remove("acme", KIM).await.expect_status(200);
    let refused = kim.login(&token).await;
    refused.expect_problem(403, "access_revoked");
    // A stranger learns nothing from the link of a cancelled invite.
    let stranger = rollcall.person("stranger@example.com").await;
    let refused = stranger.login(&token).await;
    refused.expect_problem(403, "no_access");
}

#[tokio::test]
async fn an_expired_invite_can_be_cancelled() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(8 * 86_400).await;
    owner.remove("acme", KIM).await.expect_status(200);
    assert_eq!(owner.list("acme", "").await.emails(), [OWNER]);
}

#[tokio::test]
async fn the_owner_cannot_be_removed() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let max = rollcall.member(&owner, "max@example.com").await;
    let refused = owner.remove("acme", OWNER).await;
    refused.expect_problem(409, "owner_cannot_be_removed");
    let refused = max.remove("acme", OWNER).await;
    refused.expect_problem(403, "owner_only");
    owner.login(&json!({})).await.expect_status(200);
}

#[tokio::test]
async fn an_account_without_multi_user_access_can_still_remove() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    rollcall.account("acme", "basic").await;
    owner.remove("acme", KIM).await.expect_status(200);
}

#[tokio::test]
async fn an_unknown_person_cannot_be_removed() {
    let (_rollcall, owner) = Rollcall::start_with_owner().await;
    let refused = owner.remove("acme", "nobody@example.com").await;
    refused.expect_problem(404, "member_not_found");
}

#[tokio::test]
async fn nothing_of_an_earlier_membership_comes_back() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    owner.remove("acme", KIM).await.expect_status(200);
    let row = rollcall.row("acme", KIM).await;
    for gone in ["identity", "invite", "activeSince"] {
        assert!(!row.contains_key(gone), "{gone}");
    }
    // A person who is invited again may sign in with a different identity.
    owner.invite("acme", KIM).await.expect_status(201);
    let claims = json!({ "email": KIM, "sub": "another" });
    let other = rollcall.signed_in(&claims).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    other.login(&token).await.expect_status(200);
    let refused = kim.login(&json!({})).await;
    refused.expect_problem(403, "identity_mismatch");
}
