//! The owner sends an invite again.

use serde_json::json;

use crate::harness::{Fault, NOON, OWNER, Person, Reply, Rollcall, member_id};
use crate::mail_feedback::event;

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
    Reply::of(request).await.expect_status(200);
}

/// Corrects the address of Kim's invite.
async fn correct(owner: &Person, from: &str, to: &str) -> Reply {
    let path = format!("/accounts/acme/members/{}/resend", member_id("acme", from));
    owner.post(&path, &json!({ "email": to })).await
}

const RIGHT: &str = "kim@example.net";

#[tokio::test]
async fn a_mistyped_address_is_corrected_in_one_call() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mistaken = json!({ "inviteToken": rollcall.newest_token() });
    let wrong = rollcall.person(KIM).await;
    rollcall.wire.forget();
    let corrected = correct(&owner, KIM, RIGHT).await.expect_status(200);
    assert_eq!(
        rollcall.wire.calls(),
        ["BatchGetItem", "TransactWriteItems", "SendEmail"]
    );
    assert_eq!(corrected.body["replaces"], member_id("acme", KIM).as_str());
    assert_eq!(corrected.body["id"], member_id("acme", RIGHT).as_str());
    assert_eq!(corrected.body["email"], RIGHT);
    assert_eq!(corrected.body["sends"], 2);
    assert_eq!(rollcall.newest_mail().to, RIGHT);
    assert_eq!(rollcall.stack.mailbox().list().len(), 2);
    assert_eq!(owner.list("acme", "").await.emails(), [OWNER, RIGHT]);
    let removed = owner.list("acme", "?status=removed").await;
    assert_eq!(removed.emails(), [KIM]);

    // The old link opens nothing, whoever follows it, and says why.
    let right = rollcall.person(RIGHT).await;
    for person in [&wrong, &right] {
        let refused = person.login(&mistaken).await;
        refused.expect_problem(410, "invite_superseded");
    }
    let token = json!({ "inviteToken": rollcall.newest_token() });
    wrong
        .login(&token)
        .await
        .expect_problem(403, "wrong_account");
    right.login(&token).await.expect_status(200);
    // An active member is not moved, nor somebody who is gone.
    let refused = correct(&owner, RIGHT, "other@example.com").await;
    refused.expect_problem(409, "not_invited");
    let refused = correct(&owner, KIM, "other@example.com").await;
    refused.expect_problem(409, "not_invited");
    let refused = correct(&owner, "nobody@example.com", "other@example.com").await;
    refused.expect_problem(404, "member_not_found");
}

/// What happened to mail at the mistaken address does not matter.
#[tokio::test]
async fn an_address_that_bounced_can_be_corrected_at_once() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mut bounce = event(&rollcall.newest_mail(), "Bounce");
    bounce["bounce"] = json!({ "bounceType": "Permanent", "bounceSubType": "NoEmail" });
    rollcall
        .dev("/dev/feedback", &bounce)
        .await
        .expect_status(200);
    let refused = owner.resend("acme", KIM).await;
    let refused = refused.expect_problem(409, "address_undeliverable");
    assert!(
        refused
            .text("detail")
            .contains("Resend it to the right one")
    );
    let corrected = correct(&owner, KIM, RIGHT).await.expect_status(200);
    assert_eq!(corrected.body["delivery"]["status"], "sending");
    // And back: whoever was taken out can be invited again.
    owner.remove("acme", RIGHT).await.expect_status(200);
    owner.invite("acme", KIM).await.expect_status(201);
}

#[tokio::test]
async fn an_invite_is_not_corrected_to_somebody_elses_address() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, "max@example.com").await;
    owner
        .invite("acme", "ann@example.com")
        .await
        .expect_status(201);
    owner.invite("acme", KIM).await.expect_status(201);
    let rows = rollcall.rows().await;
    for (email, code) in [
        (OWNER, "already_member"),
        ("max@example.com", "already_member"),
        ("ann@example.com", "already_invited"),
        (KIM, "already_invited"),
    ] {
        correct(&owner, KIM, email).await.expect_problem(409, code);
    }
    for email in [json!("kim"), json!(""), json!(7), json!(["a@example.com"])] {
        let path = format!("/accounts/acme/members/{}/resend", member_id("acme", KIM));
        let refused = owner.post(&path, &json!({ "email": email })).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["email"]);
    }
    assert_eq!(rollcall.rows().await, rows);
}

#[tokio::test]
async fn corrections_count_against_the_limit_of_the_invite() {
    let (_rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let mut from = KIM.to_owned();
    for number in 0..5 {
        let to = format!("kim{number}@example.com");
        correct(&owner, &from, &to).await.expect_status(200);
        from = to;
    }
    let refused = correct(&owner, &from, RIGHT).await;
    refused.expect_problem(429, "send_limit_reached");
}

#[tokio::test]
async fn a_correction_with_a_key_happens_once() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    let path = format!("/accounts/acme/members/{}/resend", member_id("acme", KIM));
    let correct = async |email: &str| {
        let request = owner.request(reqwest::Method::POST, &path);
        let request = request.header("Idempotency-Key", "key");
        Reply::of(request.body(json!({ "email": email }).to_string())).await
    };
    rollcall
        .wire
        .fail("TransactWriteItems", Fault::LostAnswer, 3);
    let corrected = correct(RIGHT).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    assert_eq!(correct(RIGHT).await.expect_status(200).raw, corrected.raw);
    assert_eq!(rollcall.stack.mailbox().list().len(), 2);
    let refused = correct("other@example.com").await;
    refused.expect_problem(422, "idempotency_key_reused");
}
