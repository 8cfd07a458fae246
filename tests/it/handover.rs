//! Billing hands an account to another owner. Nobody in the account can.

use serde_json::{Value, json};

use crate::authorize_request::product;
use crate::harness::{Log, OWNER, Person, Reply, Rollcall, member_id};
use crate::publish_changes::events;

const KIM: &str = "kim@example.com";

/// A handover of `acme` to the person with this address, with changes to the payload.
async fn hand_over(rollcall: &Rollcall, email: &str, changes: Value) -> Reply {
    let mut payload = json!({
        "accountId": "acme",
        "company": "acme Inc.",
        "plan": "pro",
        "handover": true,
        "owner": { "firstName": "Kimberly", "lastName": "Leeson", "email": email },
    });
    for (name, value) in changes.as_object().unwrap() {
        match name.as_str() {
            "subject" => payload["owner"]["subject"] = value.clone(),
            _ => payload[name] = value.clone(),
        }
    }
    rollcall.provision(&payload).await
}

#[track_caller]
fn expect_outcome(reply: Reply, outcome: &str) {
    let reply = reply.expect_status(200);
    assert_eq!(reply.text("outcome"), outcome, "{}", reply.raw);
}

async fn signed_in(rollcall: &Rollcall, subject: &str, email: &str) -> Person {
    let claims = json!({ "sub": subject, "email": email });
    rollcall.signed_in(&claims).await
}

async fn subject_of(rollcall: &Rollcall, email: &str) -> String {
    let row = rollcall.row("acme", email).await;
    let identity = row["identity"].as_m().unwrap();
    identity["subject"].as_s().unwrap().clone()
}

/// Checks who may invite, and who is in the account at all.
async fn expect_owner(owner: &Person, others: &[&Person]) {
    let list = owner.list("acme", "").await.expect_status(200);
    assert_eq!(list.body["members"][0]["role"], "owner");
    let login = owner.login(&json!({ "accountId": "acme" })).await;
    assert_eq!(login.expect_status(200).body["member"]["role"], "owner");
    let owners = list.body["members"].as_array().unwrap().iter();
    assert_eq!(owners.filter(|member| member["role"] == "owner").count(), 1);
    for other in others {
        let refused = other.invite("acme", "max@example.com").await;
        refused.expect_problem(403, "owner_only");
    }
}

#[tokio::test]
async fn a_member_and_the_owner_change_roles() {
    let log = Log::capture();
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    let lee = rollcall.member(&owner, "lee@example.com").await;
    expect_outcome(hand_over(&rollcall, KIM, json!({})).await, "updated");

    expect_owner(&kim, &[&owner, &lee]).await;
    for former in [&owner, &lee] {
        former.list("acme", "").await.expect_status(200);
        product(former, Some("acme")).await.expect_status(200);
    }
    kim.invite("acme", "max@example.com")
        .await
        .expect_status(201);
    let kept = kim.remove("acme", KIM).await;
    kept.expect_problem(409, "owner_cannot_be_removed");
    // The names are those of the account.
    assert_eq!(
        rollcall.row("acme", KIM).await["lastName"].as_s().unwrap(),
        "Lee"
    );
    let told = events(&rollcall).await;
    let (_, changed) = told
        .iter()
        .find(|(kind, _)| kind == "owner.changed")
        .unwrap();
    assert_eq!(changed["ownerId"], member_id("acme", KIM).as_str());
    assert_eq!(
        changed["previousOwnerId"],
        member_id("acme", OWNER).as_str()
    );
    let mut lines = log.lines();
    lines.retain(|line| line["message"] == "the account was handed over");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["former"], member_id("acme", OWNER).as_str());

    // And back, with the former owner gone for good.
    expect_outcome(
        hand_over(&rollcall, OWNER, json!({ "former": "remove" })).await,
        "updated",
    );
    expect_owner(&owner, &[&lee]).await;
    let refused = kim.login(&json!({})).await;
    refused.expect_problem(403, "access_revoked");
    owner.delete("/accounts/acme").await.expect_status(200);
}

