//! Support lets mail to an address go out again.

use serde_json::json;

use crate::harness::{Fault, OWNER, Person, Rollcall};
use crate::mail_feedback::event;

const KIM: &str = "kim@example.com";
const PATH: &str = "/support/suppressions/kim@example.com";

/// Kim is invited to two accounts, and both mails bounced.
async fn start() -> (Rollcall, Person, Person) {
    let rollcall = Rollcall::start().await;
    let owner = rollcall.person(OWNER).await;
    for account in ["acme", "other"] {
        rollcall.account(account, "pro").await;
        owner.invite(account, KIM).await.expect_status(201);
    }
    for mail in rollcall.stack.mailbox().list() {
        let mut bounce = event(&mail, "Bounce");
        bounce["bounce"] = json!({
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{ "status": "5.1.1" }],
        });
        rollcall
            .dev("/dev/feedback", &bounce)
            .await
            .expect_status(200);
    }
    rollcall.advance(60).await;
    let claims = json!({ "email": "sue@product.example", "groups": ["support"] });
    let support = rollcall.signed_in(&claims).await;
    rollcall.wire.forget();
    (rollcall, owner, support)
}

#[tokio::test]
async fn it_lets_every_owner_resend() {
    let (rollcall, owner, support) = start().await;
    // Hard bounces put an address on the list.
    let listed = support.get(&format!("/support/feedback?email={KIM}")).await;
    assert_eq!(listed.body["suppression"]["listed"], true);
    rollcall.wire.forget();
    support.delete(PATH).await.expect_status(200);
    assert_eq!(
        rollcall.wire.calls(),
        [
            "DeleteSuppressedDestination",
            "Query",
            "BatchGetItem",
            "UpdateItem",
            "UpdateItem"
        ]
    );
    let kim = owner.list("acme", "?q=kim").await;
    assert_eq!(
        kim.body["members"][0]["delivery"]["advice"],
        "Support has looked into it: resend the invite."
    );
    for account in ["acme", "other"] {
        owner.resend(account, KIM).await.expect_status(200);
    }
    // Nothing is left to lift.
    rollcall.wire.forget();
    support.delete(PATH).await.expect_status(200);
    assert_eq!(
        rollcall.wire.calls(),
        ["DeleteSuppressedDestination", "Query", "BatchGetItem"]
    );
}

#[tokio::test]
async fn a_repeated_report_does_not_undo_it() {
    let (rollcall, owner, support) = start().await;
    support.delete(PATH).await.expect_status(200);
    let mut bounce = event(&rollcall.newest_mail(), "Bounce");
    bounce["bounce"] = json!({ "bounceType": "Permanent", "feedbackId": "another" });
    rollcall
        .dev("/dev/feedback", &bounce)
        .await
        .expect_status(200);
    owner.resend("other", KIM).await.expect_status(200);
}

#[tokio::test]
async fn it_lifts_nothing_while_the_mail_service_does_not_answer() {
    let (rollcall, owner, support) = start().await;
    rollcall
        .wire
        .fail("DeleteSuppressedDestination", Fault::NoConnection, 3);
    let refused = support
        .delete(PATH)
        .await
        .expect_problem(503, "unavailable");
    assert!(!refused.header("retry-after").is_empty());
    owner
        .resend("acme", KIM)
        .await
        .expect_problem(409, "address_undeliverable");
    support.delete(PATH).await.expect_status(200);
    owner.resend("acme", KIM).await.expect_status(200);
}

#[tokio::test]
async fn it_overwrites_no_other_write() {
    let (rollcall, owner, support) = start().await;
    let remover = owner.clone();
    rollcall.wire.before("UpdateItem", async move {
        remover.remove("acme", KIM).await.expect_status(200);
    });
    support.delete(PATH).await.expect_status(200);
    rollcall.wire.expect_all_happened();
    let removed = owner.list("acme", "?status=removed").await;
    assert_eq!(removed.emails(), [KIM]);
    owner.resend("other", KIM).await.expect_status(200);
}
