//! `Idempotency-Key`: a repeated request takes effect once.

use local::SesFailure;
use serde_json::json;

use crate::harness::{Rollcall, invitation};

const KIM: &str = "kim@example.com";

#[tokio::test]
async fn a_repeated_invite_gets_the_first_answer_and_sends_nothing() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let first = owner.invite_with_key("acme", KIM, "key-1").await;
    let first = first.expect_status(201);
    let rows = rollcall.rows().await;
    rollcall.advance(3_600).await;
    let again = owner.invite_with_key("acme", KIM, "key-1").await;
    let again = again.expect_status(201);
    assert_eq!(again.raw, first.raw);
    assert_eq!(again.header("content-type"), "application/json");
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(rollcall.rows().await, rows);
    assert_eq!(rollcall.stack.mailbox().list().len(), 1);
}

#[tokio::test]
async fn the_first_answer_stays_whatever_happened_since() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let first = owner.invite_with_key("acme", KIM, "key").await;
    let kim = rollcall.person(KIM).await;
    let token = json!({ "inviteToken": rollcall.newest_token() });
    kim.login(&token).await.expect_status(200);
    let again = owner.invite_with_key("acme", KIM, "key").await;
    assert_eq!(again.expect_status(201).raw, first.raw);
    owner.remove("acme", KIM).await.expect_status(200);
    rollcall.account("acme", "basic").await;
    let again = owner.invite_with_key("acme", KIM, "key").await;
    assert_eq!(again.expect_status(201).raw, first.raw);
    let refused = kim.login(&json!({})).await;
    refused.expect_problem(403, "access_revoked");
}

#[tokio::test]
async fn a_repeated_resend_gets_the_first_answer_and_sends_nothing() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite("acme", KIM).await.expect_status(201);
    rollcall.advance(60).await;
    let first = owner.resend_with_key("acme", KIM, "key").await;
    let first = first.expect_status(200);
    // No cooldown either: nothing is sent.
    let again = owner.resend_with_key("acme", KIM, "key").await;
    assert_eq!(again.expect_status(200).raw, first.raw);
    assert_eq!(rollcall.stack.mailbox().list().len(), 2);
    let other = owner.resend_with_key("acme", KIM, "other").await;
    other.expect_problem(429, "resend_too_soon");
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner
        .invite_with_key("acme", KIM, "key")
        .await
        .expect_status(201);
    owner.invite("acme", "max@example.com").await;
    rollcall.advance(60).await;
    let rows = rollcall.rows().await;
    let renamed = json!({ "firstName": "Kimberly", "lastName": "Lee", "email": KIM });
    let renamed = owner
        .request(reqwest::Method::POST, "/accounts/acme/members")
        .header("Idempotency-Key", "key")
        .body(renamed.to_string());
    for refused in [
        owner
            .invite_with_key("acme", "mia@example.com", "key")
            .await,
        owner.resend_with_key("acme", KIM, "key").await,
        owner
            .resend_with_key("acme", "max@example.com", "key")
            .await,
        crate::harness::Reply::of(renamed).await,
    ] {
        refused.expect_problem(422, "idempotency_key_reused");
    }
    assert_eq!(rollcall.rows().await, rows);
}

/// The meaning of a request counts, not how it is written.
#[tokio::test]
async fn the_same_request_may_be_written_differently() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let first = owner.invite_with_key("acme", KIM, "key").await;
    let body = r#" { "email": "KIM@example.COM", "lastName": "Lee ", "firstName": "\u004bim" } "#;
    let again = owner
        .request(reqwest::Method::POST, "/accounts/acme/members")
        .header("idempotency-key", "key")
        .body(body);
    let again = crate::harness::Reply::of(again).await.expect_status(201);
    assert_eq!(again.raw, first.raw);
    assert_eq!(rollcall.stack.mailbox().list().len(), 1);
}