#[tokio::test]
async fn somebody_new_becomes_the_owner_and_the_first_login_binds() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, "gone@example.com").await;
    owner
        .remove("acme", "gone@example.com")
        .await
        .expect_status(200);
    owner
        .invite("acme", "invited@example.com")
        .await
        .expect_status(201);
    let link = rollcall.newest_token();
    for email in [KIM, "gone@example.com", "invited@example.com"] {
        expect_outcome(hand_over(&rollcall, email, json!({})).await, "updated");
        assert_eq!(
            rollcall.row("acme", email).await["lastName"]
                .as_s()
                .unwrap(),
            "Leeson"
        );
        let next = signed_in(&rollcall, email, email).await;
        expect_owner(&next, &[&owner]).await;
        let impostor = signed_in(&rollcall, "impostor", email).await;
        let refused = impostor.login(&json!({})).await;
        refused.expect_problem(403, "identity_mismatch");
    }
    let invited = signed_in(&rollcall, "invited@example.com", "invited@example.com").await;
    let login = invited.login(&json!({ "inviteToken": link })).await;
    assert_eq!(login.expect_status(200).body["member"]["role"], "owner");
    let list = invited.list("acme", "").await;
    assert_eq!(
        list.emails(),
        ["invited@example.com", "gone@example.com", KIM, OWNER]
    );
    assert!(
        rollcall.stack.mailbox().list().len() == 2,
        "a handover sends no mail"
    );
}

#[tokio::test]
async fn an_owner_who_was_created_again_at_the_provider_gets_back_in() {
    let rollcall = Rollcall::start().await;
    rollcall.account("acme", "pro").await;
    let before = signed_in(&rollcall, "before", OWNER).await;
    before.login(&json!({})).await.expect_status(200);
    let after = signed_in(&rollcall, "after", OWNER).await;
    let refused = after.login(&json!({})).await;
    refused.expect_problem(403, "identity_mismatch");

    expect_outcome(hand_over(&rollcall, OWNER, json!({})).await, "updated");
    expect_owner(&after, &[]).await;
    let refused = before.login(&json!({})).await;
    refused.expect_problem(403, "identity_mismatch");
    let kinds: Vec<String> = events(&rollcall)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, ["member.identity_changed"]);

    // If billing knows the identity, no login has to bind it.
    let named = json!({ "subject": "third" });
    expect_outcome(hand_over(&rollcall, OWNER, named.clone()).await, "updated");
    after
        .login(&json!({}))
        .await
        .expect_problem(403, "identity_mismatch");
    let third = signed_in(&rollcall, "third", "elsewhere@example.com").await;
    expect_owner(&third, &[]).await;
    rollcall.advance(1).await;
    expect_outcome(
        hand_over(&rollcall, "elsewhere@example.com", named).await,
        "updated",
    );
    expect_owner(&third, &[]).await;
}

#[tokio::test]
async fn billing_can_name_the_owner_by_subject() {
    let rollcall = Rollcall::start().await;
    let owner =
        json!({ "firstName": "Olivia", "lastName": "Owner", "email": OWNER, "subject": "olivia" });
    let payload =
        json!({ "accountId": "acme", "company": "acme Inc.", "plan": "pro", "owner": owner });
    expect_outcome(rollcall.provision(&payload).await, "created");
    // No token has to prove an address, not even at the first login.
    let claims = json!({ "sub": "olivia", "email": "", "email_verified": false });
    let olivia = rollcall.signed_in(&claims).await;
    expect_owner(&olivia, &[]).await;
    let impostor = signed_in(&rollcall, "impostor", OWNER).await;
    impostor
        .login(&json!({}))
        .await
        .expect_problem(403, "identity_mismatch");

    // A member who signs in with another address by now is found by the subject.
    let kim = rollcall.member(&olivia, KIM).await;
    let login = kim.login(&json!({})).await.expect_status(200);
    let subject = subject_of(&rollcall, KIM).await;
    let named = json!({ "subject": subject });
    expect_outcome(
        hand_over(&rollcall, "kim@new.example", named).await,
        "updated",
    );
    expect_owner(&kim, &[&olivia]).await;
    let id = login.body["member"]["id"].as_str().unwrap();
    assert_eq!(id, member_id("acme", KIM).as_str());

    for (subject, field) in [
        ("", "owner.subject"),
        ("a\nb", "owner.subject"),
        (&"x".repeat(256), "owner.subject"),
    ] {
        let wrong = hand_over(&rollcall, KIM, json!({ "subject": subject })).await;
        let wrong = wrong.expect_problem(400, "invalid_request");
        assert_eq!(wrong.wrong_fields(), [field]);
    }
    for (changes, field) in [
        (json!({ "former": "boss" }), "former"),
        (json!({ "handover": "yes" }), "handover"),
        (json!({ "owner": {} }), "owner.firstName"),
    ] {
        let wrong = hand_over(&rollcall, KIM, changes).await;
        let wrong = wrong.expect_problem(400, "invalid_request");
        assert_eq!(wrong.wrong_fields()[0], field);
    }
}

