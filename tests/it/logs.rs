//! The log: one line per call, and never an address, a name, a token or a body.

use local::SesFailure;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Fault, Log, OWNER, Rollcall, member_id};

const KIM: &str = "kim@example.com";

/// A lifetime of calls with everything that can go wrong. Returns the number of calls and the
/// secret of the invite.
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
    // Its answer is lost, and it happens all the same.
    rollcall.wire.fail("UpdateItem", Fault::LostAnswer, 3);
    owner.remove("acme", KIM).await.expect_status(200);
    rollcall.wire.heal();
    kim.login(&json!({})).await;
    // The table's stream is read.
    let events = rollcall.anonymous(Method::GET, "/dev/events.json").await;
    events.expect_status(200);
    calls += 9;
    let secret = token.rsplit('.').next().unwrap();
    (calls, secret.to_owned())
}

#[tokio::test]
async fn a_call_is_one_line_without_personal_data() {
    let log = Log::capture();
    let (calls, secret) = live().await;

    let text = log.text();
    let mut outcomes = 0;
    // Metrics are lines with their own format.
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
                "by",
                "at",
                "status",
                "code",
                "cause",
            ];
            let is_wait = field.ends_with("Ms") || field.ends_with("Tries");
            assert!(
                is_wait || known.contains(&field.as_str()),
                "{field}: {line}"
            );
        }
        if line.get("operation").is_some() {
            outcomes += 1;
            let is_failure = line["status"].as_u64().unwrap() >= 500;
            assert_eq!(line["level"] == "ERROR", is_failure, "{line}");
            assert_eq!(line.get("cause").is_some(), is_failure, "{line}");
        }
    }
    assert_eq!(outcomes, calls, "{text}");
    assert!(text.contains("the mail service did not accept an invite"));
    assert!(text.contains("a write got no answer"));
    // After a restore of the table, these lines say who to remove again.
    let lines = log.lines();
    let removals: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "access was taken away")
        .map(|line| {
            [
                &line["account_id"],
                &line["member_id"],
                &line["by"],
                &line["at"],
            ]
        })
        .collect();
    let kim_by_owner = [
        &json!("acme"),
        &json!(member_id("acme", KIM).as_str()),
        &json!(member_id("acme", OWNER).as_str()),
        &json!("2026-11-24T12:04:00Z"),
    ];
    assert_eq!(removals, [kim_by_owner]);
    for word in [
        &secret, "@", "Kim", "Lee", "Olivia", "Inc.", "eyJ", "the-key", "token=",
    ] {
        assert!(!text.contains(word), "{word} is in the log:\n{text}");
    }
}