#[tokio::test]
async fn a_key_is_good_for_a_day() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner
        .invite_with_key("acme", KIM, "key")
        .await
        .expect_status(201);
    rollcall.advance(86_400 - 1).await;
    owner
        .invite_with_key("acme", KIM, "key")
        .await
        .expect_status(201);
    rollcall.advance(1).await;
    let refused = owner.invite_with_key("acme", KIM, "key").await;
    refused.expect_problem(409, "already_invited");
    // The key is free again, for another request and a new day.
    let second = owner
        .invite_with_key("acme", "max@example.com", "key")
        .await;
    let second = second.expect_status(201);
    rollcall.advance(86_400 - 1).await;
    let again = owner
        .invite_with_key("acme", "max@example.com", "key")
        .await;
    assert_eq!(again.expect_status(201).raw, second.raw);
    assert_eq!(rollcall.stack.mailbox().list().len(), 2);
}

#[tokio::test]
async fn a_key_belongs_to_an_account() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("other", "pro").await;
    let first = owner.invite_with_key("acme", KIM, "key").await;
    let second = owner.invite_with_key("other", KIM, "key").await;
    assert_ne!(
        first.expect_status(201).text("id"),
        second.expect_status(201).text("id")
    );
}

#[tokio::test]
async fn a_refused_request_can_be_repeated_with_its_key() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    rollcall.account("acme", "basic").await;
    let refused = owner.invite_with_key("acme", KIM, "key").await;
    refused.expect_problem(403, "upgrade_required");
    rollcall.account("acme", "pro").await;
    owner
        .invite_with_key("acme", KIM, "key")
        .await
        .expect_status(201);
}

#[tokio::test]
async fn only_a_permitted_caller_gets_the_answer_again() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let max = rollcall.member(&owner, "max@example.com").await;
    owner.invite_with_key("acme", KIM, "key").await;
    let stranger = rollcall.person("stranger@example.com").await;
    let refused = max.invite_with_key("acme", KIM, "key").await;
    refused.expect_problem(403, "owner_only");
    let refused = stranger.invite_with_key("acme", KIM, "key").await;
    refused.expect_problem(403, "no_access");
}

#[tokio::test]
async fn a_repeated_request_reports_a_failed_mail_too() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let mailbox = rollcall.stack.mailbox();
    mailbox.fail_next(SesFailure::MessageRejected);
    let first = owner.invite_with_key("acme", KIM, "key").await;
    let first = first.expect_status(201);
    assert_eq!(first.body["delivery"]["status"], "failed");
    let again = owner.invite_with_key("acme", KIM, "key").await;
    assert_eq!(again.expect_status(201).raw, first.raw);
    assert!(mailbox.list().is_empty());

    mailbox.fail_next(SesFailure::SendingPaused);
    let first = owner.resend_with_key("acme", KIM, "resend").await;
    let first = first.expect_status(200);
    assert_eq!(first.body["delivery"]["status"], "failed");
    let again = owner.resend_with_key("acme", KIM, "resend").await;
    assert_eq!(again.expect_status(200).raw, first.raw);
}

#[tokio::test]
async fn the_key_itself_is_not_stored() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    owner.invite_with_key("acme", KIM, "secret-key").await;
    let table = format!("{:?}", rollcall.rows().await);
    assert!(!table.contains("secret-key"));
}

#[tokio::test]
async fn keys_are_visible_ascii_and_given_once() {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let rows = rollcall.rows().await;
    for key in ["", "a b", "a\tb", "ä", "a,b", &"x".repeat(256)] {
        let refused = owner.invite_with_key("acme", KIM, key).await;
        let refused = refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.wrong_fields(), ["Idempotency-Key"], "{key}");
    }
    // API Gateway joins the two into one.
    let twice = owner
        .request(reqwest::Method::POST, "/accounts/acme/members")
        .header("Idempotency-Key", "one")
        .header("Idempotency-Key", "two")
        .body(invitation(KIM).to_string());
    let refused = crate::harness::Reply::of(twice).await;
    let refused = refused.expect_problem(400, "invalid_request");
    assert_eq!(refused.wrong_fields(), ["Idempotency-Key"]);
    assert_eq!(rollcall.rows().await, rows);
    assert!(rollcall.wire.calls().is_empty());

    let longest = "~".repeat(255);
    owner
        .invite_with_key("acme", KIM, &longest)
        .await
        .expect_status(201);
}
