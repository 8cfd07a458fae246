//! The owner sends an invite again.

use serde_json::json;

use crate::harness::{NOON, OWNER, Rollcall, member_id};

const KIM: &str = "kim@example.com";

#[tokio::test]
async fn the_new_link_works_and_the_old_one_explains_itself() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let first = json!({ "inviteToken": rollcall.newest_token() });
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let second = json!({ "inviteToken": rollcall.newest_token() });
    rollcall.advance(60).await;
    owner.resend("acme", KIM).await.expect_status(200);
    let third = json!({ "inviteToken": rollcall.newest_token() });

    for old in [&first, &second] {
        let refused = kim.login(old).await;
        let refused = refused.expect_problem(410, "invite_superseded");
        assert_eq!(
            refused.text("detail"),
            "A newer invite was sent. Use the link in the latest e-mail."
        );
    }
    kim.login(&third).await.expect_status(200);
    // Once the person is in, any link works, because none is needed.
    kim.login(&first).await.expect_status(200);
}

#[tokio::test]
async fn a_resend_renews_the_invite() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(3_600).await;
    let resent = owner.resend("acme", KIM).await.expect_status(200);
    assert_eq!(
        resent.body,
        json!({
            "id": member_id("acme", KIM),
            "firstName": "Kim",
            "lastName": "Lee",
            "email": KIM,
            "role": "member",
            "status": "invited",
            "invitedAt": NOON,
            "lastSentAt": "2026-11-24T13:00:00Z",
            "sends": 2,
            "expiresAt": "2026-12-01T13:00:00Z",
            "delivery": { "status": "sending", "at": "2026-11-24T13:00:00Z" },
        })
    );
    assert_eq!(rollcall.newest_mail().tags["send"], "2");
}

#[tokio::test]
async fn a_resend_has_to_wait_a_minute() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    for (seconds, retry_after, wait) in [
        (0, "60", "60 seconds"),
        (15, "45", "45 seconds"),
        (44, "1", "1 second"),
    ] {
        rollcall.advance(seconds).await;
        let refused = owner.resend("acme", KIM).await;
        let refused = refused.expect_problem(429, "resend_too_soon");
        assert_eq!(refused.header("retry-after"), retry_after);
        let detail = format!("The invite was sent a moment ago. Wait {wait}, then resend it.");
        assert_eq!(refused.text("detail"), detail);
    }
    rollcall.advance(1).await;
    owner.resend("acme", KIM).await.expect_status(200);
    // The cooldown counts from the newest send.
    let refused = owner.resend("acme", KIM).await;
    let refused = refused.expect_problem(429, "resend_too_soon");
    assert_eq!(refused.header("retry-after"), "60");
}

#[tokio::test]
async fn an_invite_is_resent_five_times_a_day() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    for _ in 0..5 {
        rollcall.advance(60).await;
        owner.resend("acme", KIM).await.expect_status(200);
    }
    rollcall.advance(60).await;
    let refused = owner.resend("acme", KIM).await;
    let refused = refused.expect_problem(429, "send_limit_reached");
    assert_eq!(
        refused.header("retry-after"),
        (12 * 3_600 - 360).to_string()
    );
    rollcall.advance(12 * 3_600 - 361).await;
    let refused = owner.resend("acme", KIM).await;
    let refused = refused.expect_problem(429, "send_limit_reached");
    assert_eq!(refused.header("retry-after"), "1");

    rollcall.advance(1).await;
    for _ in 0..5 {
        owner.resend("acme", KIM).await.expect_status(200);
        rollcall.advance(60).await;
    }
    let refused = owner.resend("acme", KIM).await;
    refused.expect_problem(429, "send_limit_reached");
}

#[tokio::test]
async fn every_old_link_of_a_long_day_explains_itself() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    let first = json!({ "inviteToken": rollcall.newest_token() });
    for _ in 0..10 {
        rollcall.advance(86_400).await;
        owner.resend("acme", KIM).await.expect_status(200);
    }
    let refused = kim.login(&first).await;
    refused.expect_problem(410, "invite_superseded");
    let login = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&login).await.expect_status(200);
}

#[tokio::test]
async fn a_resend_revives_an_expired_invite() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(30 * 86_400).await;
    let resent = owner.resend("acme", KIM).await.expect_status(200);
    assert_eq!(resent.text("status"), "invited");
    let login = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&login).await.expect_status(200);
}

#[tokio::test]
async fn only_an_open_invite_can_be_resent() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.member(&owner, KIM).await;
    let refused = owner.resend("acme", KIM).await;
    refused.expect_problem(409, "not_invited");
    let refused = owner.resend("acme", OWNER).await;
    refused.expect_problem(409, "not_invited");
    owner.remove("acme", KIM).await.expect_status(200);
    let refused = owner.resend("acme", KIM).await;
    refused.expect_problem(409, "not_invited");
    let refused = owner.resend("acme", "nobody@example.com").await;
    refused.expect_problem(404, "member_not_found");
}

#[tokio::test]
async fn the_body_may_be_left_out() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(60).await;
    let path = format!("/accounts/acme/members/{}/resend", member_id("acme", KIM));
    let request = owner.request(reqwest::Method::POST, &path);
    crate::harness::Reply::of(request).await.expect_status(200);
}