#[tokio::test]
async fn an_address_that_leads_to_another_person_is_refused() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    rollcall.member(&owner, KIM).await;
    let subject = subject_of(&rollcall, KIM).await;
    signed_in(&rollcall, &subject, "kim@new.example")
        .await
        .login(&json!({}))
        .await
        .expect_status(200);
    rollcall.member(&owner, "lee@example.com").await;
    let rows = rollcall.rows().await;
    // Kim had the first address, and Lee has the second.
    for (email, named) in [
        (KIM, json!({})),
        ("lee@example.com", json!({ "subject": subject })),
    ] {
        let refused = hand_over(&rollcall, email, named).await;
        refused.expect_problem(409, "address_in_use");
    }
    assert_eq!(rollcall.rows().await, rows);
    // Kim's new address leads to Kim's row.
    expect_outcome(
        hand_over(&rollcall, "kim@new.example", json!({})).await,
        "updated",
    );
    assert_eq!(
        rollcall.row("acme", KIM).await["role"].as_s().unwrap(),
        "owner"
    );
}

/// A message that comes again, or late, must not take the account from the owner of today, nor unbind
/// an owner who has logged in since.
#[tokio::test]
async fn a_repeated_or_late_handover_changes_nothing() {
    for order in ["revision", "at", "event"] {
        let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
        let kim = rollcall.member(&owner, KIM).await;
        let message = async |number: u32, email: &str| {
            let time = format!("2026-11-24T13:00:{number:02}Z");
            let sent = match order {
                "revision" => json!({ "revision": number }),
                "at" => json!({ "at": time }),
                _ => json!({}),
            };
            if order != "event" {
                return hand_over(&rollcall, email, sent).await;
            }
            let owner = json!({ "firstName": "Kim", "lastName": "Lee", "email": email });
            let detail = json!({
                "accountId": "acme", "company": "acme Inc.", "plan": "pro", "handover": true, "owner": owner,
            });
            let event =
                json!({ "detail-type": "account.provisioned", "time": time, "detail": detail });
            rollcall.provision(&event).await
        };
        expect_outcome(message(5, KIM).await, "updated");
        expect_owner(&kim, &[&owner]).await;
        let rows = rollcall.rows().await;
        expect_outcome(message(5, KIM).await, "unchanged");
        let late = message(4, OWNER).await;
        assert_eq!(late.text("reason"), "not_newer", "{order}");
        expect_outcome(late, "unchanged");
        assert_eq!(rollcall.rows().await, rows, "{order}");

        expect_outcome(message(6, OWNER).await, "updated");
        let late = message(5, KIM).await;
        assert_eq!(late.text("reason"), "not_newer", "{order}");
        expect_owner(&owner, &[&kim]).await;
    }
}

/// The message that should hand an account over may be the first one that arrives.
#[tokio::test]
async fn a_handover_that_creates_the_account_is_not_repeated_either() {
    let rollcall = Rollcall::start().await;
    let owner = json!({ "firstName": "Kim", "lastName": "Lee", "email": KIM });
    let detail = json!({
        "accountId": "acme", "company": "acme Inc.", "plan": "pro", "handover": true, "owner": owner,
    });
    let time = "2026-11-24T11:00:05Z";
    let event = json!({ "detail-type": "account.provisioned", "time": time, "detail": detail });
    expect_outcome(rollcall.provision(&event).await, "created");
    let kim = signed_in(&rollcall, "kim", KIM).await;
    kim.login(&json!({})).await.expect_status(200);
    let rows = rollcall.rows().await;
    expect_outcome(rollcall.provision(&event).await, "unchanged");
    assert_eq!(rollcall.rows().await, rows);
}

#[tokio::test]
async fn without_a_handover_billing_changes_no_owner() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    for handover in [json!(false), Value::Null] {
        let changes = json!({ "handover": handover, "plan": "business", "former": "remove" });
        hand_over(&rollcall, KIM, changes).await.expect_status(200);
        expect_owner(&owner, &[&kim]).await;
    }
    for (path, body) in [
        ("/accounts/acme", json!({ "owner": KIM })),
        ("/accounts/acme", json!({ "handover": true })),
    ] {
        let refused = owner.patch(path, &body).await;
        refused.expect_problem(400, "invalid_request");
    }
}

#[tokio::test]
async fn a_closed_account_can_be_handed_over_and_stays_closed() {
    let (rollcall, owner) = Rollcall::start_with_bound_owner().await;
    let kim = rollcall.member(&owner, KIM).await;
    rollcall.close("acme").await;
    let reply = hand_over(&rollcall, KIM, json!({})).await;
    assert_eq!(reply.text("status"), "closed");
    expect_outcome(reply, "updated");
    kim.login(&json!({}))
        .await
        .expect_problem(403, "account_closed");
    expect_outcome(
        hand_over(
            &rollcall,
            KIM,
            json!({ "reopen": true, "subject": subject_of(&rollcall, KIM).await }),
        )
        .await,
        "updated",
    );
    expect_owner(&kim, &[&owner]).await;
}
