//! What is logged: one line a call, and never an address, a name, a token or a body.

use local::SesFailure;
use serde_json::json;

use crate::harness::{Fault, Log, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// A life with all that can go wrong in it: how many calls it took, and the secret of its invite.
async fn live() -> (usize, String) {
    let (rollcall, owner) = Rollcall::start_with_owner().await;
    let kim = rollcall.person(KIM).await;
    let mailbox = rollcall.stack.mailbox();
    // Provisioning is a call, too.
    let mut calls = 1;
    mailbox.fail_next(SesFailure::MessageRejected);
    owner.invite_with_key("acme", KIM, "the-key").await;
    calls += 1;
    for fault in [
        Fault::NoConnection,
        Fault::Garbage,
        Fault::Error(400, "ValidationException"),
        Fault::Error(400, "ThrottlingException"),
    ] {
        rollcall.wire.fail("BatchGetItem", fault, 3);
        kim.login(&json!({ "accountId": "acme" })).await;
        rollcall.wire.heal();
        rollcall.wire.fail("TransactWriteItems", fault, 3);
        rollcall.wire.fail("SendEmail", fault, 3);
        owner.resend("acme", KIM).await;
        rollcall.wire.heal();
        rollcall.advance(60).await;
        calls += 2;
    }
    owner.resend("acme", KIM).await.expect_status(200);
    let token = rollcall.newest_token();
    kim.login(&json!({ "inviteToken": token, "name": "Kim" }))
        .await;
    kim.login(&json!({ "inviteToken": token })).await;
    owner.list("acme", "?q=Kim%20Lee").await;
    owner.list("kim@example.com", "").await;
    owner.invite("acme", "Kim Lee").await;
    owner.remove("acme", KIM).await;
    kim.login(&json!({})).await;
    calls += 8;
    let secret = token.rsplit('.').next().unwrap();
    (calls, secret.to_owned())
}

#[tokio::test]
async fn a_call_is_one_line_that_gives_nobody_away() {
    let log = Log::capture();
    let (calls, secret) = live().await;

    let text = log.text();
    let mut outcomes = 0;
    // Counts are lines of their own form.
    for line in log.lines().iter().filter(|line| line["_aws"].is_null()) {
        for field in line.as_object().unwrap().keys() {
            let known = [
                "timestamp",
                "level",
                "target",
                "message",
                "operation",
                "request_id",
                "account_id",
                "member_id",
                "status",
                "code",
                "cause",
            ];
            assert!(known.contains(&field.as_str()), "{field}: {line}");
        }
        if line.get("operation").is_some() {
            outcomes += 1;
            let is_failure = line["status"].as_u64().unwrap() >= 500;
            assert_eq!(line["level"] == "ERROR", is_failure, "{line}");
            assert_eq!(line.get("cause").is_some(), is_failure, "{line}");
        }
    }
    assert_eq!(outcomes, calls, "{text}");
    assert!(text.contains("the mail service did not take an invite"));
    assert!(text.contains("a write got no answer"));
    // After a restore of the table, these lines tell whom to remove again.
    let removals = text.matches("access was taken away").count();
    let of_kim = format!("\"member_id\":\"{}\"", member_id("acme", KIM));
    assert_eq!((removals, text.matches(&of_kim).count()), (1, 1));
    for word in [
        &secret, "@", "Kim", "Lee", "Olivia", "Inc.", "eyJ", "the-key", "token=",
    ] {
        assert!(!text.contains(word), "{word} is in the log:\n{text}");
    }
}
